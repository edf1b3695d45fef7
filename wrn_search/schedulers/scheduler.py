"""What every scheduler keeps to: its contract, what it is told, and what the rest of the program must know of its kind.

A scheduler says after each report whether a configuration goes on, ends or waits: all its repeats or none, by their
mean error; and which of those that wait goes on. Its state is a fold over the record: a replay decides alike. With one
repeat configurations are trials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from wrn_search.curve_process.curves_of_search import CurvesOfSearch

Costs: TypeAlias = tuple[float | None, ...]  # what the other objectives are; None where nobody knows


@dataclass(frozen=True)
class Stop:
    """The decision to end a configuration at a rung, with its reason in words."""

    rung: int  # epochs
    reason: str
    at_chance: bool = False  # for an error that cannot be told from guessing, whatever the others reached


@dataclass(frozen=True)
class Wait:
    """The decision that a configuration waits at a rung: it keeps what it has learned, and may go on later."""

    rung: int  # epochs
    reason: str


@dataclass(frozen=True)
class New:
    """What would be begun next if nothing that waits goes on."""

    due: bool  # it begins whatever waits: a further repeat, an anchor, one that is drawn at random
    hparams: Callable[
        [], Mapping[str, object] | None
    ]  # what the searcher proposes; None: it has nothing more


class Scheduler(Protocol):
    """Hears every report in the order of the record; answers for a configuration that has just reported.

    A configuration reports an epoch when the last of its repeats does. At rungs the others wait for it.
    """

    def observe(self, configuration: int, epoch: int, val_error: float, costs: Costs = ()) -> None:
        """One report, live or replayed; `val_error` in percent, the mean of the repeats; `costs` of the others."""

    def decide(self, configuration: int, epoch: int) -> Stop | Wait | None:
        """Whether a configuration ends or waits at `epoch`, by what was known when it reported. Changes nothing."""

    def goes_on(self, configuration: int, epoch: int) -> None:
        """A configuration goes on from `epoch` though it was to wait there, live or replayed; an anchor always does."""

    def next_to_take_up(
        self, waiting: Mapping[int, int], at_least: int, new: New | None = None
    ) -> int | None:
        """Which configuration that waits goes on now; None if none does yet. Changes nothing.

        Args:
            waiting: configuration -> the epoch at which it waits.
            at_least: so many of the best at an epoch may go on from there, however few have arrived: for the time when
                nothing trains and nothing new will come, and one must come to its end.
            new: what would be begun else; None if nothing new will come.
        """

    def left_behind(self, configuration: int, epoch: int) -> Stop:
        """How a configuration ends that waits at `epoch` when the search is over."""


class NothingWaits:
    """The half of the contract that a scheduler has who lets no configuration wait."""

    def goes_on(self, configuration: int, epoch: int) -> None:
        """Nobody waited."""

    def next_to_take_up(
        self, waiting: Mapping[int, int], at_least: int, new: New | None = None
    ) -> int | None:
        """Nobody waits."""
        return None

    def left_behind(self, configuration: int, epoch: int) -> Stop:
        """Nobody is."""
        raise AssertionError(f"configuration {configuration} never waited at epoch {epoch}")


@dataclass(frozen=True)
class Course:
    """What a scheduler must know of a search."""

    rungs: tuple[int, ...]  # epochs at which configurations are compared, rising, all below the last epoch
    rungs_follow_schedule: bool  # `rungs: schedule`: none before the first drop of the learning rate
    reduction_factor: int  # eta: one in eta goes on
    chance_error: float  # percent: of always answering the most frequent class
    validation_images: int  # that an error is counted on
    repeats: int = 1  # seeds of a configuration
    promote: bool = (
        False  # whether a configuration that does not go on at a rung waits there, and may go on later
    )
    # Of `hyperband`, at most, None is one for each rung and one without; of `asha`, None is one.
    brackets: int | None = None
    grace_period: int = 1  # epochs; of `median`: earlier ones are in no average
    min_samples: int = 3  # of `median`: others at a rung before one is stopped there
    epochs: int = 1  # of a full training
    drops: tuple[int, ...] = ()  # epochs after which the learning rate has just dropped
    curves: CurvesOfSearch | None = None  # what is known of all curves, for a scheduler that goes `by_curves`
    objectives: tuple[str, ...] = ("val_error",)

    @property
    def has_several_objectives(self) -> bool:
        """Whether configurations are compared by their non-dominated ranks."""
        return len(self.objectives) > 1

    @property
    def compared(self) -> str:
        """What configurations are called in reasons."""
        return "trials" if self.repeats == 1 else "configurations"


@dataclass(frozen=True)
class SchedulerKind:
    """One line of the table: how to make a scheduler, and all that the rest of the program must know of it."""

    make: Callable[[Course], Scheduler]
    # Ends trials at rungs by what others reached: so the ends that a search saw are no random ones (rule 5).
    stops_trials: bool = True
    # Decides by what is expected of all curves (`curve_process/`).
    by_curves: bool = False
    # With `search.promote` those that do not go on at a rung wait there.
    lets_wait: bool = False
    # Decides at rungs, but by what was reported at all epochs.
    hears_every_epoch: bool = False
    # Has no rung before `search.grace_period`, wherever the others would lie.
    has_grace: bool = False
    # Compares by non-dominated ranks where the space has several objectives.
    takes_several_objectives: bool = False
    # Keys of `search` that are its own.
    own_keys: frozenset[str] = frozenset()

    @property
    def adaptive(self) -> bool:
        """Whether what is trained depends on earlier results: no design that gives measured intervals (rule 5)."""
        return self.stops_trials
