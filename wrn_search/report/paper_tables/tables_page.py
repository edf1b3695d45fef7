"""The paper's tables beside ours as a page: of each a figure, its rows, and the verdicts on what the paper claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wrn_search.analysis.paper_tables.paper_values import ClaimVerdict, TableBeside
from wrn_search.report.html.axes import axis, layout
from wrn_search.report.html.blocks import figures_block, sentences, table_block
from wrn_search.report.html.document import page
from wrn_search.report.html.figure import Figure, Table
from wrn_search.report.html.markup import Html, element, join, plot_text
from wrn_search.report.paper_tables.tables_in_words import (
    VERDICTS,
    cells_of,
    claim_words,
    facts,
    head_of,
    heading,
    notes_on_rows,
    rank_words,
)
from wrn_search.wording import plural, sentence

_COLOURS = {"supported": "@green", "contradicted": "@orange", "undecided": "@muted"}


def page_of(tables: Sequence[TableBeside]) -> str:
    """The whole page."""
    sections = [
        (f"table-{table.table}-{table.dataset}-{place}", heading(table), _section(table, place))
        for place, table in enumerate(tables, start=1)
    ]
    title = "Wide Residual Networks: the paper's tables beside ours"
    searches = list(dict.fromkeys(name for table in tables for name in table.searches))
    claims = [claim.verdict for table in tables for claim in table.claims]
    told = [f"{claims.count(name)} {words}" for name, words in VERDICTS.items() if name in claims]
    counts = " · ".join(
        [", ".join(searches), plural(len(tables), "table"), f"claims: {', '.join(told) or 'none'}"]
    )
    header = element("header", element("h1", title), element("p", counts, class_="facts"))
    return page(header, sections, title, {})


def _section(table: TableBeside, place: int) -> Html:
    rows = Table(
        head_of(table),
        [cells_of(row, table) for row in table.rows],
        text_columns=1,
        note=sentence(rank_words(table.rank)),
    )
    return join(
        [
            element("p", sentence(facts(table))),
            table_block(rows),
            sentences([*notes_on_rows(table), *table.notes]),
            element("h3", "What the paper claims of it"),
            join(map(_claim, table.claims))
            if table.claims
            else element("p", "No two networks of a claim were trained."),
            figures_block([_figure(table, place)]),
        ]
    )


def _claim(claim: ClaimVerdict) -> Html:
    colour = _COLOURS[claim.verdict].replace("@", "--")
    verdict = element("strong", VERDICTS[claim.verdict], style=f"color:var({colour})")
    return join(
        [
            element("p", f"{sentence(claim.claim)[:-1]}: ", verdict, "."),
            sentences(claim_words(claim), "letters"),
        ]
    )


def _figure(table: TableBeside, place: int) -> Figure:
    """Ours over the paper's, each with its range."""
    known = [row for row in table.rows if row.median is not None]
    key = f"ours-over-paper-{place}"
    if not known:
        text = "No network has reached its end yet."
        return Figure(key, "Ours over the paper's", text, "", None)
    names = [f"{row.network}{f', dropout {row.dropout:g}' if row.dropout else ''}" for row in known]
    bars = {
        "type": "data",
        "symmetric": False,
        "array": [(row.highest or 0) - (row.median or 0) for row in known],
        "arrayminus": [(row.median or 0) - (row.lowest or 0) for row in known],
        "thickness": 1,
        "width": 3,
    }
    points: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers+text",
        "x": [row.paper_error for row in known],
        "y": [row.median for row in known],
        "error_y": bars,
        "text": [plot_text(name) for name in names],
        "textposition": "top center",
        "marker": {"color": "@blue", "size": 9},
        "hovertemplate": "%{text}<br>the paper's %{x:.2f} %, ours %{y:.2f} %<extra></extra>",
        "showlegend": False,
    }
    word = "intervals of 95 %" if table.kind == "predicted" else "lowest to highest"
    return Figure(
        key=key,
        title="Ours over the paper's",
        result=sentence(rank_words(table.rank)),
        reading=f"Each network's error here over the one that the paper prints; bars: {word}.",
        table=None,
        traces=(points,),
        layout=layout(axis("the paper's test error (%)"), axis(f"our {table.error} error (%)")),
        height=420,
        wide=True,
    )
