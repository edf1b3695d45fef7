"""A diagram of floors, as `python -m tests.house` writes it for Mermaid, as SVG: Mermaid is loaded from a CDN."""

from __future__ import annotations

import re
from html import escape
from typing import Any

_FLOOR = re.compile(r'subgraph (\w+)\["([^"]*)"\]\n(.*?)\n  end', re.DOTALL)
_ARROW = re.compile(r'^  (\w+) -- "([^"]*)" --> (\w+)$', re.MULTILINE)
_WIDE, _HIGH, _SPACE, _BETWEEN = 116, 30, 40, 66  # pixels: a box, beside it, below it
_LEFT = 70  # where boxes begin; the floors' names stand before
_NEAR = 21  # a number stands so far from the box where its arrow begins
_PAGE = "var(--md-default-bg-color)"


def figure(source: str, *_: Any, **__: Any) -> str:
    """The SVG, and below it what each numbered arrow hands over (a format of pymdownx.superfences).

    Raises:
        ValueError: the text is another diagram than floors with boxes and arrows.
    """
    floors = [(name, boxes.split()) for _, name, boxes in _FLOOR.findall(source)]
    arrows = _ARROW.findall(source)
    boxes = {box: place for row, (_, names) in enumerate(floors) for box, place in _places(row, names)}
    unknown = {end for start, _, stop in arrows for end in (start, stop)} - boxes.keys()
    if not floors or unknown or source.count("-->") != len(arrows):
        raise ValueError(f"a diagram must be floors of boxes with arrows between them, but got {source!r}")
    width = max(x for x, _ in boxes.values()) + _WIDE + 40
    height = len(floors) * (_HIGH + _BETWEEN)
    drawn = [
        _arrow(number, boxes[start], boxes[stop], *_ends(number, arrows))
        for number, (start, _, stop) in enumerate(arrows, 1)
    ]
    parts = [_floor(row, name) for row, (name, _) in enumerate(floors)]
    parts += [line for line, _ in drawn] + [_box(box, *place) for box, place in boxes.items()]
    parts += [label for _, label in drawn]
    told = "".join(
        f"<li><code>{escape(start)}</code> &rarr; <code>{escape(stop)}</code>: {escape(what)}</li>"
        for start, what, stop in arrows
    )
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="rooms by floor" '
        'style="max-width:100%;height:auto;font:13px sans-serif" fill="currentColor" stroke="none">'
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 8 4 0 8z"/></marker></defs>{"".join(parts)}</svg><ol>{told}</ol>'
    )


def _places(row: int, names: list[str]) -> list[tuple[str, tuple[int, int]]]:
    y = 10 + row * (_HIGH + _BETWEEN)
    shift = (_WIDE + _SPACE) // 2 if row % 2 else 0  # so that arrows over a floor pass beside its boxes
    return [(name, (_LEFT + shift + column * (_WIDE + _SPACE), y)) for column, name in enumerate(names)]


def _ends(number: int, arrows: list[tuple[str, str, str]]) -> tuple[float, float]:
    """How far along its two boxes an arrow begins and ends, from 0 to 1: those of one box stand side by side."""

    def share(box: str) -> float:
        at = [place for place, (start, _, stop) in enumerate(arrows, 1) if box in (start, stop)]
        return (at.index(number) + 1) / (len(at) + 1)

    start, _, stop = arrows[number - 1]
    return share(start), share(stop)


def _floor(row: int, name: str) -> str:
    return f'<text x="0" y="{10 + row * (_HIGH + _BETWEEN) + 20}" opacity=".6">{escape(name)}</text>'


def _box(name: str, x: int, y: int) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="5" fill="{_PAGE}" stroke="currentColor"/>'
        f'<text x="{x + _WIDE / 2:g}" y="{y + 20}" text-anchor="middle">{escape(name)}</text>'
    )


def _arrow(
    number: int, start: tuple[int, int], stop: tuple[int, int], begins: float, ends: float
) -> tuple[str, str]:
    """A curve from a box to another, and its number near where it begins."""
    (x0, y0), (x1, y1) = start, stop
    x0, x1 = x0 + begins * _WIDE, x1 + ends * _WIDE
    down = y0 <= y1
    y0, y1 = (y0 + _HIGH, y1 + _HIGH * (y0 == y1)) if down else (y0, y1 + _HIGH)
    bend = max(40, abs(y1 - y0) / 2) * (1 if down else -1)
    upwards = bend if start[1] == stop[1] else -bend  # on one floor it comes back from where it left to
    curve = f"M{x0:.0f} {y0}C{x0:.0f} {y0 + bend:.0f} {x1:.0f} {y1 + upwards:.0f} {x1:.0f} {y1}"
    line = f'<path d="{curve}" fill="none" stroke="currentColor" opacity=".5" marker-end="url(#head)"/>'
    label = (
        f'<text x="{x0:.0f}" y="{y0 + _NEAR if down else y0 - _NEAR + 9}" text-anchor="middle" font-weight="bold" '
        f'paint-order="stroke" stroke="{_PAGE}" stroke-width="4">{number}</text>'
    )
    return line, label
