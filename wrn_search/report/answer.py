"""The first section: the answer, what it rests on, what it cannot tell, the finalists and the paper."""

from __future__ import annotations

import shlex
from collections import Counter

from wrn_search.analysis.background import Paper
from wrn_search.analysis.findings import Findings
from wrn_search.analysis.quantities import Answer, Bought, Estimate
from wrn_search.report.blocks import figures_block, folded, listing, prose, sentences, table_block
from wrn_search.report.figure import Table
from wrn_search.report.finalists import finalists
from wrn_search.report.markup import Html, element, join
from wrn_search.report.wording import NONE, interval_text, percent, sentence, short_count, shown


def answer_section(findings: Findings, follow_up: str | None) -> Html:
    """The three sentences first, then what stands behind them."""
    answer = findings.answer
    parts: list[object] = [
        sentences(findings.notes, "notes"),
        element("ol", *(element("li", prose(sentence(text))) for text in answer.sentences), class_="answer"),
        _networks(findings, answer),
        _bought(answer.bought),
        element("h4", "What this search cannot tell") if answer.limits else "",
        sentences(answer.limits),
        _follow_up(findings, follow_up),
    ]
    if findings.confirm is not None:
        parts.append(figures_block([finalists(findings.confirm)]))
    return join([*parts, _paper(findings.paper)])


def _networks(findings: Findings, answer: Answer) -> Html:
    """The best network, and all that cannot be told from it."""
    if answer.best is None:
        return join(())
    smallest = answer.smallest_equivalent
    others = [
        each
        for each in answer.equivalents
        if each.trial not in (answer.best.trial, smallest and smallest.trial)
    ]
    rows = [_estimate(findings, answer.best, "best")]
    if smallest is not None and smallest.trial != answer.best.trial:
        rows.append(_estimate(findings, smallest, "smallest like it"))
    rows += [_estimate(findings, each, "") for each in others]
    head = (
        "",
        "network",
        "trial",
        "error (%)",
        "range",
        "n",
        "standard error",
        "parameters",
        "multiply-adds",
        "s/epoch",
    )
    seeds = "Standard errors are binomial, of the validation images"
    if answer.seed_deviation is None:
        seeds += "; without repeats the spread between seeds is not in them."
    else:
        seeds += (
            f", and of seeds: pooled standard deviation {answer.seed_deviation:.2f} points "
            f"({answer.seed_freedom} degrees of freedom)."
        )
    title = "The best network, and those that cannot be told from it" if len(rows) > 1 else "The best network"
    return join([element("h4", title), table_block(Table(head, rows, text_columns=3, note=seeds))])


def _estimate(findings: Findings, found: Estimate, role: str) -> tuple[str, ...]:
    return (
        role,
        found.network,
        findings.trials[found.trial].name,
        percent(found.val_error),
        f"{percent(found.lowest)} to {percent(found.highest)}" if found.n > 1 else NONE,
        str(found.n) if found.n == found.ended else f"{found.n} of {found.ended}",
        NONE if found.standard_error is None else f"{found.standard_error:.2f}",
        shown(found.num_params),
        short_count(found.macs),
        shown(found.seconds_per_epoch),
    )


def _bought(bought: Bought) -> Html:
    """Depth against width, in points of error for each doubling of the parameters."""
    if bought.depth_per_doubling is None or bought.width_per_doubling is None:
        return join(())  # the third sentence says why
    rows = [
        ("depth", f"{bought.depth_per_doubling:+.2f}", interval_text(bought.depth_interval)),
        ("width", f"{bought.width_per_doubling:+.2f}", interval_text(bought.width_interval)),
    ]
    head = ("parameters spent on", "points of error a doubling", "95 % interval")
    note = f"Fitted to n = {bought.n}; negative is better. {sentence(bought.why_no_interval)}".strip()
    title = element("h4", "What a doubling of the parameters bought")
    return join([title, table_block(Table(head, rows, note=note))])


def _follow_up(findings: Findings, space_file: str | None) -> Html:
    """The grid that could tell what this search cannot, as a space file and the command that writes it."""
    paths = " ".join(shlex.quote(search.path) for search in findings.searches)
    command = f"python -m wrn_search report {paths} --follow-up follow_up.yaml"
    said = element(
        "p",
        "A grid with repeats could tell more; this writes it as a ready space file: ",
        element("code", command),
    )
    return join([said, folded("The follow-up grid", listing(space_file)) if space_file else ""])


def _paper(paper: Paper) -> Html:
    """The paper's published errors beside ours, with every difference of recipe, each named by a letter."""
    title = element("h4", "Beside the paper")
    if not paper.rows:
        return join([title, element("p", sentence(paper.note))]) if paper.note else join(())
    letters = _letters(paper)
    head = (
        "network",
        "paper's",
        "differences",
        "paper's test error (%)",
        "ours, validation (%)",
        "n",
        "ours, test (%)",
    )
    rows = [
        (
            row.network,
            f"{row.table}, {row.statistic}"
            + ("" if row.dropout is None else f", {'with' if row.dropout else 'no'} dropout"),
            " ".join(sorted((letters.get(text, text) for text in row.differences), key=_order)) or NONE,
            percent(row.paper_error),
            percent(row.ours.val_error),
            str(row.ours.n),
            percent(row.our_test_error),
        )
        for row in paper.rows
    ]
    named = [element("li", element("b", letter), f" {text}") for text, letter in letters.items()]
    return join(
        [
            title,
            table_block(Table(head, rows, text_columns=3, note=sentence(paper.note))),
            element("p", "Differences, ours first, then the paper's:", class_="note") if named else "",
            element("ul", *named, class_="letters") if named else "",
        ]
    )


def _order(letters: str) -> tuple[int, str]:
    """z before aa."""
    return len(letters), letters


def _letters(paper: Paper) -> dict[str, str]:
    """A letter for each distinct difference, those of most rows first."""
    counts = Counter(difference for row in paper.rows for difference in row.differences)
    letters = [chr(ord("a") + place) for place in range(26)]
    names = letters + [first + second for first in letters for second in letters]
    return dict(zip((text for text, _ in counts.most_common(len(names))), names, strict=False))
