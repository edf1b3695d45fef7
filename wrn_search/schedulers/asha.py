"""Scheduler `asha`: asynchronous successive halving. At each rung one configuration in `reduction_factor` goes on.

Li et al., ASHA (arXiv 1810.05934, algorithm 2), in the form that stops a configuration and never promotes it later.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from wrn_search.schedulers.scheduler import Course, Scheduler, SchedulerKind, Stop


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
            return Stop(epoch, f"validation error {value:.2f} % is still that of guessing")
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
    """Whether an error cannot be told from guessing: within two binomial standard deviations of it, or worse.

    Args:
        val_error: percent.
        chance_error: percent; the error of always answering the most frequent class.
        validation_images: how many images `val_error` was counted on.
    """
    deviation = math.sqrt(chance_error * (100 - chance_error) / validation_images)
    return val_error >= chance_error - 2 * deviation


def _make(course: Course) -> Scheduler:
    chance = course.chance_error if course.rungs_follow_schedule else None
    compared = "trials" if course.repeats == 1 else "configurations"
    return Asha(course.rungs, course.reduction_factor, chance, course.validation_images, compared)


ASHA = SchedulerKind(_make)
