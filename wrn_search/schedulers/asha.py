"""Scheduler `asha`: asynchronous successive halving. At each rung one configuration in `reduction_factor` goes on.

Li et al., ASHA (arXiv 1810.05934, algorithm 2), in the form that stops a configuration and never promotes it later.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import lru_cache

from wrn_search.schedulers.scheduler import Course, Scheduler, SchedulerKind, Stop

_UNLIKELY = 0.02275  # P(Z < -2) of a normal: two deviations on one side, where the tail is symmetric
_NEGLIGIBLE = 1e-12  # of what was summed


@dataclass(frozen=True)
class _Place:
    """How a configuration stood when it arrived at a rung."""

    val_error: float  # percent
    better: int  # configurations that had lower errors there
    arrived: int  # configurations that were there, itself too


@dataclass
class Asha:
    """Successive halving, decided for each configuration when it arrives at a rung.

    Its place among those before it is found at its arrival, in a sorted list, and remembered: a record that is fed
    again decides alike, and a search of 100,000 configurations does not look through as many errors for each decision.
    """

    rungs: tuple[int, ...]
    reduction_factor: int
    chance_error: float | None  # percent; None lets those at chance go on
    validation_images: int
    compared: str = "trials"  # what configurations are called in reasons: with one repeat they are trials
    _rising: dict[int, list[float]] = field(default_factory=dict)  # rung -> errors of those that arrived
    _places: dict[int, dict[int, _Place]] = field(default_factory=dict)  # rung -> configuration

    def observe(self, configuration: int, epoch: int, val_error: float) -> None:
        """Remembers the first report of a configuration at a rung."""
        if epoch not in self.rungs:
            return
        places = self._places.setdefault(epoch, {})
        if configuration not in places:
            rising = self._rising.setdefault(epoch, [])
            better = bisect_left(rising, val_error)
            rising.insert(better, val_error)
            places[configuration] = _Place(val_error, better, len(rising))

    def decide(self, configuration: int, epoch: int) -> Stop | None:
        """By the values that had reached the rung when this one did, so that a replay decides alike."""
        place = self._places.get(epoch, {}).get(configuration)
        if place is None:
            return None
        value = place.val_error
        if self.chance_error is not None and at_chance(value, self.chance_error, self.validation_images):
            return Stop(epoch, f"validation error {value:.2f} % is still that of guessing", at_chance=True)
        if goes_on(place.better, place.arrived, self.reduction_factor):
            return None
        return Stop(epoch, f"{place.better} of {place.arrived} {self.compared} at this rung were better")


def goes_on(better: int, arrived: int, reduction_factor: int) -> bool:
    """Whether one goes on of which `better` were better of all that have `arrived` at the rung, its own place counted.

    One in `reduction_factor` goes on, at least one; a tie with the last that goes on goes on too.
    """
    return better < max(1, arrived // reduction_factor)


@lru_cache(4096)
def at_chance(val_error: float, chance_error: float, validation_images: int) -> bool:
    """Whether an error cannot be told from guessing: P(X <= wrong) > 2.3 %, X ~ Binomial(images, chance).

    Never where no error could be told from it: 60 images with a chance error of 5 % are all answered rightly by
    guessing in 4.6 % of all cases, so even a perfect network would be stopped.

    Args:
        val_error: percent.
        chance_error: percent; the error of always answering the most frequent class.
        validation_images: how many images `val_error` was counted on.
    """
    share, wrong = chance_error / 100, round(val_error * validation_images / 100)
    if binomial_tail(0, validation_images, share) > _UNLIKELY:
        return False
    return val_error >= chance_error or binomial_tail(wrong, validation_images, share) > _UNLIKELY


def binomial_tail(most: int, n: int, share: float) -> float:
    """P(X <= most), X ~ Binomial(n, share), `most` at or below the mean: summed from the largest term down."""
    if share in (0.0, 1.0):
        return float(most >= n * share)
    logarithm = math.lgamma(n + 1) - math.lgamma(most + 1) - math.lgamma(n - most + 1)
    term = math.exp(logarithm + most * math.log(share) + (n - most) * math.log1p(-share))
    total = 0.0
    for count in range(most, -1, -1):
        total += term
        if term < total * _NEGLIGIBLE:
            break
        term *= count * (1 - share) / ((n - count + 1) * share)
    return total


def _make(course: Course) -> Scheduler:
    chance = course.chance_error if course.rungs_follow_schedule else None
    compared = "trials" if course.repeats == 1 else "configurations"
    return Asha(course.rungs, course.reduction_factor, chance, course.validation_images, compared)


ASHA = SchedulerKind(_make)
