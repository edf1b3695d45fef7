"""The simulated clock: workers train recorded curves, an epoch takes what it took, trials arrive as they would.

It knows no method; whoever plays says what is trained next and whether a trial goes on.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Protocol

from wrn_search.replay.curve_table import CurveTable, RecordedCurve


@dataclass(frozen=True)
class Begun:
    """A trial that a worker takes up."""

    trial: int
    configuration: int  # its place in the table
    curve: RecordedCurve
    epochs_done: int = 0


class Player(Protocol):
    """A search method: its trials are those of a table."""

    def next_trial(self) -> Begun | None:
        """What a free worker trains; None when there is nothing now. It may be asked again when something happens."""

    def hears(self, epoch: int) -> bool:
        """Whether it wants to be told of this epoch; of the last one it always is."""

    def reported(self, trial: int, epoch: int, error: float) -> bool:
        """An epoch of a trial is over; whether the trial goes on. Errors are percent."""

    def diverged(self, trial: int, epoch: int) -> None:
        """A trial's loss turned non-finite in `epoch`."""


class Incumbent:
    """The configuration that a method would name best: the lowest error at equal epochs, as far as it was trained.

    Another one takes its place when it has come as far and was better there, or when it goes further than one that is
    no longer trained. The error of a configuration is the mean of its trials, once all of them have come so far; one
    that diverged before counts with the error of chance.

    Args:
        chance_error: percent.
    """

    def __init__(self, chance_error: float) -> None:
        self._chance_error = chance_error
        self.configuration: int | None = None
        self._epoch = 0  # how far the one that is named has come
        self._curves: dict[int, list[RecordedCurve]] = {}  # configuration -> of its trials
        self._training: dict[int, int] = {}  # configuration -> trials that train now
        self._arrived: dict[
            tuple[int, int], int
        ] = {}  # (configuration, epoch) -> trials, where there are several

    def begun(self, begun: Begun) -> None:
        """One more trial of a configuration."""
        self._curves.setdefault(begun.configuration, []).append(begun.curve)

    def trains(self, configuration: int, change: int) -> None:
        """A trial of it begins to train, +1, or trains no more, -1."""
        self._training[configuration] = self._training.get(configuration, 0) + change

    def reported(self, configuration: int, epoch: int) -> bool:
        """Whether another configuration is named best from now on."""
        if epoch < self._epoch or not self._has_arrived(configuration, epoch):
            return False
        if configuration == self.configuration:
            self._epoch = epoch
            return False
        if self.configuration is not None:
            better = self._error(configuration) < self._error(self.configuration)
            passes = epoch > self._epoch and not self._training[self.configuration]
            if not (better or passes):
                return False
        self.configuration, self._epoch = configuration, epoch
        return True

    def _has_arrived(self, configuration: int, epoch: int) -> bool:
        curves = self._curves[configuration]
        if len(curves) == 1:
            return True
        arrived = self._arrived[configuration, epoch] = self._arrived.get((configuration, epoch), 0) + 1
        return arrived >= sum(not _diverges_before(curve, epoch) for curve in curves)

    def _error(self, configuration: int) -> float:
        """Where the one that is named stands."""
        curves = self._curves[configuration]
        errors = [
            self._chance_error
            if _diverges_before(curve, self._epoch)
            else float(curve.errors[self._epoch - 1])
            for curve in curves
        ]
        return sum(errors) / len(errors)


def _diverges_before(curve: RecordedCurve, epoch: int) -> bool:
    """Whether a training never reports an epoch, because its loss turned non-finite."""
    return curve.diverged and len(curve.errors) < epoch


