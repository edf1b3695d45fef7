"""Who trained beside whom, and since when: a fold over starts, reports and ends of one session. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class SideBySide:
    """The trials that train now, and those that left: who trained beside whom follows when it is asked.

    Sets kept for each trial would grow with the square of the trials at once, and be made anew at each report.
    """

    # trial that trains -> Unix seconds of its start or last report, and how many had left by then
    _since: dict[int, tuple[float, int]] = field(default_factory=dict)
    _left: list[tuple[float, int]] = field(default_factory=list)  # (Unix seconds, trial) of each that left

    def started(self, number: int, time: float) -> None:
        """A trial begins to train, for the first time or again."""
        self._since[number] = (time, len(self._left))

    def reported(self, number: int, time: float) -> None:
        """A trial has completed an epoch, then, and began the next; some may have left since, of those told by now."""
        if number in self._since:  # else a late report of one that has ended
            all_by_then = not self._left or self._left[-1][0] <= time  # mostly: nobody is looked for
            left = len(self._left) if all_by_then else bisect_right(self._left, (time, math.inf))
            self._since[number] = (time, left)

    def left(self, number: int, time: float) -> None:
        """A trial trains no longer; they leave in the order of time."""
        if self._since.pop(number, None) is not None:
            self._left.append((time, number))

    def beside(self, number: int, began: float) -> Iterator[int] | None:
        """Who trained at some moment of an epoch that is reported now; None if it `began` before it was watched.

        One that left and came again may be named twice.
        """
        if number not in self._since or began < self._since[number][0]:
            return None
        return self._others(number)

    def _others(self, number: int) -> Iterator[int]:
        yield from (other for other in self._since if other != number)
        yield from (other for _, other in self._left[self._since[number][1] :] if other != number)
