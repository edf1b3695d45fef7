"""The order of the configurations that have arrived at a rung: by their errors, or by non-dominated ranks."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Protocol

from wrn_search.objectives.dominance import Key, Values, comparable, order_of_outcomes
from wrn_search.schedulers.scheduler import Costs


class OrderAtRung(Protocol):
    """Who has arrived, and who of them waits; the best first."""

    arrived: int  # configurations

    def arrives(self, configuration: int, val_error: float, costs: Costs) -> None:
        """One more, once."""

    def better_than(self, configuration: int) -> int:
        """How many stand before one that has arrived; equal ones do not."""

    def waits(self, configuration: int) -> None:
        """One that has arrived waits until it may go on."""

    def best_waiting(self, is_there: Callable[[int], bool]) -> int | None:
        """The first of those that wait, of equal ones the earlier; who is not there now is passed over."""


@dataclass
class ByError:
    """One objective: a sorted list, so that each arrival costs little, and those that wait in a heap."""

    arrived: int = 0
    _rising: list[float] = field(default_factory=list)
    _errors: dict[int, float] = field(default_factory=dict)
    _waiting: list[tuple[float, int]] = field(default_factory=list)  # heap of (error, configuration)

    def arrives(self, configuration: int, val_error: float, costs: Costs) -> None:
        """Sorted in."""
        self._errors[configuration] = val_error
        insort(self._rising, val_error)
        self.arrived += 1

    def better_than(self, configuration: int) -> int:
        """By their errors."""
        return bisect_left(self._rising, self._errors[configuration])

    def waits(self, configuration: int) -> None:
        """Into the heap."""
        heappush(self._waiting, (self._errors[configuration], configuration))

    def best_waiting(self, is_there: Callable[[int], bool]) -> int | None:
        """Those that wait no longer are dropped for good."""
        while self._waiting and not is_there(self._waiting[0][1]):
            heappop(self._waiting)
        return self._waiting[0][1] if self._waiting else None


@dataclass
class ByRank:
    """Several objectives: by front and, within one, by crowding distance. Each arrival may change all ranks.

    Args:
        chance_error: percent; who has it is behind all others.
    """

    chance_error: float
    arrived: int = 0
    _outcomes: dict[int, Values] = field(default_factory=dict)
    _keys: dict[int, Key] = field(default_factory=dict)
    _rising: list[Key] = field(default_factory=list)
    _waiting: set[int] = field(default_factory=set)

    def arrives(self, configuration: int, val_error: float, costs: Costs) -> None:
        """All are ranked anew."""
        self._outcomes[configuration] = comparable(val_error, costs, self.chance_error)
        keys = order_of_outcomes(list(self._outcomes.values()))
        self._keys, self._rising = dict(zip(self._outcomes, keys, strict=True)), sorted(keys)
        self.arrived += 1

    def better_than(self, configuration: int) -> int:
        """By what is known now."""
        return bisect_left(self._rising, self._keys[configuration])

    def waits(self, configuration: int) -> None:
        """It is one of them."""
        self._waiting.add(configuration)

    def best_waiting(self, is_there: Callable[[int], bool]) -> int | None:
        """By what is known now."""
        self._waiting = {each for each in self._waiting if is_there(each)}
        return min(self._waiting, key=lambda each: (self._keys[each], each), default=None)
