"""Repeats as one: a configuration arrives at an epoch with the mean of its repeats. Pure, a fold over events.

Rungs that stopped repeats one by one would judge a configuration by whichever seeds survived: with twelve
configurations all at 20 % and a deviation of 3 points over five seeds, the survivors' mean showed 15 %.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from wrn_search.results.events import Diverged, Event, Failed, Reported
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import FINAL, TrialState, costs_of
from wrn_search.schedulers.scheduler import Costs


class Arrival(NamedTuple):  # which takes a third of a frozen dataclass's time, for each report
    """All repeats of a configuration that still train have reported an epoch."""

    configuration: int
    epoch: int
    val_error: (
        float  # percent: mean of the repeats, one that diverged before counted with the error of chance
    )
    costs: Costs = ()  # of the other objectives


@dataclass
class RepeatsTogether:
    """Which configurations have arrived at which epochs.

    A repeat that diverged or ran out of memory counts with the error of chance, one that crashed before the epoch not
    at all: then the others are no longer kept waiting. With one repeat each report is an arrival.
    """

    repeats: int  # `search.repeats`; a configuration whose repeats are not all proposed has arrived nowhere
    chance_error: float  # percent
    costs: tuple[str, ...] = ()  # the objectives other than the error
    # configuration -> epoch -> trial -> validation error in percent, of epochs that some repeat has not reported
    _reported: dict[int, dict[int, dict[int, float]]] = field(default_factory=dict)
    _arrived: dict[int, int] = field(default_factory=dict)  # configuration -> its last epoch of arrival

    def learn(self, event: Event, state: SearchState) -> list[Arrival]:
        """Takes in an event that `state` has applied. What arrives by it, the earliest epoch first."""
        match event:
            case Reported() if event.metrics.val_error is not None:
                epoch, repeats = event.metrics.epoch, state.repeats_of(event.number)
                configuration = repeats[0].configuration
                if self.repeats == len(repeats) == 1:  # it waits for nobody
                    if self.has_arrived(configuration, epoch):
                        return []
                    return [self._arrival(repeats, epoch, event.metrics.val_error)]
                if not self.has_arrived(configuration, epoch):  # else an epoch that a resumed trial ran again
                    errors = self._reported.setdefault(configuration, {}).setdefault(epoch, {})
                    errors.setdefault(event.number, event.metrics.val_error)
                return self._arrivals(repeats, (epoch,))
            case Diverged() | Failed():
                repeats = state.repeats_of(event.number)
                return self._arrivals(repeats, sorted(self._reported.get(repeats[0].configuration, ())))
            case _:
                return []

    def has_arrived(self, configuration: int, epoch: int) -> bool:
        """Whether a scheduler has heard of the configuration at this epoch; configurations arrive epoch by epoch."""
        return epoch <= self._arrived.get(configuration, 0)

    def arrived_at(self, configuration: int) -> int:
        """The last epoch that all its repeats have reported; 0 before the first."""
        return self._arrived.get(configuration, 0)

    def _arrivals(self, repeats: Sequence[TrialState], epochs: Sequence[int]) -> list[Arrival]:
        configuration = repeats[0].configuration
        reported = self._reported.get(configuration, {})
        found = []
        for epoch in epochs:
            errors = reported.get(epoch)
            if errors is None or len(repeats) < self.repeats or any(_is_awaited(t, errors) for t in repeats):
                continue
            lost = sum(trial.number not in errors and is_lost(trial) for trial in repeats)
            del reported[epoch]
            mean = statistics.fmean([*errors.values(), *[self.chance_error] * lost])
            found.append(self._arrival(repeats, epoch, mean))
        return found

    def _arrival(self, repeats: Sequence[TrialState], epoch: int, mean: float) -> Arrival:
        configuration = repeats[0].configuration
        self._arrived[configuration] = epoch
        return Arrival(configuration, epoch, mean, costs_of(repeats, self.costs))


def is_lost(trial: TrialState) -> bool:
    """Whether a trial counts with the error of chance (rule 2 of an honest search)."""
    return trial.status == "diverged" or trial.out_of_memory


def _is_awaited(trial: TrialState, errors: dict[int, float]) -> bool:
    return trial.number not in errors and trial.status not in FINAL
