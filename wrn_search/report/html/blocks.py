"""Blocks of the page: a figure with its caption and table, a table alone, a list, a folded text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wrn_search.report.html.figure import MAX_ROWS, Figure, Table
from wrn_search.report.html.markup import Html, element, escape, join, script_json
from wrn_search.wording import sentence

_LONG = 48  # signs; longer text breaks into lines


def figure_block(figure: Figure) -> Html:
    """The figure's place, its values as JSON, its caption, and its table folded below."""
    drawing = join(())
    if figure.traces:
        values = {"data": figure.traces, "layout": figure.layout}
        plot = element(
            "div",
            class_="plot",
            data_plot=figure.key,
            role="img",
            aria_label=figure.result,
            style=f"height:{figure.height}px;min-width:{figure.min_width}px",
        )
        script = element("script", script_json(values), type="application/json", id=f"values-{figure.key}")
        drawing = join([_scrolled(plot), script])
    caption = element(
        "figcaption", element("strong", figure.result), f" {figure.reading}" if figure.traces else ""
    )
    table = folded("Table of the values", table_block(figure.table)) if figure.table else ""
    return element(
        "figure",
        element("h3", figure.title),
        drawing,
        caption,
        table,
        id=figure.key,
        class_="wide" if figure.wide else None,
    )


def tabbed_block(figures: Sequence[tuple[str, Figure]]) -> Html:
    """Figures (label of the tab, figure) in one place, of which the first is seen; all of them without JavaScript."""
    if len(figures) == 1:
        return figure_block(figures[0][1])
    tabs = [
        element(
            "button",
            label,
            type="button",
            role="tab",
            aria_controls=f"tab-{figure.key}",
            id=f"to-{figure.key}",
        )
        for label, figure in figures
    ]
    panels = [
        element(
            "div",
            figure_block(figure),
            id=f"tab-{figure.key}",
            class_="panel",
            role="tabpanel",
            aria_labelledby=f"to-{figure.key}",
        )
        for _, figure in figures
    ]
    wide = "tabbed wide" if any(figure.wide for _, figure in figures) else "tabbed"
    row = element("div", *tabs, class_="tabs", role="tablist", hidden=True)
    return element("div", row, *panels, class_=wide)


def figures_block(figures: Iterable[Figure | Html]) -> Html:
    """Figures beside one another where the screen is wide enough."""
    blocks = (figure_block(each) if isinstance(each, Figure) else each for each in figures)
    return element("div", *blocks, class_="figures")


def table_block(table: Table) -> Html:
    """A table that scrolls on a narrow screen; at most `MAX_ROWS` rows, and it says so."""
    head = element("tr", *(_cell("th", name, place, table) for place, name in enumerate(table.head)))
    rows = [
        element(
            "tr", *(_cell("td", value, place, table) for place, value in enumerate(_linked(table, number)))
        )
        for number in range(min(len(table.rows), MAX_ROWS))
    ]
    cut = f"The first {MAX_ROWS:,} of {len(table.rows):,} rows; all trials are in trials.parquet."
    notes = [note for note in (table.note, cut if len(table.rows) > MAX_ROWS else "") if note]
    body = element("table", element("thead", head), element("tbody", *rows))
    return join([_scrolled(body), *(element("p", note, class_="note") for note in notes)])


def _scrolled(content: Html) -> Html:
    """What may be wider than the screen; `page.js` shows the hint where it is."""
    hint = "Wider than this screen: scroll sideways to see the rest."
    return join([element("div", content, class_="scroll"), element("p", hint, class_="hint")])


def _linked(table: Table, number: int) -> tuple[str, ...]:
    """A row, its first text a link to the row of its trial among all trials."""
    row = table.rows[number]
    trial = table.trials[number] if table.trials else None
    return row if trial is None else (trial_link(trial, row[0]), *row[1:])


def trial_link(trial: int, name: str) -> Html:
    """A link to a trial's row in the table of all trials; the page's script follows it."""
    return element("a", name, href=f"#trial-{trial}")


def _cell(tag: str, value: str, place: int, table: Table) -> Html:
    scope = "col" if tag == "th" else None
    kind = "text" if place < table.text_columns else None
    if kind and len(value) > _LONG:
        kind = "long text"
    return element(tag, value, class_=kind, scope=scope)


def sentences(texts: Iterable[str], class_: str | None = None) -> Html:
    """A list, a sentence each; nothing if there are none."""
    items = [element("li", prose(sentence(text))) for text in texts]
    return element("ul", *items, class_=class_) if items else join(())


def prose(text: str) -> Html:
    """Text whose parts between backticks are code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return join(element("code", part) if place % 2 else part for place, part in enumerate(parts))


def folded(summary: str, *children: object) -> Html:
    """What opens when it is asked for."""
    return element("details", element("summary", summary), *children)


def listing(text: str) -> Html:
    """A file's text as it stands."""
    return element("pre", element("code", text))
