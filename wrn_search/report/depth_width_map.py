"""Figures of depth x widening factor: the error that each pair reached, and the time that it took."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.depth_width_map import Cell, CellMap
from wrn_search.report.html.axes import axis, layout
from wrn_search.report.html.figure import Figure, Table, hover_text
from wrn_search.seconds_alone import NONE_ALONE
from wrn_search.wording import NONE, plural, shown, two_digits, two_significant

_CELL_WIDTH = 66  # pixels that a cell's text needs
_LINE_HEIGHT = 16
_TALLY = 10  # signs of `n=3 s=2 x=1`, for which a line has room
_MOST_COLUMNS = 6  # of a map that stands beside another
_MAP = {
    "type": "heatmap",
    "xgap": 3,  # pixels
    "ygap": 3,
    "texttemplate": "%{text}",
    "textfont": {"size": 11},
    "hoverinfo": "text",
    "hoverongaps": False,
}
_QUIET = {"size": 11, "color": "@muted"}
_PLAIN = {"showgrid": False, "showline": False, "ticks": "", "type": "category"}
_READ = (
    "Each cell: its value, n = trials that it was taken from, s = stopped early, x = failed or diverged, "
    "r = running or interrupted. Blank = never tried; grey = tried, but no trial got there."
)


def error_map(findings: Findings) -> Figure:
    """The lowest validation error of each pair at full epochs; with repeats the median of its best configuration."""
    grid = findings.error_map
    reached = [cell for cell in grid.cells if cell_error(cell) is not None]
    if reached:
        best = min(reached, key=lambda cell: cell_error(cell) or 0.0)
        kind = "median of repeats" if grid.repeated else "validation error"
        result = (
            f"Lowest {kind} {two_digits(cell_error(best))} % at depth {best.depth}, widening factor "
            f"{shown(best.widen_factor)} (n = {best.n}), of {plural(len(reached), 'pair')} with a trial at full "
            f"epochs ({findings.max_epochs}){_gaps(grid)}."
        )
    else:
        result = f"No trial got to full epochs ({findings.max_epochs}), so no pair has an error yet."
    value = "the lowest validation error at full epochs in percent"
    if grid.repeated:
        value = "the median over the repeats of its best configuration, with their range"
    return Figure(
        key="error-map",
        title="Validation error (%) by depth and widening factor",
        result=result,
        reading=f"The value is {value}. {_READ} {_binning(grid)}".strip(),
        table=_table(findings, grid),
        **_drawing(findings, grid, [cell_error(cell) for cell in grid.cells], "%"),
    )


def time_map(findings: Findings) -> Figure:
    """The median seconds of an epoch's training of each pair."""
    grid = findings.time_map
    timed = [cell for cell in grid.cells if cell.value is not None]
    if timed:
        low = min(timed, key=lambda cell: cell.value or 0.0)
        high = max(timed, key=lambda cell: cell.value or 0.0)
        ratio = (high.value or 0.0) / low.value if low.value else None
        result = (
            f"An epoch took {_seconds(low)} s (depth {low.depth}, widening factor {shown(low.widen_factor)}) "
            f"to {_seconds(high)} s (depth {high.depth}, widening factor {shown(high.widen_factor)})"
            + (f", {two_significant(ratio)} times as long." if ratio else ".")
        )
    else:
        result = "No epoch has been timed yet."
    devices = sorted({device for each in findings.provenance for device in each.devices})
    return Figure(
        key="time-map",
        title="Seconds an epoch by depth and widening factor",
        result=result,
        reading=f"Median over trials of each one's median epoch, training only, {_whose(grid)}, on "
        f"{', '.join(devices) or 'unknown hardware'}. "
        f"n = timed trials. {_binning(grid)}".strip(),
        table=_table(findings, grid),
        **_drawing(findings, grid, [cell.value for cell in grid.cells], "s"),
    )


def _whose(grid: CellMap) -> str:
    """Which epochs the times are of."""
    if grid.shared:
        return f"beside other trials: {NONE_ALONE}, so these are no costs"
    return "of epochs that had their device alone"


def _seconds(cell: Cell) -> str:
    return two_significant(cell.value or 0.0)


def cell_error(cell: Cell) -> float | None:
    """What an error map shows of a cell, percent."""
    return cell.value if cell.median is None else cell.median


def _gaps(grid: CellMap) -> str:
    tried = {(cell.depth, cell.widen_factor) for cell in grid.cells}
    gaps = len(grid.depths) * len(grid.widen_factors) - len(tried)
    unreached = sum(cell_error(cell) is None for cell in grid.cells)
    return f"; {unreached} tried without one, {gaps} never tried" if unreached or gaps else ""


def _binning(grid: CellMap) -> str:
    return "Widening factors are middles of bins." if grid.binned else ""


