"""Scheduler `asha`: asynchronous successive halving. At each rung one configuration in `reduction_factor` goes on.

Li et al., ASHA (arXiv 1810.05934, algorithm 2), in the form that stops a configuration and never promotes it later.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from wrn_search.schedulers.scheduler import Course, Scheduler, SchedulerKind, Stop

_UNLIKELY = 0.02275  # P(Z < -2) of a normal: two deviations on one side, where the tail is symmetric
_NEGLIGIBLE = 1e-12  # of what was summed


@dataclass
class Asha:
    """Successive halving, decided for each configuration when it arrives at a rung."""

    rungs: tuple[int, ...]
    reduction_factor: int
    chance_error: float | None  # percent; None lets those at chance go on
    validation_images: int
    compared: str = "trials"  # what configurations are called in reasons: with one repeat they are trials
    _values: dict[int, dict[int, float]] = field(
        default_factory=dict
    )  # rung -> configuration -> mean error of its repeats, in order of arrival

    def observe(self, configuration: int, epoch: int, val_error: float) -> None:
        """Remembers the first report of a configuration at a rung."""
        if epoch in self.rungs:
            self._values.setdefault(epoch, {}).setdefault(configuration, val_error)

    def decide(self, configuration: int, epoch: int) -> Stop | None:
        """By the values that had reached the rung when this one did, so that a replay decides alike."""
        if configuration not in (arrived := self._values.get(epoch, {})):
            return None
        value = arrived[configuration]
        so_far = list(arrived.values())[: list(arrived).index(configuration) + 1]
        if self.chance_error is not None and at_chance(value, self.chance_error, self.validation_images):
            return Stop(epoch, f"validation error {value:.2f} % is still that of guessing", at_chance=True)
        if goes_on(value, so_far, self.reduction_factor):
            return None
        better = sum(other < value for other in so_far)
        return Stop(epoch, f"{better} of {len(so_far)} {self.compared} at this rung were better")


def goes_on(value: float, values: Sequence[float], reduction_factor: int) -> bool:
    """Whether one with `value` goes on, `values` being those of all that reached the rung, its own too.

    One in `reduction_factor` goes on, at least one; a tie with the last that goes on goes on too. Lower is better.
    """
    assert value in values, (value, values)
    places = max(1, len(values) // reduction_factor)
    return sum(other < value for other in values) < places


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
