"""Figures of single hyperparameters: the error against each."""

from __future__ import annotations

from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.hyperparameter_slices import Slice, SlicePoint
from wrn_search.report.html.axes import axis, layout, log_axis
from wrn_search.report.html.figure import Figure, Table, thinned, thinning
from wrn_search.report.html.markup import plot_text
from wrn_search.results.table_columns import PRODUCTS
from wrn_search.wording import plural, shown, two_digits

_ROOM = 0.08  # of the errors' range above and below


_PRODUCT = (
    " lr_x_wd is learning_rate x weight_decay: below batch norms a weight settles at a length, and turns by a share of "
    "it a step, that depend on their product (van Laarhoven, arXiv 1706.05350); pycls plots populations of networks "
    "over it."
)


def slices(findings: Findings) -> list[Figure]:
    """One figure a searched hyperparameter."""
    return [_slice(findings, each) for each in findings.slices if each.name not in PRODUCTS]


def product_slices(findings: Findings) -> list[Figure]:
    """One figure a product of two searched hyperparameters: the curve model knows its factors, not it."""
    return [_slice(findings, each, _PRODUCT) for each in findings.slices if each.name in PRODUCTS]


def _slice(findings: Findings, found: Slice, more: str = "") -> Figure:
    drawn = thinned(range(len(found.points)), [False] * len(found.points))
    points = [found.points[place] for place in drawn]
    total = len(findings.trials) - found.left_out
    left_out = f" {plural(found.left_out, 'trial')} without any epoch not shown." if found.left_out else ""
    return Figure(
        key=f"slice-{found.name}".replace("_", "-"),
        title=f"Error against {found.name}",
        result=_slice_result(found),
        reading="Blue: trials at full epochs; pale: trials with fewer, at their last error, not comparable with "
        "them and perhaps above the frame. Line: median of completed trials by value or bin. Each point has other "
        f"values of all other hyperparameters too.{left_out}{thinning(len(drawn), total)}{more}",
        table=_slice_table(found) if found.summary else None,
        traces=_slice_traces(found, points) if points else (),
        layout=layout(_value_axis(found), axis("validation error (%)", **_frame(found.points))),
        height=360,
    )


def _slice_result(found: Slice) -> str:
    completed = sum(row[3] for row in found.summary)  # the points may be a choice of them
    if not found.summary:
        return f"No trial got to full epochs, so there is no error at any {found.name} yet."
    value, _, median, n = min(found.summary, key=lambda row: row[2])
    place = f"{found.name} {'' if found.categorical else 'about '}{shown(value)}"
    of = plural(completed, "completed trial")
    return f"Lowest median of completed trials {two_digits(median)} % at {place} (n = {n} of {of})."


def _value_axis(found: Slice) -> dict[str, Any]:
    if found.categorical:
        return axis(found.name, type="category", categoryarray=_categories(found), showgrid=False)
    if found.log:
        numbers = [point.value for point in found.points if not isinstance(point.value, str)]
        return log_axis(found.name, numbers)
    return axis(found.name)


def _categories(found: Slice) -> list[str]:
    values = {point.value for point in found.points}
    numbers = sorted(value for value in values if not isinstance(value, str))
    return [
        _place(value) for value in [*numbers, *sorted(value for value in values if isinstance(value, str))]
    ]


def _place(value: object) -> str:
    return plot_text(shown(value))


def _frame(points: tuple[SlicePoint, ...]) -> dict[str, Any]:
    """The range of the completed trials: those that were stopped early lie far above and say little."""
    errors = [point.val_error for point in points if point.completed]
    if not errors:
        return {}
    low, high = min(errors), max(errors)
    room = _ROOM * ((high - low) or 1.0)
    return {"range": [low - room, high + 3 * room]}


def _slice_traces(found: Slice, points: list[SlicePoint]) -> tuple[dict[str, Any], ...]:
    hover = "%{hovertext}<br>%{x}: %{y:.2f} % after %{customdata} epochs<extra></extra>"

    def scatter(chosen: list[SlicePoint], name: str, marker: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": [_place(point.value) if found.categorical else point.value for point in chosen],
            "y": [point.val_error for point in chosen],
            "trials": [point.trial for point in chosen],
            "customdata": [point.epochs for point in chosen],
            "hovertemplate": hover,
            "marker": marker,
        }

    middle = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "median",
        "x": [_place(row[0]) if found.categorical else row[0] for row in found.summary],
        "y": [row[2] for row in found.summary],
        "customdata": [[row[1], row[3]] for row in found.summary],
        "hovertemplate": "median %{y:.2f} %, lowest %{customdata[0]:.2f} %, n = %{customdata[1]}<extra></extra>",
        "line": {"color": "@ink", "width": 1.2},
        "marker": {"color": "@ink", "size": 13, "symbol": "line-ew-open"},
    }
    return (
        scatter(
            [point for point in points if not point.completed],
            "fewer epochs",
            {"color": "@pale", "size": 6, "symbol": "circle-open"},
        ),
        scatter(
            [point for point in points if point.completed],
            "full epochs",
            {"color": "@blue", "size": 7, "opacity": 0.8},
        ),
        middle,
    )


def _slice_table(found: Slice) -> Table:
    first = found.name if found.categorical else f"{found.name} (middle of the bin)"
    rows = [
        (shown(value), two_digits(low), two_digits(median), str(n)) for value, low, median, n in found.summary
    ]
    return Table((first, "lowest error (%)", "median error (%)", "n"), rows, note="Completed trials only.")
