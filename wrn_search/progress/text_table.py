"""Text in columns of a fixed width: what does not fit is left out or shortened, never wrapped."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_GAP = 2
_LEAST = 12  # characters of a column that gives way


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    title: str
    worth: int = 9  # the least worth is left out first, where there is no room for all
    right: bool = False  # numbers stand at the right
    gives_way: bool = False  # it is shortened where that makes room


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """The titles and the rows as lines of at most `width` columns."""
    kept = list(range(len(columns)))
    widths = [
        max(cells(columns[place].title), *(cells(row[place]) for row in rows), 0)
        if rows
        else cells(columns[place].title)
        for place in kept
    ]
    while len(kept) > 1:
        least = sum(
            min(widths[place], _LEAST) if columns[place].gives_way else widths[place] for place in kept
        )
        if least + _GAP * (len(kept) - 1) <= width:
            break
        kept.remove(min(kept, key=lambda place: columns[place].worth))
    others = sum(widths[place] for place in kept if not columns[place].gives_way) + _GAP * (len(kept) - 1)
    for place in kept:
        if columns[place].gives_way:
            widths[place] = max(1, min(widths[place], width - others))
    lines = []
    for row in ([each.title for each in columns], *rows):
        parts = [_filled(row[place], widths[place], columns[place].right) for place in kept]
        lines.append(clipped((" " * _GAP).join(parts).rstrip(), width))
    return lines


def _filled(text: str, width: int, right: bool) -> str:
    text = clipped(text, width)
    space = " " * (width - cells(text))
    return space + text if right else text + space


def clipped(text: str, width: int) -> str:
    """Text in at most so many columns of a terminal; `...` stands for what is cut off."""
    if cells(text) <= width:
        return text
    dots = "..." if width > 6 else ""
    room, taken = width - len(dots), 0
    for place, sign in enumerate(text):
        taken += cells(sign)
        if taken > room:
            return text[:place] + dots
    return text


def cells(text: str) -> int:
    """Columns of a terminal that text takes: signs of East Asia take two."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )
