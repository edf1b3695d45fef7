"""Beside the paper: its published errors beside ours, with every difference of recipe, each named by a letter."""

from __future__ import annotations

from collections import Counter

from wrn_search.analysis.paper_tables.paper_comparison import Paper
from wrn_search.report.html.blocks import table_block
from wrn_search.report.html.figure import Table
from wrn_search.report.html.markup import Html, element, join
from wrn_search.wording import NONE, sentence, two_digits


def paper_table(paper: Paper) -> Html:
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
            two_digits(row.paper_error),
            two_digits(row.ours.val_error),
            str(row.ours.n),
            two_digits(row.our_test_error),
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
