"""Figures for a paper, drawn by matplotlib: the page's main figures as PDF and SVG, with text that stays text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.errors import InputError, printable
from wrn_search.report.depth_width_map import cell_error, cell_lines
from wrn_search.report.html.axes import log_floor, log_ticks
from wrn_search.report.html.colours import LIGHT, SERIES, ramp, resolved
from wrn_search.results.atomic_files import replacing
from wrn_search.wording import short_count, shortened, shown, two_digits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMN = 3.4  # inches: one column of a two-column paper
_PAGE = 7.0  # both
_STYLE: dict[str, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.linewidth": 0.4,
    "grid.color": LIGHT["grid"],
    "legend.frameon": False,
    "lines.linewidth": 1.1,
    "pdf.fonttype": 42,  # fonts that a journal accepts and an editor can change
    "svg.fonttype": "none",
    "svg.hashsalt": "wrn_search",  # the same figure gives the same file
    "text.parse_math": False,  # a $ in a name is a $
}
_NAMED = 5  # learning curves in colour
_MARKERS = "osD^vph*"


def write_figures(findings: Findings, directory: Path) -> list[Path]:
    """Writes each main figure that has something to show as PDF and SVG; returns the files.

    Raises:
        InputError: the folder cannot be made or written.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    written = []
    with matplotlib.rc_context(_STYLE):
        for name, draw in FIGURES.items():
            figure = Figure(layout="constrained")
            FigureCanvasAgg(figure)  # no screen is needed, whatever MPLBACKEND says
            if draw(findings, figure):
                written += _save(figure, directory, name)
    return written


def _save(figure: Figure, directory: Path, name: str) -> list[Path]:
    paths = [directory / f"{name}.pdf", directory / f"{name}.svg"]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, metadata in zip(paths, ({"CreationDate": None}, {"Date": None}), strict=True):
            with replacing(path) as temporary:
                figure.savefig(temporary, format=path.suffix[1:], metadata=metadata)
    except OSError as error:
        text = f"must be a folder that can be made and written, but got: {error.strerror} ({directory})"
        raise InputError.of("--figures", text) from None
    return paths


def error_map(findings: Findings, figure: Figure) -> bool:
    """Depth x widening factor; each cell with its error, n and how many were stopped."""
    grid = findings.error_map
    values = {(cell.depth, cell.widen_factor): cell_error(cell) for cell in grid.cells}
    errors = [value for value in values.values() if value is not None]
    if not errors:
        return False
    columns, rows = len(grid.widen_factors), len(grid.depths)
    figure.set_size_inches(max(_COLUMN, 0.62 * columns + 0.9), max(1.6, 0.5 * rows + 0.7))
    axes = figure.subplots()
    nan = float("nan")
    table = [[values.get((depth, factor)) for factor in grid.widen_factors] for depth in grid.depths]
    image = axes.imshow(
        [[nan if value is None else value for value in row] for row in table],
        cmap="YlGnBu_r",
        aspect="auto",
        origin="lower",
    )
    low, high = min(errors), max(errors)
    for cell in grid.cells:
        value = cell_error(cell)
        dark = value is not None and value < low + 0.55 * (high - low or 1.0)
        place = grid.widen_factors.index(cell.widen_factor), grid.depths.index(cell.depth)
        text = "\n".join(cell_lines(cell, value, two_digits))
        axes.text(*place, text, ha="center", va="center", fontsize=6, color="white" if dark else "black")
    axes.set_xticks(range(columns), [shown(float(factor)) for factor in grid.widen_factors])
    axes.set_yticks(range(rows), [str(depth) for depth in grid.depths])
    axes.set(xlabel="widening factor", ylabel="depth")
    axes.grid(visible=False)
    if high > low:  # a bar around one value would show errors that nobody has
        figure.colorbar(image, ax=axes, label="validation error (%)").outline.set_visible(False)
    return True


def iso_params(findings: Findings, figure: Figure) -> bool:
    """Error against depth:width, a colour a band of equal parameters, with the common trend."""
    bands = findings.iso_params.bands
    if not bands:
        return False
    figure.set_size_inches(_COLUMN, 2.6)
    axes = figure.subplots()
    for place, band in enumerate(bands):
        colour = resolved(ramp(place, len(bands)), LIGHT)
        axes.plot(
            [point.ratio for point in band.points],
            [point.val_error for point in band.points],
            _MARKERS[place % len(_MARKERS)],
            markersize=3.5,
            color=colour,
            label=f"{short_count(band.low)} to {short_count(band.high)}",
        )
        axes.plot([x for x, _ in band.line], [y for _, y in band.line], color=colour)
    _log(axes, [point.ratio for band in bands for point in band.points])
    axes.set(xlabel="depth : widening factor", ylabel="validation error (%)")
    axes.legend(title="parameters", fontsize=6, ncols=2 if len(bands) > 5 else 1)
    return True