@dataclass
class Play:
    """What one play came to."""

    epochs: int = 0  # spent
    time: float = 0.0  # in the table's unit, when the last of them was over
    # (epochs spent, time, place in the table) whenever another configuration was named best
    named: list[tuple[int, float, int]] = field(default_factory=list)
    last_epoch: dict[int, int] = field(default_factory=dict)  # trial -> its epochs
    end: dict[int, str] = field(default_factory=dict)  # trial -> completed | stopped | diverged
    configuration: dict[int, int] = field(default_factory=dict)  # trial -> place in the table
    decisions: int = 0  # proposals, and reports that the method heard
    unrecorded: list[tuple[int, int]] = field(default_factory=list)  # (trial, epoch) that nobody trained

    @property
    def counts(self) -> dict[str, int]:
        """Trials by how they ended; `unfinished` were training or waiting when the budget was spent."""
        ends = list(self.end.values())
        counts = {kind: ends.count(kind) for kind in ("completed", "stopped", "diverged")}
        return counts | {"unfinished": len(self.configuration) - len(ends)}


@dataclass
class Clock:
    """The moment of a play, which the method may ask."""

    now: float = 0.0

    def __call__(self) -> float:
        """The moment."""
        return self.now


def play(player: Player, table: CurveTable, workers: int, budget: int, clock: Clock | None = None) -> Play:
    """Plays a method until its budget is spent or nothing is left.

    A trial that goes on beyond what was recorded keeps its worker and is heard of no more (`Play.unrecorded`).

    Args:
        player: the method.
        table: what it is played against.
        workers: trials at once.
        budget: epochs; only whole ones count.
        clock: is set to the moment of whatever happens.
    """
    return _Playing(player, table, workers, budget, clock or Clock()).run()


class _Playing:
    """The event queue: one entry for each worker that trains, at the end of its epoch."""

    def __init__(self, player: Player, table: CurveTable, workers: int, budget: int, clock: Clock):
        self._player, self._workers, self._budget, self._clock = player, workers, budget, clock
        self._epochs = table.epochs
        self._queue: list[tuple[float, int, int, Begun]] = []  # (when, order of entry, epoch, trial)
        self._order = 0
        self._incumbent = Incumbent(table.facts.chance_error)
        self._play = Play()

    def run(self) -> Play:
        play, player, queue = self._play, self._player, self._queue
        self._fill()
        while queue and play.epochs < self._budget:
            now, _, epoch, begun = heapq.heappop(queue)
            self._clock.now = play.time = now
            if begun.curve.diverged and epoch > len(begun.curve.errors):
                player.diverged(begun.trial, epoch)
                play.end[begun.trial] = "diverged"
                self._incumbent.trains(begun.configuration, -1)
                self._fill()
                continue
            play.epochs += 1
            error = float(begun.curve.errors[epoch - 1])
            play.last_epoch[begun.trial] = epoch
            if self._incumbent.reported(begun.configuration, epoch):
                play.named.append((play.epochs, now, begun.configuration))
            goes_on = True
            if epoch == self._epochs or player.hears(epoch):
                play.decisions += 1
                goes_on = player.reported(begun.trial, epoch, error) and epoch < self._epochs
            if goes_on:
                self._enter(begun, epoch + 1)
            else:
                self._incumbent.trains(begun.configuration, -1)
                play.end[begun.trial] = "completed" if epoch == self._epochs else "stopped"
                self._fill()
        return play

    def _fill(self) -> None:
        """Gives the free workers something to train."""
        while (
            len(self._queue) + len(self._play.unrecorded) < self._workers
            and (begun := self._player.next_trial()) is not None
        ):
            if begun.trial not in self._play.configuration:
                self._play.configuration[begun.trial] = begun.configuration
                self._play.decisions += 1
                self._incumbent.begun(begun)
            self._play.end.pop(begun.trial, None)  # one that waited goes on
            self._incumbent.trains(begun.configuration, 1)
            self._enter(begun, begun.epochs_done + 1)

    def _enter(self, begun: Begun, epoch: int) -> None:
        """A worker begins an epoch; one that diverges takes as long as the one before."""
        curve = begun.curve
        if epoch > len(curve.errors) and not curve.diverged:
            self._play.unrecorded.append((begun.trial, epoch))
            return
        seconds = float(curve.seconds[min(epoch, len(curve.seconds)) - 1]) if len(curve.seconds) else 0.0
        heapq.heappush(self._queue, (self._clock.now + seconds, self._order, epoch, begun))
        self._order += 1
