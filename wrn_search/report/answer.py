"""The first section: the answer, what it rests on and what it cannot tell."""

from __future__ import annotations

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.answer import Answer
from wrn_search.analysis.curve_model.verdict_lines import Line
from wrn_search.analysis.equal_parameters import Bought
from wrn_search.analysis.input_tables.shared_values import Estimate
from wrn_search.report.by_products.follow_up_grid import follow_up_command, is_of_wide_networks
from wrn_search.report.curve_model.trainings_to_run import next_block
from wrn_search.report.equal_parameters import interval_words
from wrn_search.report.html.blocks import figures_block, folded, listing, prose, sentences, table_block
from wrn_search.report.html.figure import Table
from wrn_search.report.html.figures_by_section import confirmation_figures
from wrn_search.report.html.markup import Html, element, join
from wrn_search.report.paper_tables.paper_comparison_table import paper_table
from wrn_search.wording import NONE, interval_text, sentence, short_count, shown, two_digits


def answer_section(findings: Findings, follow_up: str | None) -> Html:
    """The verdict first, a line a question, then what stands behind it."""
    answer = findings.answer
    parts: list[object] = [
        sentences(findings.notes, "notes"),
        element("ul", *(_line(line) for line in answer.lines), class_="answer"),
        _networks(findings, answer),
        _bought(answer.bought),
        element("h4", "What this search cannot tell") if answer.limits else "",
        sentences(answer.limits),
        next_block(findings),
        _follow_up(findings, follow_up),
    ]
    if findings.confirm is not None:
        parts.append(figures_block(confirmation_figures(findings)))
    return join([*parts, paper_table(findings.paper)])


def _line(line: Line) -> Html:
    """What it is about, what is told, and the verdict."""
    verdict = element("strong", f"{line.verdict}.") if line.verdict else ""
    text = f"{line.text}:" if line.verdict else sentence(f".{line.text}")[1:]
    return element("li", element("b", f"{line.head}: "), prose(text), " ", verdict)


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
        rows.append(_estimate(findings, smallest, "smallest as good"))
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
    how = "as good within the margin" if findings.model.at_end else "not told from it by what was measured"
    title = f"The best network, and those {how}" if len(rows) > 1 else "The best network"
    return join([element("h4", title), table_block(Table(head, rows, text_columns=3, note=seeds))])


def _estimate(findings: Findings, found: Estimate, role: str) -> tuple[str, ...]:
    return (
        role,
        found.network,
        findings.trials[found.trial].name,
        two_digits(found.val_error),
        f"{two_digits(found.lowest)} to {two_digits(found.highest)}" if found.n > 1 else NONE,
        str(found.n) if found.n == found.ended else f"{found.n} of {found.ended}",
        NONE if found.standard_error is None else f"{found.standard_error:.2f}",
        shown(found.num_params),
        short_count(found.macs),
        shown(found.seconds_per_epoch),
    )


def _bought(bought: Bought) -> Html:
    """Depth against width, in points of error for each doubling of the parameters."""
    if bought.depth_interval is None or bought.width_interval is None:
        return join(())  # no number stands without its interval; the first lines tell what the model says
    rows = [
        ("depth", f"{bought.depth_per_doubling or 0.0:+.2f}", interval_text(bought.depth_interval)),
        ("width", f"{bought.width_per_doubling or 0.0:+.2f}", interval_text(bought.width_interval)),
    ]
    head = ("parameters spent on", "points of error a doubling", "95 % interval")
    note = f"Fitted to n = {bought.n}; negative is better. {interval_words(bought)}"
    title = element("h4", "What a doubling of the parameters bought")
    return join([title, table_block(Table(head, rows, note=note))])


def _follow_up(findings: Findings, space_file: str | None) -> Html:
    """The grid that could tell what this search cannot, as a space file and the command that writes it."""
    if not is_of_wide_networks(findings):
        return join(())
    command = follow_up_command(findings)
    said = element(
        "p",
        "A grid with repeats could tell more; this writes it as a ready space file: ",
        element("code", command),
    )
    return join([said, folded("The follow-up grid", listing(space_file)) if space_file else ""])