def _drawing(findings: Findings, grid: CellMap, values: list[float | None], unit: str) -> dict[str, Any]:
    """Traces, layout and size of a map: one trace for cells without a value, one for those with it."""
    number = two_digits if unit == "%" else two_significant
    cells = list(zip(grid.cells, values, strict=True))
    hovers = {_pair(cell): _cell_hover(findings, cell, value, unit) for cell, value in cells}
    texts = {_pair(cell): _cell_text(cell, value, number) for cell, value in cells}
    lines = max((text.count("<br>") + 1 for text in texts.values()), default=1)
    empty = {_pair(cell): 0.0 for cell, value in cells if value is None}
    filled = {_pair(cell): value for cell, value in cells if value is not None}
    scale = colour_bar([value for value in values if value is not None], unit)
    looks: tuple[tuple[Mapping[tuple[int, float], float], dict[str, Any]], ...] = (
        (empty, {"colorscale": [[0, "@empty"], [1, "@empty"]], "showscale": False, "textfont": _QUIET}),
        (filled, {"colorscale": "@map", **scale}),
    )
    traces = [
        {
            **_MAP,
            "x": [("≈" if grid.binned else "") + shown(float(factor)) for factor in grid.widen_factors],
            "y": [str(depth) for depth in grid.depths],
            "z": _placed(grid, numbers),
            "text": _placed(grid, {pair: texts[pair] for pair in numbers}, ""),
            "hovertext": _placed(grid, hovers),
            "choose": cells_to_choose(grid, grid.depths, grid.widen_factors),
            **look,
        }
        for numbers, look in looks
        if numbers
    ]
    return {
        "traces": tuple(traces),
        "layout": layout(axis("widening factor", **_PLAIN), axis("depth", **_PLAIN)),
        "height": 110 + (8 + _LINE_HEIGHT * max(3, lines)) * max(2, len(grid.depths)),
        "min_width": 130 + _CELL_WIDTH * len(grid.widen_factors),
        "wide": len(grid.widen_factors) > _MOST_COLUMNS,
    }


def cells_to_choose(grid: CellMap, depths: Sequence[int], widen_factors: Sequence[float]) -> dict[str, Any]:
    """Which trials the rows and columns of a map hold, for the table of all trials: ranges, where k is binned."""
    halves = [high / low for low, high in pairwise(sorted(grid.widen_factors))]
    half = min(halves, default=1.0) ** 0.5 if grid.binned else 1.0
    return {
        "x": {"key": "widen_factor", "ranges": [[factor / half, factor * half] for factor in widen_factors]},
        "y": {"key": "depth", "ranges": [[depth, depth] for depth in depths]},
    }


def colour_bar(values: Sequence[float], unit: str) -> dict[str, Any]:
    """The bar of a map's colours: none for equal values, around which plotly would lay a range of its own."""
    if values and max(values) - min(values) < 1e-6:
        return {"showscale": False, "zmin": values[0] - 1, "zmax": values[0] + 1}
    return {"colorbar": {"title": {"text": unit}, "thickness": 10, "len": 0.9, "outlinewidth": 0}}


def _pair(cell: Cell) -> tuple[int, float]:
    return cell.depth, cell.widen_factor


def _placed(
    grid: CellMap, values: Mapping[tuple[int, float], Any], nothing: str | None = None
) -> list[list[Any]]:
    """Values by (depth, widening factor) as rows of a map; `nothing` where there is none."""
    return [[values.get((depth, factor), nothing) for factor in grid.widen_factors] for depth in grid.depths]


def _tally(cell: Cell) -> str:
    counts = (("s", cell.stopped), ("x", cell.failed + cell.diverged), ("r", cell.other))
    return " ".join([f"n={cell.n}", *(f"{letter}={count}" for letter, count in counts if count)])


def cell_lines(cell: Cell, value: float | None, number: Callable[[float], str]) -> list[str]:
    """A cell's text: its value, the range over repeats, n and what became of the other trials."""
    tally = _tally(cell)
    if len(tally) > _TALLY:
        tally = tally.replace(" ", "\n", 1)
    if value is None:
        return ["none", *tally.split("\n")]
    lines = [number(value)]
    if cell.median is not None and cell.low is not None and cell.high is not None:
        low, high = number(cell.low), number(cell.high)
        lines += [f"{low}\u2013{high}"] if low != high else []
    return [*lines, *tally.split("\n")]


def _cell_text(cell: Cell, value: float | None, number: Callable[[float], str]) -> str:
    first, *others = cell_lines(cell, value, number)
    return "<br>".join([first if value is None else f"<b>{first}</b>", *others])


def _cell_hover(findings: Findings, cell: Cell, value: float | None, unit: str) -> str:
    lines = [f"depth {cell.depth}, widening factor {shown(cell.widen_factor)}"]
    lines.append(f"{shown(value)} {unit}, {_tally(cell)}" if value is not None else f"none, {_tally(cell)}")
    if cell.trial is not None:
        several = len(findings.searches) > 1
        lines += ["", hover_text(findings.trials[cell.trial], name_search=several)]
    return "<br>".join(lines)


def _table(findings: Findings, grid: CellMap) -> Table:
    head = (
        "trial",
        "depth",
        "widening factor",
        f"value ({grid.unit})",
        "n",
        "stopped",
        "failed",
        "diverged",
        "other",
    )
    repeated = ("median", "lowest", "highest", "repeats") if grid.repeated else ()
    rows = []
    for cell in grid.cells:
        name = findings.trials[cell.trial].name if cell.trial is not None else NONE
        counts = (cell.n, cell.stopped, cell.failed, cell.diverged, cell.other)
        row = (name, str(cell.depth), shown(cell.widen_factor), shown(cell.value), *map(str, counts))
        ranges = (two_digits(cell.median), two_digits(cell.low), two_digits(cell.high), str(cell.repeats))
        rows.append(row + (ranges if repeated else ()))
    return Table(head + repeated, rows, trials=[cell.trial for cell in grid.cells])
