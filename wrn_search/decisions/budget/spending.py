"""What a search has spent: a fold over events, so that kills and resumes lose nothing. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from wrn_search.results.events import (
    Completed,
    Diverged,
    Event,
    Failed,
    Interrupted,
    Paused,
    Reported,
    Retried,
    SearchResumed,
    Started,
    Stopped,
)
from wrn_search.results.state_from_events import SearchState

SECONDS_OF_AN_HOUR = 3600.0


@dataclass
class Spending:
    """Epochs, multiply-adds and GPU-seconds of all sessions.

    An epoch that a resumed trial trains again counts once, as it has one row in the tables. A trial holds its share of
    a GPU from its start until it leaves its place; of a session that was killed, until the session's last event.
    """

    epochs: int = 0
    macs: int = 0  # multiply-adds of one training image, summed over the epochs
    completed: int = 0  # trials that reached their last epoch
    _epoch: dict[int, int] = field(default_factory=dict)  # trial -> the last epoch that is counted
    _held: dict[int, tuple[float, float]] = field(
        default_factory=dict
    )  # trial that trains -> (Unix seconds, share of a GPU) of its start
    _gpu_seconds: float = 0.0  # of trials that have left their place
    _moment: float = 0.0  # Unix seconds of the last event

    def learn(self, moment: float, event: Event, state: SearchState) -> None:
        """Takes in an event that `state` has applied."""
        match event:
            case Reported():  # the first case, as most events are
                before = self._epoch.get(event.number, 0)
                new = max(0, event.metrics.epoch - before)
                self._epoch[event.number] = before + new
                self.epochs += new
                self.macs += new * state.trials[event.number].training_macs
            case Started():
                self._leave(event.number, moment)
                self._held[event.number] = (moment, event.gpu_fraction)
            case Completed():
                self._leave(event.number, moment)
                self.completed += 1
            case Paused() | Stopped() | Diverged() | Failed() | Retried() | Interrupted():
                self._leave(event.number, moment)
            case SearchResumed():  # whatever trained before ended with its session
                for number in list(self._held):
                    self._leave(number, self._moment)
            case _:
                pass
        self._moment = moment

    @property
    def gpu_hours(self) -> float:
        """Shares of GPUs times wall hours, up to the last event."""
        held = sum(share * (self._moment - since) for since, share in self._held.values())
        return (self._gpu_seconds + held) / SECONDS_OF_AN_HOUR

    def epoch_of(self, number: int) -> int:
        """How far a trial has come."""
        return self._epoch.get(number, 0)

    def _leave(self, number: int, moment: float) -> None:
        if number in self._held:
            since, share = self._held.pop(number)
            self._gpu_seconds += share * (moment - since)
