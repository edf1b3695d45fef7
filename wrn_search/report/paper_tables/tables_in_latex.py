"""The paper's tables beside ours as LaTeX: a `table` each, without packages; text from outside can do nothing there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wrn_search.analysis.paper_tables.paper_values import TableBeside
from wrn_search.errors import printable
from wrn_search.report.paper_tables.tables_in_words import (
    VERDICTS,
    cells_of,
    facts,
    head_of,
    heading,
    notes_on_rows,
    rank_words,
)
from wrn_search.wording import NONE, sentence

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': "''",
    NONE: "--",
}


def latex_text(text: str) -> str:
    """Text as LaTeX that any engine sets as it stands; signs beyond ASCII by their number, as fonts may lack them."""
    plain = printable(text)
    return "".join(_SPECIAL.get(sign) or (sign if sign.isascii() else f"U+{ord(sign):04X}") for sign in plain)


def latex_of(tables: Sequence[TableBeside]) -> str:
    """A `table` for each, and below it the verdicts as an `itemize`."""
    head = '% Tables of "Wide Residual Networks" (arXiv 1605.07146) beside ours, by WRN Search. \\input this file.'
    return "\n\n".join([head, *("\n".join(_table(table)) for table in tables)]) + "\n"


def _table(table: TableBeside) -> Iterator[str]:
    head = head_of(table)
    texts = [sentence(heading(table)), sentence(facts(table)), *map(sentence, notes_on_rows(table))]
    texts += [*map(sentence, table.notes), sentence(rank_words(table.rank))]
    yield r"\begin{table}"
    yield rf"\caption{{{' '.join(map(latex_text, texts))}}}"
    yield rf"\label{{tab:paper-{table.table}-{table.dataset}}}"
    yield r"\centering"
    yield rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}"
    yield r"\hline"
    yield _row(head)
    yield r"\hline"
    yield from (_row(cells_of(row, table)) for row in table.rows)
    yield r"\hline"
    yield r"\end{tabular}"
    yield r"\end{table}"
    if table.claims:
        yield ""
        yield r"\begin{itemize}"
        for claim in table.claims:
            yield rf"\item {latex_text(sentence(claim.claim)[:-1])}: \emph{{{VERDICTS[claim.verdict]}}}."
        yield r"\end{itemize}"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(map(latex_text, cells)) + r" \\"
