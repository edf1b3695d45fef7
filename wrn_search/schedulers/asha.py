"""Scheduler `asha`: asynchronous successive halving. At each rung one configuration in `reduction_factor` goes on.

Li et al., ASHA (arXiv 1810.05934, algorithm 2). A configuration that is not among the best 1/eta of a rung waits there,
and goes on as soon as enough others have arrived that it is. With `promote: false` it ends instead, as Ray Tune's ASHA
does: then a good one that comes early, before others can show how good it is, is lost.

A first rung may stand so early that places there say little. Hyperband (Li et al., arXiv 1603.06560) hedges that by
brackets that begin at later rungs, each with one in eta as many configurations. Here `brackets: 2` and eta 3 let one
configuration in four pass over the first rung, and all are compared at the others.

Where places at rungs are seen not to last, ever more go on (`places_that_last.py`).

With several objectives a place at a rung is one by non-dominated rank (Schmucker et al., multi-objective ASHA, arXiv
2106.12639), in a front by crowding distance as in NSGA-II (`objectives/dominance.py`).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate

from wrn_search.schedulers.error_of_guessing import at_chance, end_of_guessing
from wrn_search.schedulers.order_at_rung import ByError, ByRank, OrderAtRung
from wrn_search.schedulers.places_that_last import PlacesThatLast
from wrn_search.schedulers.scheduler import (
    Costs,
    Course,
    New,
    NothingWaits,
    Scheduler,
    SchedulerKind,
    Stop,
    Wait,
)


@dataclass(frozen=True)
class _Place:
    """How a configuration stood when it arrived at a rung."""

    val_error: float  # percent
    better: int  # configurations that stood before it there
    arrived: int  # configurations that were there, itself too


@dataclass
class _Arrivals:
    """Successive halving's memory: who has arrived at which rung.

    Its place among those before it is found at its arrival, and remembered: a record that is fed again decides alike,
    and a search of 100,000 configurations does not look through as many errors for each decision.
    """

    rungs: tuple[int, ...]
    reduction_factor: int
    chance_error: float | None  # percent; None lets those at chance go on
    validation_images: int
    compared: str = "trials"  # what configurations are called in reasons: with one repeat they are trials
    brackets: int = 1  # configurations of later ones pass over first rungs, but never over the last
    where: str = ""  # of a bracket, in reasons
    new_order: Callable[[], OrderAtRung] = ByError
    were_better: str = "were better"  # in reasons
    _orders: dict[int, OrderAtRung] = field(default_factory=dict)  # by rung
    _places: dict[int, dict[int, _Place]] = field(default_factory=dict)  # rung -> configuration

    def observe(self, configuration: int, epoch: int, val_error: float, costs: Costs = ()) -> None:
        """Remembers the first report of a configuration at a rung that its bracket has."""
        bracket = bracket_of(configuration, self.brackets, self.reduction_factor)
        if epoch not in self.rungs[min(bracket, len(self.rungs) - 1) :]:
            return
        places = self._places.setdefault(epoch, {})
        if configuration not in places:
            order = self._orders.setdefault(epoch, self.new_order())
            # Who is still guessing ends here, and is ahead of nobody however small it is.
            order.arrives(configuration, math.inf if self._is_at_chance(val_error) else val_error, costs)
            places[configuration] = _Place(val_error, order.better_than(configuration), order.arrived)
            self._arrived(configuration, epoch, places[configuration])

    def _arrived(self, configuration: int, epoch: int, place: _Place) -> None:
        """It has its place at the rung."""

    def _place(self, configuration: int, epoch: int) -> _Place | None:
        places = self._places.get(epoch)
        return None if places is None else places.get(configuration)

    def _is_at_chance(self, val_error: float) -> bool:
        if self.chance_error is None:
            return False
        return at_chance(val_error, self.chance_error, self.validation_images)

    def _in_words(self, better: int, arrived: int) -> str:
        return f"{better} of {arrived} {self.compared}{self.where} at this rung {self.were_better}"


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

    places_that_last: PlacesThatLast | None = None  # None: a rung is believed whatever is seen
    _gone_on: dict[int, set[int]] = field(default_factory=dict)  # rung -> configurations

    def observe(self, configuration: int, epoch: int, val_error: float, costs: Costs = ()) -> None:
        """Also whether places at rungs last."""
        lasting = self.places_that_last
        if lasting is not None and epoch in lasting.levels and not self._is_at_chance(val_error):
            lasting.observe(configuration, epoch, val_error)
        if epoch in self.rungs:  # few reports are: the others cost no more than this
            super().observe(configuration, epoch, val_error, costs)

    def _may_go_on(self, arrived: int) -> int:
        """How many of those that have arrived at a rung."""
        if self.places_that_last is None:
            return arrived // self.reduction_factor
        return int(arrived / self.places_that_last.one_in(self.reduction_factor))

    def _arrived(self, configuration: int, epoch: int, place: _Place) -> None:
        if self._is_at_chance(place.val_error):
            return
        if place.better < self._may_go_on(place.arrived):
            self.goes_on(configuration, epoch)
        else:
            self._orders[epoch].waits(configuration)

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
            if (order := self._orders.get(rung)) is None:
                continue

            def is_there(configuration: int, rung: int = rung) -> bool:
                return waiting.get(configuration) == rung

            best = order.best_waiting(is_there)
            if best is not None and order.better_than(best) < max(self._may_go_on(order.arrived), at_least):
                return best
        return None

    def left_behind(self, configuration: int, epoch: int) -> Stop:
        """By all that had arrived when the search was over."""
        order = self._orders[epoch]
        return Stop(epoch, self._in_words(order.better_than(configuration), order.arrived))


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
    made = form(at, course.reduction_factor, chance, images, course.compared, brackets, where)
    if course.has_several_objectives:
        made.new_order = partial(ByRank, course.chance_error)
        made.were_better = f"ranked before it by {' and '.join(course.objectives)}"
    elif own and isinstance(made, PromotingAsha):
        made.places_that_last = PlacesThatLast((*at, course.epochs))
    return made


ASHA = SchedulerKind(asha_of, lets_wait=True, takes_several_objectives=True, own_keys=frozenset({"brackets"}))
