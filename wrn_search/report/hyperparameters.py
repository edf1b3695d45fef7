"""Figures of single hyperparameters: slices of the error, and the importance of each."""

from __future__ import annotations

from typing import Any

from wrn_search.analysis.details import Importance, Slice, SlicePoint
from wrn_search.analysis.findings import Findings
from wrn_search.report.axes import axis, layout, log_axis
from wrn_search.report.figure import Figure, Table, thinned, thinning
from wrn_search.report.markup import plot_text
from wrn_search.report.wording import percent, plural, sentences_of, shown

_ROOM = 0.08  # of the errors' range above and below


def slices(findings: Findings) -> list[Figure]:
    """One figure a searched hyperparameter."""
    return [_slice(findings, each) for each in findings.slices]


def importance(findings: Findings) -> Figure:
    """Shares of the variance of the error that each hyperparameter explains alone."""
    found = findings.importance
    names = list(found.shares)
    rows = [(name, f"{share:.4f}") for name, share in found.shares.items()]
    uncounted = plural(found.others, "trial")
    left_out = f" {uncounted} without an error at full epochs could not be counted." if found.others else ""
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": [plot_text(name) for name in names[::-1]],
        "x": [found.shares[name] for name in names[::-1]],
        "text": [f"{100 * found.shares[name]:.1f} %" for name in names[::-1]],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": "@blue"},
        "hoverinfo": "skip",
    }
    return Figure(
        key="importance",
        title="Importance of each hyperparameter",
        result=_importance_result(found),
        reading="Share of the variance that each explains alone, fANOVA over a forest fitted to the completed trials; "
        f"it says where this search saw errors differ, not why.{left_out}",
        table=Table(("hyperparameter", "share"), rows) if names else None,
        traces=(trace,) if names else (),
        layout=layout(
            axis(
                "share of the variance",
                tickformat=".0%",
                range=[0, 1.2 * max([0.01, *found.shares.values()])],
            ),
            axis("", type="category", showgrid=False, ticks=""),
        ),
        height=90 + 34 * max(2, len(names)),
        wide=len(findings.slices) % 2 == 0,  # else it stands beside the last slice
    )


def _importance_result(found: Importance) -> str:
    if not found.shares:
        return sentences_of("importance cannot be told", found.warning)
    told = ", ".join(f"{name} {100 * share:.0f} %" for name, share in list(found.shares.items())[:3])
    variance = f"of the variance of the error at full epochs: {told} (n = {plural(found.n, 'trial')})"
    return sentences_of(variance, found.warning)


def _slice(findings: Findings, found: Slice) -> Figure:
    drawn = thinned(range(len(found.points)), [False] * len(found.points))
    points = [found.points[place] for place in drawn]
    left_out = f" {plural(found.left_out, 'trial')} without any epoch not shown." if found.left_out else ""
    return Figure(
        key=f"slice-{found.name}".replace("_", "-"),
        title=f"Error against {found.name}",
        result=_slice_result(found),
        reading="Blue: trials at full epochs; pale: trials with fewer, at their last error, not comparable with "
        "them and perhaps above the frame. Line: median of completed trials by value or bin. Each point has other "
        f"values of all other hyperparameters too.{left_out}{thinning(len(drawn), len(found.points))}",
        table=_slice_table(found) if found.summary else None,
        traces=_slice_traces(found, points) if points else (),
        layout=layout(_value_axis(found), axis("validation error (%)", **_frame(found.points))),
        height=360,
    )


def _slice_result(found: Slice) -> str:
    completed = sum(point.completed for point in found.points)
    if not found.summary:
        return f"No trial got to full epochs, so there is no error at any {found.name} yet."
    value, _, median, n = min(found.summary, key=lambda row: row[2])
    place = f"{found.name} {'' if found.categorical else 'about '}{shown(value)}"
    of = plural(completed, "completed trial")
    return f"Lowest median of completed trials {percent(median)} % at {place} (n = {n} of {of})."


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
    rows = [(shown(value), percent(low), percent(median), str(n)) for value, low, median, n in found.summary]
    return Table((first, "lowest error (%)", "median error (%)", "n"), rows, note="Completed trials only.")
