"""How a search stands while it runs: a fold over its events like everything else. Shows nothing."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from wrn_search.progress.epochs_left import epochs_left, predicted_per_trial
from wrn_search.progress.happenings import Happenings
from wrn_search.results.events import (
    Completed,
    Diverged,
    Event,
    Failed,
    Interrupted,
    Paused,
    Proposed,
    Reopened,
    Reported,
    Resumed,
    Retried,
    SearchResumed,
    SearchStarted,
    Started,
    Stopped,
)
from wrn_search.results.tensorboard.run_names import short_name
from wrn_search.results.trial_selection import Standing, Standings
from wrn_search.verdict_so_far.verdict import VerdictSoFar
from wrn_search.wording import duration, plural, two_significant

LEADING = 3  # configurations that are shown as the best


class Funding(Protocol):
    """What a search may spend, as far as a display asks."""

    @property
    def text(self) -> str:
        """`1,240 of 2,000 epochs, 3.1 of 8 hours`."""

    @property
    def left_text(self) -> str:
        """`760 epochs, 4.9 hours`."""

    @property
    def seconds_left(self) -> float | None:
        """Until it is spent, as fast as it was so far; None where that is not known."""


@dataclass
class RunningTrial:
    """A trial that is being trained now."""

    number: int
    since: float  # Unix seconds of its start
    epoch: int = 0  # the last one on record
    error: float | None = None  # percent: validation error there; None before, or where no image validates
    images_per_second: float | None = None
    node: str = ""


@dataclass
class Progress:
    """A search in progress. `apply` takes events, all else are questions."""

    rows: int  # trials in all: configurations times repeats
    max_epochs: int
    began: float  # Unix seconds of this session
    funds: Funding | None = None  # what may be spent, where there is a budget
    is_open_ended: bool = False  # nobody knows how many trials the budget will pay for
    search: str = ""  # its name
    running: dict[int, RunningTrial] = field(default_factory=dict)
    waiting: set[int] = field(default_factory=set)  # at a rung, until the scheduler lets them go on
    ended: Counter[str] = field(default_factory=Counter)
    epochs_done: int = 0
    epochs_saved: int = 0  # planned for trials that ended early
    happenings: Happenings = field(default_factory=Happenings)
    _proposed: dict[int, Proposed] = field(default_factory=dict)
    _last: dict[int, Reported] = field(default_factory=dict)
    _epochs: dict[int, int] = field(default_factory=dict)
    _standings: Standings = field(default_factory=Standings)
    _standing: dict[int, Standing] = field(default_factory=dict)  # of each configuration at full epochs, now
    _leading: list[Standing] | None = None  # None: to be found anew
    _session_epochs: int = 0
    _ended_epochs: int = 0
    _predicted: float | None = None  # epochs of a trial; by the forecast, unless the search was changed since

    def apply(self, moment: float, event: Event) -> None:
        """Takes in one event. Of a trial's epochs the last one before each other event is enough."""
        configuration = self._standings.apply(event)
        if configuration is not None:
            self._rank(configuration)
        self.happenings.apply(moment, event)
        match event:
            case Proposed():
                self._proposed.setdefault(event.number, event)
            case Started():
                self._start(moment, event.number)
            case Reported():
                self._report(moment, event)
            case Completed() | Stopped() | Diverged() | Failed():
                self._end(event.number, type(event).__name__.lower())
            case Reopened():
                self._reopen(event.number)
            case Resumed():
                self.waiting.discard(event.number)
            case SearchStarted():
                self._predicted = predicted_per_trial(event.details)
            case SearchResumed():
                self.running.clear()  # what trained ended with its session, also where that was killed
                if event.changed:  # another search than the one that was forecast
                    self._predicted = None
            case Interrupted() | Paused() | Retried():
                self.running.pop(event.number, None)
                if isinstance(event, Paused) and event.reason:
                    self.waiting.add(event.number)
            case _:
                pass

    def line(self, now: float, verdict: VerdictSoFar | None = None) -> str:
        """The whole display in one line, with the verdict so far if there is one."""
        rows = "" if self.is_open_ended else f"/{self.rows}"
        parts = [
            f"trials {self.ended.total()}{rows}" + (f" ({counts})" if (counts := self.counts_text) else ""),
            f"{len(self.running)} running" + (f", {len(self.waiting)} wait" if self.waiting else ""),
            f"epochs {self.epochs_done}" + ("" if self.funds else f"/{self.epochs_planned}"),
            *([f"budget {self.funds.text}"] if self.funds else []),
            f"best {self._best_text()}",
        ]
        if (pace := self.epochs_per_minute(now)) is not None:
            parts.append(f"{pace:.1f} epochs/min")
        left = self.seconds_left(now)
        parts.append(
            f"{duration(now - self.began)} so far"
            + (f", about {duration(left)} left" if left is not None else "")
        )
        return " | ".join([*parts, *verdict_parts(verdict)])

    @property
    def counts_text(self) -> str:
        """`12 completed, 27 stopped`: trials that ended, by how."""
        return ", ".join(
            f"{self.ended[status]} {status}"
            for status in ("completed", "stopped", "diverged", "failed")
            if self.ended[status]
        )

    @property
    def epochs_planned(self) -> int:
        """If no further trial ends early."""
        return self.rows * self.max_epochs - self.epochs_saved

    def epochs_per_minute(self, now: float) -> float | None:
        """Of this session; None before it has trained."""
        elapsed = now - self.began
        return 60 * self._session_epochs / elapsed if self._session_epochs and elapsed > 0 else None

    def seconds_left(self, now: float) -> float | None:
        """By this session's pace of epochs, for as many as were forecast, and more and more as trials came to.

        None before this session has trained, or where nothing was forecast before a trial has ended; nor before more
        epochs were trained than trials run, for the first of them ends while others are half done. No longer than a
        budget lasts.
        """
        lasts = self.funds.seconds_left if self.funds else None
        by_trials = None if self.is_open_ended else self._seconds_for_all_trials(now)
        return min((each for each in (lasts, by_trials) if each is not None), default=None)

    def _seconds_for_all_trials(self, now: float) -> float | None:
        if not self._session_epochs:
            return None
        settled = self.ended.total() + len(self.waiting)
        if not settled and self._session_epochs <= len(self.running):
            return None
        epochs = self._ended_epochs + sum(self._epochs.get(number, 0) for number in self.waiting)
        left = epochs_left(self.rows, self.epochs_done, settled, epochs, self._predicted)
        return None if left is None else left * (now - self.began) / self._session_epochs

    @property
    def best(self) -> Standing | None:
        """The best configuration at full epochs, by the median of its repeats."""
        return next(iter(self.leading), None)

    @property
    def leading(self) -> list[Standing]:
        """The best configurations at full epochs, the best first; `LEADING` at most."""
        if self._leading is None:
            self._leading = heapq.nsmallest(LEADING, self._standing.values(), key=lambda each: each.order)
        return self._leading

    def name(self, number: int) -> str:
        """A trial's short name."""
        event = self._proposed[number]
        return short_name(number, event.config, event.repeat, searched=event.hparams)

    def _best_text(self) -> str:
        """`2.33 % (median of 3) 004_WRN-16-1_...`: the trial is the one at the median."""
        return "-" if self.best is None else f"{standing_text(self.best)} {self.name(self.best.number)}"

    def _rank(self, configuration: int) -> None:
        """A repeat of it has ended, or is open again."""
        standing = self._standings.standing(configuration)
        if standing is None:
            self._standing.pop(configuration, None)
        else:
            self._standing[configuration] = standing
        self._leading = None

    def _start(self, moment: float, number: int) -> None:
        last = self._last.get(number)
        self.running[number] = RunningTrial(number, moment)
        if last is not None:
            self._tell(self.running[number], last)
        self.waiting.discard(number)

    def _report(self, moment: float, event: Reported) -> None:
        self._last[event.number] = event
        if (trial := self.running.get(event.number)) is not None:
            self._tell(trial, event)
        new = event.metrics.epoch - self._epochs.get(event.number, 0)
        if new <= 0:  # one that a resumed trial trains again
            return
        self._epochs[event.number] = event.metrics.epoch
        self.epochs_done += new
        self._session_epochs += new if moment >= self.began else 0

    def _tell(self, trial: RunningTrial, event: Reported) -> None:
        metrics = event.metrics
        trial.epoch, trial.error = metrics.epoch, metrics.val_error
        trial.images_per_second, trial.node = metrics.images_per_second, event.node

    def _end(self, number: int, status: str) -> None:
        self.running.pop(number, None)
        self.waiting.discard(number)
        self._last.pop(number, None)
        self.ended[status] += 1
        self.epochs_saved += self.max_epochs - self._epochs.get(number, 0)
        self._ended_epochs += self._epochs.get(number, 0)

    def _reopen(self, number: int) -> None:
        """A failed trial has its end before it again."""
        self.ended["failed"] -= 1
        self.epochs_saved -= self.max_epochs - self._epochs.get(number, 0)
        self._ended_epochs -= self._epochs.get(number, 0)


def standing_text(standing: Standing) -> str:
    """`2.33 % (median of 3)`."""
    of = f" (median of {len(standing.errors)})" if len(standing.errors) > 1 else ""
    return f"{standing.median:.2f} %{of}"


def verdict_parts(verdict: VerdictSoFar | None) -> list[str]:
    """`winner so far WRN-16-2, 1.6 % when retrained (0.9 to 2.6)` and the chances of the leading networks."""
    if verdict is None:
        return []
    parts = []
    if verdict.winner is not None:
        name, *values = verdict.winner
        expected, low, high = map(two_significant, values)
        parts.append(f"winner so far {name}, {expected} % when retrained ({low} to {high})")
    chances = ", ".join(f"{name} {100 * chance:.0f} %" for name, chance in verdict.leading)
    return [*parts, f"best network {chances} (predicted from {plural(verdict.trials, 'trial')})"]
