"""The figure of two regularisers at once: a contour of the expected error, the network held fixed."""

from __future__ import annotations

import math
from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.curve_model.model_values import EffectPlane
from wrn_search.report.depth_width_map import colour_bar
from wrn_search.report.html.axes import axis, layout, log_axis
from wrn_search.report.html.figure import Figure, Table
from wrn_search.report.html.markup import plot_text
from wrn_search.wording import plural, rounded, short_count, two_significant

_EVERY = 4  # of the plane's values in the table
_ROOM = 0.02  # of an axis


def plane_figure(findings: Findings) -> Figure | None:
    """The plane that the model tells; None where it tells none."""
    plane = findings.model.plane
    if plane is None:
        return None
    ended = sum(point.ended for point in plane.trials)
    when = "at full epochs" if findings.model.at_end else f"after epoch {findings.model.epoch}"
    reading = (
        f"Colour: expected validation error {when}, for {rounded(plane.at) or 'the network'}. Dashed: where what is "
        f"told from the lowest begins (95 %). Dots: {plural(len(plane.trials), 'trial')} at their own values, full: "
        f"{ended} measured, hollow: predicted; where none lies near, the model alone speaks."
    )
    return Figure(
        key="plane",
        title=f"{plane.x} and {plane.y} together, adjusted for the network",
        result=_result(plane),
        reading=reading,
        table=_table(plane),
        traces=tuple(_traces(plane)),
        layout=layout(
            _axis(plane.x, plane.x_values, log=plane.x_log),
            _axis(plane.y, plane.y_values, log=plane.y_log),
            showlegend=False,
        ),
        height=420,
        wide=True,
    )


def _result(plane: EffectPlane) -> str:
    lowest, row, column = min(
        (error, row, column) for row, line in enumerate(plane.errors) for column, error in enumerate(line)
    )
    low, high = two_significant(plane.lows[row][column]), two_significant(plane.highs[row][column])
    places = [above <= 0 for line in plane.above for above in line]
    share = 100 * sum(places) / len(places)
    where = (
        f"{plane.x} {short_count(plane.x_values[column])} and {plane.y} {short_count(plane.y_values[row])}"
    )
    told = f"Lowest expected at {where}: {two_significant(lowest)} % ({low} to {high})"
    if all(places):
        return f"{told}; nowhere among the values tried is the error told from that."
    return f"{told}; {share:.0f} % of the plane cannot be told from that."


def _axis(name: str, values: tuple[float, ...], *, log: bool) -> dict[str, Any]:
    """As long as the plane, with room for the dots at its edge."""
    ends = [math.log10(values[0]), math.log10(values[-1])] if log else [values[0], values[-1]]
    room = _ROOM * (ends[1] - ends[0])
    span = {"range": [ends[0] - room, ends[1] + room]}
    return log_axis(name, values, **span) if log else axis(name, **span)


def _traces(plane: EffectPlane) -> list[dict[str, Any]]:
    errors = [error for line in plane.errors for error in line]
    hover = [
        [
            f"{two_significant(error)} % ({two_significant(low)} to {two_significant(high)})"
            for error, low, high in zip(*lines, strict=True)
        ]
        for lines in zip(plane.errors, plane.lows, plane.highs, strict=True)
    ]
    grid = {"x": plane.x_values, "y": plane.y_values}
    names = f"{plot_text(plane.x)} %{{x:.3g}}, {plot_text(plane.y)} %{{y:.3g}}"
    surface = {
        "type": "contour",
        **grid,
        "z": plane.errors,
        "text": hover,
        "colorscale": "@map",
        "ncontours": 12,
        "line": {"width": 0.5, "color": "@axis"},
        "hovertemplate": f"{names}<br>%{{text}}<extra></extra>",
        **colour_bar(errors, "%"),
    }
    edge = {
        "type": "contour",
        **grid,
        "z": plane.above,
        "contours": {"start": 0, "end": 0, "size": 1, "coloring": "none"},
        "line": {"width": 2, "color": "@ink", "dash": "dash"},
        "hoverinfo": "skip",
        "showscale": False,
    }
    return [surface, edge, *_dots(plane)]


def _dots(plane: EffectPlane) -> list[dict[str, Any]]:
    """The trials, those with an end full."""
    looks = ((False, {"symbol": "circle-open", "line": {"width": 1.5}}), (True, {"symbol": "circle"}))
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [point.x for point in plane.trials if point.ended is ended],
            "y": [point.y for point in plane.trials if point.ended is ended],
            "trials": [point.trial for point in plane.trials if point.ended is ended],
            "customdata": [point.error for point in plane.trials if point.ended is ended],
            "hovertemplate": "%{hovertext}<br>moved to this network: %{customdata:.2f} %<extra></extra>",
            "marker": {"size": 6, "color": "@orange", **look},
        }
        for ended, look in looks
        if any(point.ended is ended for point in plane.trials)
    ]


def _table(plane: EffectPlane) -> Table:
    rows = [
        (
            short_count(right),
            short_count(up),
            two_significant(plane.errors[row][column]),
            f"{two_significant(plane.lows[row][column])} to {two_significant(plane.highs[row][column])}",
            "yes" if plane.above[row][column] > 0 else "no",
        )
        for row, up in list(enumerate(plane.y_values))[::_EVERY]
        for column, right in list(enumerate(plane.x_values))[::_EVERY]
    ]
    head = (plane.x, plane.y, "expected error (%)", "95 % interval", "told from the lowest")
    return Table(head, rows, text_columns=0, note=f"Every {_EVERY}th value of each.")
