"""The trials that wait for a place, and which of them may have the next one. Pure, without Ray."""

from __future__ import annotations

from dataclasses import dataclass, field

# A trial that waits for a larger share than is free lets so many smaller ones pass; then a GPU empties for it.
OVERTAKEN_AT_MOST = 8
# While fewer wait for want of room, one more is proposed: it may be small enough to train meanwhile.
MOST_WAITING = 4
# A search that learns nothing sees its end when so many trials are left for each that trains at once.
TRIALS_IN_SIGHT = 4


@dataclass
class WaitingTrials:
    """First come, first served, but for what is said above; with `longest_first` by predicted cost."""

    longest_first: bool = False
    _costs: dict[int, float] = field(default_factory=dict)  # of each trial, in the order of arrival
    _overtaken: dict[int, int] = field(default_factory=dict)

    def append(self, number: int, cost: float = 0.0) -> None:
        """A trial waits from now on; `cost` is in multiply-adds, or in any one unit."""
        self._costs[number] = cost

    def remove(self, number: int) -> None:
        """It waits no longer; the first one has been overtaken if it was another."""
        first = self.in_order()[0]
        del self._costs[number]
        self._overtaken.pop(number, None)
        if number != first:
            self._overtaken[first] = self._overtaken.get(first, 0) + 1

    def in_order(self) -> list[int]:
        """Who may have a place, in this order."""
        numbers = list(self._costs)
        if self.longest_first:
            numbers.sort(key=lambda number: -self._costs[number])
        patient = [number for number in numbers if self._overtaken.get(number, 0) >= OVERTAKEN_AT_MOST]
        return patient[:1] or numbers

    @property
    def numbers(self) -> tuple[int, ...]:
        """All that wait, in the order of arrival."""
        return tuple(self._costs)

    def __len__(self) -> int:
        return len(self._costs)
