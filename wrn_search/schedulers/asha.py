"""Scheduler `asha`: asynchronous successive halving. At each rung one configuration in `reduction_factor` goes on.

Li et al., ASHA (arXiv 1810.05934, algorithm 2). A configuration that is not among the best 1/eta of a rung waits there,
and goes on as soon as enough others have arrived that it is. With `promote: false` it ends instead, as Ray Tune's ASHA
does: then a good one that comes early, before others can show how good it is, is lost.

A first rung may stand so early that places there say little. Hyperband (Li et al., arXiv 1603.06560) hedges that by
brackets that begin at later rungs, each with one in eta as many configurations. Here `brackets: 2` and eta 3 let one
configuration in four pass over the first rung, and all are compared at the others.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import accumulate

from wrn_search.schedulers.error_of_guessing import at_chance, end_of_guessing
from wrn_search.schedulers.scheduler import Course, New, NothingWaits, Scheduler, SchedulerKind, Stop, Wait


@dataclass(frozen=True)
class _Place:
    """How a configuration stood when it arrived at a rung."""

    val_error: float  # percent
    better: int  # configurations that had lower errors there
    arrived: int  # configurations that were there, itself too


@dataclass
class _Arrivals:
    """Successive halving's memory: who has arrived at which rung.

    Its place among those before it is found at its arrival, in a sorted list, and remembered: a record that is fed
    again decides alike, and a search of 100,000 configurations does not look through as many errors for each decision.
    """

    rungs: tuple[int, ...]
    reduction_factor: int
    chance_error: float | None  # percent; None lets those at chance go on
    validation_images: int
    compared: str = "trials"  # what configurations are called in reasons: with one repeat they are trials
    brackets: int = 1  # configurations of later ones pass over first rungs, but never over the last
    where: str = ""  # of a bracket, in reasons
    _rising: dict[int, list[float]] = field(default_factory=dict)  # rung -> errors of those that arrived
    _places: dict[int, dict[int, _Place]] = field(default_factory=dict)  # rung -> configuration

    def observe(self, configuration: int, epoch: int, val_error: float) -> None:
        """Remembers the first report of a configuration at a rung that its bracket has."""
        bracket = bracket_of(configuration, self.brackets, self.reduction_factor)
        if epoch not in self.rungs[min(bracket, len(self.rungs) - 1) :]:
            return
        places = self._places.setdefault(epoch, {})
        if configuration not in places:
            rising = self._rising.setdefault(epoch, [])
            better = bisect_left(rising, val_error)
            rising.insert(better, val_error)
            places[configuration] = _Place(val_error, better, len(rising))
            self._arrived(configuration, epoch, places[configuration])

    def _arrived(self, configuration: int, epoch: int, place: _Place) -> None:
        """It has its place at the rung."""

    def _place(self, configuration: int, epoch: int) -> _Place | None:
        return self._places.get(epoch, {}).get(configuration)

    def _is_at_chance(self, val_error: float) -> bool:
        if self.chance_error is None:
            return False
        return at_chance(val_error, self.chance_error, self.validation_images)

    def _in_words(self, better: int, arrived: int) -> str:
        return f"{better} of {arrived} {self.compared}{self.where} at this rung were better"


class Asha(_Arrivals, NothingWaits):
    """The form that stops: decided for each configuration when it arrives at a rung, once and for all."""

    def decide(self, configuration: int, epoch: int) -> Stop | None:
        """By the values that had reached the rung when this one did, so that a replay decides alike."""
        place = self._place(configuration, epoch)
        if place is None:
            return None
        if self._is_at_chance(place.val_error):
            return end_of_guessing(epoch, place.val_error)
        if goes_on(place.better, place.arrived, self.reduction_factor):
            return None
        return Stop(epoch, self._in_words(place.better, place.arrived))


@dataclass
class PromotingAsha(_Arrivals):
    """The form that is published: a configuration that does not go on waits, and is taken up when its place allows it.

    At its arrival it goes on at once where it is among the best 1/eta, so that its process need not be left; the paper
    would let one that waits at a higher rung go first. Both go on, in another order.
    """

    _gone_on: dict[int, set[int]] = field(default_factory=dict)  # rung -> configurations
    _waiting: dict[int, list[tuple[float, int]]] = field(
        default_factory=dict
    )  # rung -> heap of (error, configuration)

    def _arrived(self, configuration: int, epoch: int, place: _Place) -> None:
        if self._is_at_chance(place.val_error):
            return
        if place.better < place.arrived // self.reduction_factor:
            self.goes_on(configuration, epoch)
        else:
            heappush(self._waiting.setdefault(epoch, []), (place.val_error, configuration))

    def decide(self, configuration: int, epoch: int) -> Stop | Wait | None:
        """Whether it waits; one at chance ends."""
        place = self._place(configuration, epoch)
        if place is None or configuration in self._gone_on.get(epoch, ()):
            return None
        if self._is_at_chance(place.val_error):
            return end_of_guessing(epoch, place.val_error)
        return Wait(epoch, self._in_words(place.better, place.arrived))

    def goes_on(self, configuration: int, epoch: int) -> None:
        """It counts as one of those that the rung has let go on."""
        self._gone_on.setdefault(epoch, set()).add(configuration)

    def next_to_take_up(
        self, waiting: Mapping[int, int], at_least: int, new: New | None = None
    ) -> int | None:
        """The best one that waits at the highest rung where it is among the best 1/eta."""
        for rung in reversed(self.rungs):
            arrived = len(self._rising.get(rung, ()))
            may = max(arrived // self.reduction_factor, at_least)
            best = self._best_waiting(rung, waiting)
            if best is not None and bisect_left(self._rising[rung], best[0]) < may:
                return best[1]
        return None

    def left_behind(self, configuration: int, epoch: int) -> Stop:
        """By all that had arrived when the search was over."""
        place, rising = self._places[epoch][configuration], self._rising[epoch]
        return Stop(epoch, self._in_words(bisect_left(rising, place.val_error), len(rising)))

    def _best_waiting(self, rung: int, waiting: Mapping[int, int]) -> tuple[float, int] | None:
        """Drops from the heap those that wait there no longer."""
        heap = self._waiting.get(rung, [])
        while heap and waiting.get(heap[0][1]) != rung:
            heappop(heap)
        return heap[0] if heap else None


def bracket_of(configuration: int, brackets: int, reduction_factor: int) -> int:
    """Which bracket a configuration is in, from 0: each has `reduction_factor` times as many as the next one."""
    sizes = [reduction_factor**left for left in reversed(range(brackets))]
    ends = list(accumulate(sizes))
    return bisect_right(ends, configuration % ends[-1])


def goes_on(better: int, arrived: int, reduction_factor: int) -> bool:
    """Whether one goes on of which `better` were better of all that have `arrived` at the rung, its own place counted.

    One in `reduction_factor` goes on, at least one; a tie with the last that goes on goes on too.
    """
    return better < max(1, arrived // reduction_factor)


def asha_of(course: Course, *, rungs: tuple[int, ...] | None = None, where: str = "") -> Scheduler:
    """The form that a search asks for.

    Args:
        course: of the search.
        rungs: of a bracket; None is all.
        where: the bracket, in reasons: ` of bracket 2`.
    """
    chance = course.chance_error if course.rungs_follow_schedule else None
    form = PromotingAsha if course.promote else Asha
    own = rungs is None  # asha's; those of hyperband's brackets are given
    images, brackets = course.validation_images, (course.brackets or 1) if own else 1
    at = course.rungs if rungs is None else rungs
    return form(at, course.reduction_factor, chance, images, course.compared, brackets, where)


ASHA = SchedulerKind(asha_of, lets_wait=True, own_keys=frozenset({"brackets"}))
