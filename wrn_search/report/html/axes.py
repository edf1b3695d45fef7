"""Axes and the layout that all figures share: quiet lines, readable ticks, colours by their names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from wrn_search.report.html.markup import plot_text
from wrn_search.wording import short_count

_MOST_TICKS = 6
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


def log_axis(title: str, values: Iterable[float], **more: Any) -> dict[str, Any]:
    """A logarithmic axis with whole labels at 1, 2 and 5, or at 1 where they would crowd."""
    positive = [value for value in values if value > 0]
    ticks = log_ticks(min(positive), max(positive)) if positive else []
    return axis(
        title, type="log", tickvals=ticks, ticktext=[short_count(tick) for tick in ticks], tickangle=0, **more
    )


def log_ticks(low: float, high: float) -> list[float]:
    """Round values between `low` and `high` or a little outside, at most about ten."""
    if high < 4 * low:
        size = 10.0 ** math.floor(math.log10(high - low or high))
        sizes = (size / 5, size / 2, size, 2 * size, 5 * size)
        size = next(step for step in sizes if high - low <= (_MOST_TICKS - 2) * step)
        size = max(size, 10.0 ** (math.floor(math.log10(high)) - 2))  # labels have three digits
        return [size * place for place in range(math.floor(low / size), math.ceil(high / size) + 1) if place]
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        inside = [tick for tick in ticks if low / 1.3 <= tick <= high * 1.3]
        if len(inside) <= _MOST_TICKS:
            return inside
    return inside[:: 1 + len(inside) // _MOST_TICKS]
