"""Axes and the layout that all figures share: quiet lines, readable ticks, colours by their names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from wrn_search.report.html.markup import plot_text
from wrn_search.wording import short_count

_MOST_TICKS = 6
_ROOM = 0.03  # of an axis, beyond its outermost ticks
_SAME = 1 + 1e-9  # within rounding
LEGEND: dict[str, Any] = {
    "orientation": "h",
    "x": 0,
    "y": 1.02,
    "xanchor": "left",
    "yanchor": "bottom",
    "font": {"size": 12},
}  # above the plot


def layout(x: dict[str, Any], y: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What all figures share, with their axes."""
    return {
        "font": {
            "family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
            "size": 13,
            "color": "@ink",
        },
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 58, "r": 16, "t": 12, "b": 48},
        "hovermode": "closest",
        "uirevision": "stays",  # a figure that is drawn anew is looked at where it was
        "hoverlabel": {
            "bgcolor": "@page",
            "bordercolor": "@axis",
            "font": {"color": "@ink", "size": 12},
            "align": "left",
        },
        "legend": LEGEND,
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "@axis", "activecolor": "@ink"},
        "xaxis": x,
        "yaxis": y,
        **more,
    }


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with a title and quiet lines."""
    return {
        "title": {"text": plot_text(title), "standoff": 8, "font": {"size": 13}},
        "automargin": True,
        "gridcolor": "@grid",
        "linecolor": "@axis",
        "tickcolor": "@axis",
        "ticks": "outside",
        "ticklen": 4,
        "showline": True,
        "zeroline": False,
        **more,
    }


def error_bars(errors: Sequence[float], reaches: Sequence[float | None]) -> dict[str, Any]:
    """A trace's bars, half of an interval each and none below 0; none where none is known."""
    if not any(reaches):
        return {}
    above = [reach or 0.0 for reach in reaches]
    below = [min(error, reach) for error, reach in zip(errors, above, strict=True)]
    bars = {
        "type": "data",
        "symmetric": False,
        "array": above,
        "arrayminus": below,
        "thickness": 1,
        "width": 2,
    }
    return {"error_y": bars}


def errors_on_lines(
    name: str, errors: Sequence[Sequence[float]], labels: Sequence[str], marker: dict[str, Any]
) -> dict[str, Any]:
    """One series of points: the errors, in percent, of each network on the line of its label."""
    pairs = [(error, label) for values, label in zip(errors, labels, strict=True) for error in values]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [error for error, _ in pairs],
        "y": [label for _, label in pairs],
        "marker": marker,
        "hovertemplate": f"%{{y}}<br>{name}: %{{x:.2f}} %<extra></extra>",
    }


def log_axis(title: str, values: Iterable[float], **more: Any) -> dict[str, Any]:
    """A logarithmic axis with whole labels at 1, 2 and 5, or at 1 where they would crowd; no value lies beyond them."""
    positive = [value for value in values if value > 0]
    ticks = log_ticks(min(positive), max(positive)) if positive else []
    if ticks:
        ends = math.log10(ticks[0]), math.log10(ticks[-1])
        room = _ROOM * ((ends[1] - ends[0]) or 1.0)
        more = {"range": [ends[0] - room, ends[1] + room], **more}
    return axis(
        title, type="log", tickvals=ticks, ticktext=[short_count(tick) for tick in ticks], tickangle=0, **more
    )


def log_floor(values: Iterable[float]) -> float | None:
    """Where a logarithm can draw a value of 0: at half of the lowest above it; None if there is none."""
    lowest = min((value for value in values if value > 0), default=None)
    return None if lowest is None else lowest / 2


def linear_ticks(low: float, high: float) -> list[float]:
    """Round values from `low` to `high` or one step outside, at most about six inside."""
    size = 10.0 ** math.floor(math.log10(high - low))
    steps = (size / 5, size / 2, size, 2 * size, 5 * size)
    step = next(each for each in steps if high - low <= _MOST_TICKS * each)
    # a product of a round step and a whole number, such as 3 * 0.1, is told with the digits of the step
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [
        round(step * place, digits) for place in range(math.floor(low / step), math.ceil(high / step) + 1)
    ]


def log_ticks(low: float, high: float) -> list[float]:
    """Round values, at most about eight, the first at or below `low` and the last at or above `high`."""
    if high < 4 * low:
        size = 10.0 ** math.floor(math.log10(high - low or high))
        sizes = (size / 5, size / 2, size, 2 * size, 5 * size)
        size = next(step for step in sizes if high - low <= (_MOST_TICKS - 2) * step)
        size = max(size, 10.0 ** (math.floor(math.log10(high)) - 2))  # labels have three digits
        if low >= size:  # a logarithm has no place for 0
            return [size * place for place in range(math.floor(low / size), math.ceil(high / size) + 1)]
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        around = _around([step * 10.0**decade for decade in decades for step in steps], low, high)
        if len(around) <= _MOST_TICKS + 1:
            return around
    every = 1 + len(around) // _MOST_TICKS
    return [10.0**power for power in range(decades[0], decades[-1] + every, every)]


def _around(ticks: Sequence[float], low: float, high: float) -> list[float]:
    """Of rising ticks those between `low` and `high`, and the next on either side."""
    first = max(place for place, tick in enumerate(ticks) if tick <= low * _SAME)
    last = min(place for place, tick in enumerate(ticks) if tick >= high / _SAME)
    return list(ticks[first : last + 1])
