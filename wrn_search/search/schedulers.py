"""Schedulers: after each report, whether the trial goes on. State is a fold over reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from wrn_search.search.rungs import at_chance, goes_on, rungs_of
from wrn_search.space.definition import Space


@dataclass(frozen=True)
class Stop:
    """The decision to end a trial at a rung, with its reason in words."""

    rung: int  # epochs
    reason: str


class Scheduler(Protocol):
    """Hears every report in the order of the record; answers for a trial that has just reported."""

    def observe(self, number: int, epoch: int, val_error: float) -> None:
        """One report, live or replayed."""

    def decide(self, number: int, epoch: int) -> Stop | None:
        """Whether trial `number` ends at `epoch`, by what was known when it reported. Changes nothing."""


class NoScheduler:
    """Every trial goes on to its last epoch."""

    def observe(self, number: int, epoch: int, val_error: float) -> None:
        """Nothing to remember."""

    def decide(self, number: int, epoch: int) -> Stop | None:
        """Never."""
        return None


@dataclass
class Asha:
    """Asynchronous successive halving: at each rung one trial in `reduction_factor` goes on (see `rungs`)."""

    rungs: tuple[int, ...]
    reduction_factor: int
    chance_error: float | None  # percent; None lets trials at chance go on
    validation_images: int
    _values: dict[int, dict[int, float]] = field(
        default_factory=dict
    )  # rung -> trial -> error, in order of arrival

    def observe(self, number: int, epoch: int, val_error: float) -> None:
        """Remembers the first report of a trial at a rung."""
        if epoch in self.rungs:
            self._values.setdefault(epoch, {}).setdefault(number, val_error)

    def decide(self, number: int, epoch: int) -> Stop | None:
        """By the values that had reached the rung when this trial did, so that a replay decides alike."""
        if number not in (arrived := self._values.get(epoch, {})):
            return None
        value = arrived[number]
        so_far = list(arrived.values())[: list(arrived).index(number) + 1]
        if self.chance_error is not None and at_chance(value, self.chance_error, self.validation_images):
            return Stop(epoch, f"validation error {value:.2f} % is still that of guessing")
        if goes_on(value, so_far, self.reduction_factor):
            return None
        better = sum(other < value for other in so_far)
        return Stop(epoch, f"{better} of {len(so_far)} trials at this rung were better")


def _asha(space: Space, chance_error: float, validation_images: int) -> Scheduler:
    by_schedule = space.search.rungs == "schedule"
    return Asha(
        rungs_of(space),
        space.search.reduction_factor,
        chance_error if by_schedule else None,
        validation_images,
    )


SCHEDULERS: dict[str, Callable[[Space, float, int], Scheduler]] = {
    "none": lambda space, chance_error, validation_images: NoScheduler(),
    "asha": _asha,
}
