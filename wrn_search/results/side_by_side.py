"""Who trained beside whom, and since when: a fold over starts, reports and ends of one session. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class SideBySide:
    """The trials that train now, and for each all that trained at some moment since its last report."""

    _since: dict[int, float] = field(
        default_factory=dict
    )  # trial -> Unix seconds of its start or last report
    _others: dict[int, set[int]] = field(default_factory=dict)

    def started(self, number: int, time: float) -> None:
        """A trial begins to train, for the first time or again."""
        for other in self._since.keys() - {number}:
            self._others[other].add(number)
        self._begin(number, time)

    def reported(self, number: int, time: float) -> None:
        """A trial has completed an epoch and begins the next."""
        if number in self._since:  # else a late report of one that has ended
            self._begin(number, time)

    def left(self, number: int) -> None:
        """A trial trains no longer."""
        self._since.pop(number, None)
        self._others.pop(number, None)

    def beside(self, number: int, began: float) -> frozenset[int] | None:
        """Who trained at some moment of an epoch that is reported now; None if it `began` before it was watched."""
        if number not in self._since or began < self._since[number]:
            return None
        return frozenset(self._others[number])

    def _begin(self, number: int, time: float) -> None:
        self._since[number] = time
        self._others[number] = set(self._since) - {number}
