"""The learning curve of one trial as SVG, drawn here: its page needs no script to show it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from wrn_search.report.html.axes import linear_ticks, log_ticks
from wrn_search.report.html.markup import Html, element
from wrn_search.wording import short_count

_WIDTH, _HEIGHT = 760, 340  # of its coordinates
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 30, 44
_WIDE_SPREAD = 5.0  # the highest error over the lowest, from which on their axis is logarithmic

Curve = Sequence[tuple[int, float]]  # (epoch, error in percent)


def curve_svg(curves: Sequence[tuple[str, str, Curve]], epochs: int, drops: Sequence[int]) -> Html:
    """The curves on one pair of axes.

    Args:
        curves: (name, colour of the page's palette, points) each.
        epochs: of a full training.
        drops: epochs at which the learning rate drops.
    """
    errors = [error for _, _, curve in curves for _, error in curve if error > 0]
    low, high = (min(errors), max(errors)) if errors else (1.0, 100.0)
    high = high if high > low else low * 1.2 or 1.0
    is_log = high > _WIDE_SPREAD * low
    ticks = log_ticks(low, high) if is_log else linear_ticks(low, high)
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    scale = math.log if is_log else float

    def x(epoch: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * (epoch - 1) / max(1, epochs - 1), 1)

    def y(error: float) -> float:
        share = (scale(max(error, low)) - scale(low)) / (scale(high) - scale(low))
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share, 1)

    bottom = _HEIGHT - _BOTTOM
    parts: list[Html] = []
    for tick in ticks:
        at = y(tick)
        parts += [_line(_LEFT, at, _WIDTH - _RIGHT, at, "--grid")]
        parts += [_text(_LEFT - 8, at + 4, short_count(tick), "end")]
    for epoch in _epoch_ticks(epochs):
        parts += [_line(x(epoch), bottom, x(epoch), bottom + 4, "--axis")]
        parts += [_text(x(epoch), bottom + 18, str(epoch), "middle")]
    parts += [
        _line(x(drop), _TOP, x(drop), bottom, "--axis", dashed=True) for drop in drops if drop <= epochs
    ]
    parts += [_text(_WIDTH / 2, _HEIGHT - 4, "epoch", "middle"), _text(4, 14, "error (%)", "start")]
    for place, (name, colour, curve) in enumerate(curves):
        parts += _drawn(name, colour, [(x(epoch), y(error)) for epoch, error in curve], place)
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label="Learning curve of the trial",
        class_="curve",
    )


def _epoch_ticks(epochs: int) -> list[int]:
    if epochs <= 8:
        return list(range(1, epochs + 1))
    return sorted({max(1, round(tick)) for tick in linear_ticks(1, epochs) if tick <= epochs})


def _drawn(name: str, colour: str, points: Sequence[tuple[float, float]], place: int) -> list[Html]:
    style = f"stroke: var(--{colour}); fill: none; stroke-width: 2"
    line = " ".join(f"{left},{top}" for left, top in points)
    end = [
        element("circle", cx=left, cy=top, r=3, style=f"fill: var(--{colour})") for left, top in points[-1:]
    ]
    label = element(
        "text",
        name,
        x=_WIDTH - _RIGHT - 4,
        y=_TOP + 16 + 22 * place,
        text_anchor="end",
        style=f"fill: var(--{colour})",
    )
    return [element("polyline", points=line, style=style), *end, label]


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dashed: bool = False) -> Html:
    style = f"stroke: var({colour})" + ("; stroke-dasharray: 2 3" if dashed else "")
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, style=style)


def _text(x: float, y: float, text: str, anchor: str) -> Html:
    return element("text", text, x=x, y=y, text_anchor=anchor, style="fill: var(--muted)")