def pareto(findings: Findings, figure: Figure) -> bool:
    """Error against each cost, networks on the front named."""
    fronts = [front for front in findings.pareto.fronts if front.points]
    if not fronts:
        return False
    figure.set_size_inches(_PAGE, 2.4)
    for axes, front in zip(figure.subplots(1, len(fronts), squeeze=False)[0], fronts, strict=True):
        others = [point for point in front.points if not point.on_front]
        axes.plot(
            [p.cost for p in others], [p.val_error for p in others], ".", color=LIGHT["pale"], markersize=3
        )
        costs, errors = [p.cost for p in front.front], [p.val_error for p in front.front]
        axes.step(costs, errors, "o-", where="post", color=LIGHT["blue"], markersize=3)
        for point in front.front[-1:] if len(front.front) < 3 else (front.front[0], front.front[-1]):
            axes.annotate(
                _text(point.network),
                (point.cost, point.val_error),
                (-4, -7) if point is front.front[-1] else (3, 3),
                textcoords="offset points",
                fontsize=6,
                ha="right" if point is front.front[-1] else "left",
            )
        _log(axes, [point.cost for point in front.points])
        axes.set(xlabel=front.cost if front.unit == front.cost else front.unit, ylabel="validation error (%)")
    return True


def learning_curves(findings: Findings, figure: Figure) -> bool:
    """Validation error by epoch, the best in colour, drops of the learning rate dotted."""
    found = findings.curves
    if not found.curves:
        return False
    figure.set_size_inches(_COLUMN, 2.4)
    axes = figure.subplots()
    floor = log_floor(error for curve in found.curves for error in curve.val_error) or 0.0
    drawn = [[max(error, floor) for error in curve.val_error] for curve in found.curves]  # as on the page
    for curve, errors in list(zip(found.curves, drawn, strict=True))[_NAMED:]:
        axes.plot(curve.epochs, errors, color=LIGHT["pale"], linewidth=0.4, alpha=0.5)
    for place, curve in reversed(list(enumerate(found.curves[:_NAMED]))):
        name = _text(findings.trials[curve.trial].name)
        axes.plot(curve.epochs, drawn[place], color=LIGHT[SERIES[place]], label=name)
    for drop in found.drops:
        axes.axvline(drop, color=LIGHT["axis"], linewidth=0.6, linestyle=":")
    if floor:
        _log(axes, [error for errors in drawn for error in errors], vertical=True)
    axes.set(xlabel="epoch", ylabel="validation error (%)")
    axes.legend(fontsize=5, loc="upper right")
    return True


def importance(findings: Findings, figure: Figure) -> bool:
    """Share of the variance that each hyperparameter explains alone."""
    shares = findings.importance.shares
    if not shares:
        return False
    figure.set_size_inches(_COLUMN, 0.5 + 0.25 * len(shares))
    axes = figure.subplots()
    names = [_text(name) for name in shares][::-1]
    bars = axes.barh(names, [100 * share for share in shares.values()][::-1], color=LIGHT["blue"])
    axes.bar_label(bars, fmt="%.0f", padding=2, fontsize=6)
    axes.set(xlabel=f"share of the variance (%), n = {findings.importance.n}")
    axes.grid(visible=False, axis="y")
    return True


def _text(text: str) -> str:
    """Text of whoever named it, as a figure has room for it."""
    return shortened(printable(text), 36)


def _log(axes: Axes, values: list[float], *, vertical: bool = False) -> None:
    """A logarithmic axis with the page's ticks."""
    positive = [value for value in values if value > 0]
    axis = axes.yaxis if vertical else axes.xaxis
    (axes.set_yscale if vertical else axes.set_xscale)("log")
    ticks = log_ticks(min(positive), max(positive)) if positive else []
    axis.set_ticks(ticks[:: 2 if len(ticks) > 5 and not vertical else 1])
    axis.set_major_formatter(lambda value, _: short_count(value))
    axis.set_minor_locator(_no_ticks())


def _no_ticks() -> Any:
    from matplotlib.ticker import NullLocator

    return NullLocator()


# file name -> what draws it; False if there is nothing to draw
FIGURES: dict[str, Callable[[Findings, Figure], bool]] = {
    "error_map": error_map,
    "iso_params": iso_params,
    "pareto": pareto,
    "learning_curves": learning_curves,
    "importance": importance,
}
