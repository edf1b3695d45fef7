"""The progress display: trials, epochs done of planned, best so far, the rate and the time left.

A fold over events like everything else; live in a terminal, plain lines elsewhere.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from wrn_search.decisions.budget.funds import Funds
from wrn_search.decisions.image_facts import images_of
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.decisions.trial_lifecycle import Conductor
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
    SearchEnded,
    Started,
    Stopped,
)
from wrn_search.results.tensorboard.run_names import short_name
from wrn_search.results.trial_selection import Order, Standing, Standings
from wrn_search.verdict_so_far.affordable_fits import VerdictSoFar, VerdictWatch, watch_of
from wrn_search.wording import duration, plural, two_significant

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_REFRESHES = 0.25


@dataclass
class Progress:
    """Counts of a search in progress. `apply` takes events, all else are questions."""

    rows: int  # trials in all: configurations times repeats
    max_epochs: int
    began: float  # Unix seconds of this session
    funds: Funds | None = None  # what may be spent, where there is a budget
    is_open_ended: bool = False  # nobody knows how many trials the budget will pay for
    running: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)  # at a rung, until the scheduler lets them go on
    ended: Counter[str] = field(default_factory=Counter)
    epochs_done: int = 0
    epochs_saved: int = 0  # planned for trials that ended early
    _names: dict[int, str] = field(default_factory=dict)
    _epochs: dict[int, int] = field(default_factory=dict)
    _standings: Standings = field(default_factory=Standings)
    _standing: dict[int, Standing] = field(default_factory=dict)  # of each configuration at full epochs, now
    _ranked: list[tuple[Order, int]] = field(default_factory=list)  # a heap of these and earlier ones
    _session_epochs: int = 0
    _ended_epochs: int = 0

    def apply(self, moment: float, event: Event) -> None:
        """Takes in one event."""
        configuration = self._standings.apply(event)
        if configuration is not None:
            self._rank(configuration)
        match event:
            case Proposed():
                self._names[event.number] = short_name(
                    event.number, event.config, event.repeat, searched=event.hparams
                )
            case Started():
                self.running.add(event.number)
                self.waiting.discard(event.number)
            case Reported():
                self._report(moment, event)
            case Completed():
                self._end(event.number, "completed")
            case Stopped():
                self._end(event.number, "stopped")
            case Diverged():
                self._end(event.number, "diverged")
            case Failed():
                self._end(event.number, "failed")
            case Reopened():
                self._reopen(event.number)
            case Resumed():
                self.waiting.discard(event.number)
            case Interrupted() | Paused() | Retried():
                self.running.discard(event.number)
                if isinstance(event, Paused) and event.reason:
                    self.waiting.add(event.number)
            case _:
                pass

    def line(self, now: float, verdict: VerdictSoFar | None = None) -> str:
        """The whole display in one line, with the verdict so far if there is one."""
        ended = sum(self.ended.values())
        counts = ", ".join(
            f"{self.ended[status]} {status}"
            for status in ("completed", "stopped", "diverged", "failed")
            if self.ended[status]
        )
        planned = self.rows * self.max_epochs - self.epochs_saved
        rows = "" if self.is_open_ended else f"/{self.rows}"
        parts = [
            f"trials {ended}{rows}" + (f" ({counts})" if counts else ""),
            f"{len(self.running)} running" + (f", {len(self.waiting)} wait" if self.waiting else ""),
            f"epochs {self.epochs_done}" + ("" if self.funds else f"/{planned}"),
            *([f"budget {self.funds.text}"] if self.funds else []),
            f"best {self._best_text()}",
        ]
        elapsed = now - self.began
        if self._session_epochs and elapsed > 0:
            parts.append(f"{60 * self._session_epochs / elapsed:.1f} epochs/min")
        left = self.seconds_left(now)
        parts.append(
            f"{duration(elapsed)} so far" + (f", about {duration(left)} left" if left is not None else "")
        )
        return " | ".join([*parts, *verdict_parts(verdict)])

    def seconds_left(self, now: float) -> float | None:
        """By this session's pace of epochs, if trials to come take as many as those took that have ended, or wait.

        None before one has ended, or before this session has trained. No longer than a budget lasts.
        """
        lasts = self.funds.seconds_left if self.funds else None
        by_trials = None if self.is_open_ended else self._seconds_for_all_trials(now)
        return min((each for each in (lasts, by_trials) if each is not None), default=None)

    def _seconds_for_all_trials(self, now: float) -> float | None:
        ended = sum(self.ended.values()) + len(self.waiting)
        epochs = self._ended_epochs + sum(self._epochs.get(number, 0) for number in self.waiting)
        if not epochs or not self._session_epochs:
            return None
        left = (self.rows - ended) * epochs / ended - (self.epochs_done - epochs)
        return max(0.0, left) * (now - self.began) / self._session_epochs

    @property
    def best(self) -> Standing | None:
        """The best configuration at full epochs, by the median of its repeats."""
        while self._ranked:
            order, configuration = self._ranked[0]
            standing = self._standing.get(configuration)
            if standing is not None and standing.order == order:
                return standing
            heapq.heappop(self._ranked)
        return None

    def _best_text(self) -> str:
        """`2.33 % (median of 3) 004_WRN-16-1_...`: the trial is the one at the median."""
        best = self.best
        if best is None:
            return "-"
        of = f" (median of {len(best.errors)})" if len(best.errors) > 1 else ""
        return f"{best.median:.2f} %{of} {self._names[best.number]}"

    def _rank(self, configuration: int) -> None:
        """A repeat of it has ended, or is open again."""
        standing = self._standings.standing(configuration)
        if standing is None:
            self._standing.pop(configuration, None)
        else:
            self._standing[configuration] = standing
            heapq.heappush(self._ranked, (standing.order, configuration))

    def _report(self, moment: float, event: Reported) -> None:
        if event.metrics.epoch <= self._epochs.get(event.number, 0):
            return
        self._epochs[event.number] = event.metrics.epoch
        self.epochs_done += 1
        self._session_epochs += moment >= self.began

    def _end(self, number: int, status: str) -> None:
        self.running.discard(number)
        self.waiting.discard(number)
        self.ended[status] += 1
        self.epochs_saved += self.max_epochs - self._epochs.get(number, 0)
        self._ended_epochs += self._epochs.get(number, 0)

    def _reopen(self, number: int) -> None:
        """A failed trial has its end before it again."""
        self.ended["failed"] -= 1
        self.epochs_saved -= self.max_epochs - self._epochs.get(number, 0)
        self._ended_epochs -= self._epochs.get(number, 0)


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


class ProgressDisplay:
    """Shows `Progress` on stderr; a subscriber of the record.

    Use as a context manager; `tick` keeps a live display's clock moving.

    Args:
        progress: what is shown.
        clock: Unix seconds, as in the record; never goes back.
        stream: default stderr.
        watch: fits the verdict so far; None tells none.
    """

    def __init__(
        self,
        progress: Progress,
        clock: Callable[[], float],
        stream: TextIO | None = None,
        watch: VerdictWatch | None = None,
    ):
        self._watch = watch
        self._progress = progress
        self._stream: TextIO | None = stream or sys.stderr  # None: closed by whoever started us
        self._clock = clock
        self._shown_at = 0.0
        self._live: Live | None = None

    def __enter__(self) -> ProgressDisplay:
        console = _live_console(self._stream)
        if console is not None:
            self._live = Live(self._renderable(), console=console, auto_refresh=False)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            with contextlib.suppress(OSError, ValueError):
                self._live.update(self._renderable(), refresh=True)
                self._live.stop()

    def __call__(self, moment: float, event: Event) -> None:
        """Takes in a written event."""
        self._progress.apply(moment, event)
        if self._watch is not None and isinstance(event, Reported):
            self._watch.changes += 1
        self.tick(at_once=isinstance(event, SearchEnded))

    def tick(self, at_once: bool = False) -> None:
        """Shows the present state, not more often than is good."""
        if self._watch is not None:
            self._watch.tick()
        now = self._clock()
        pause = SECONDS_BETWEEN_REFRESHES if self._live else SECONDS_BETWEEN_LINES
        if not at_once and now - self._shown_at < pause:
            return
        self._shown_at = now
        with contextlib.suppress(OSError, ValueError):  # a search does not end with those who watch it
            if self._live:
                self._live.update(self._renderable(), refresh=True)
            elif self._stream is not None:
                print(self._line(now), file=self._stream, flush=True)

    def _renderable(self) -> Text:
        return Text(self._line(self._clock()).replace(" | ", "\n"))

    def _line(self, now: float) -> str:
        return self._progress.line(now, self._watch.verdict if self._watch else None)


def watch_on(conductor: Conductor) -> VerdictWatch | None:
    """On a search; a confirmation trains no more than it was asked for, and has no verdict of its own."""
    if conductor.state.choice is not None:
        return None
    space, images = conductor.space, images_of(conductor.facts)
    return watch_of(conductor.state, space, images, rungs_of(space))


def _live_console(stream: TextIO | None) -> Console | None:
    """A console on which lines can be drawn again, if the stream is one.

    A terminal that says `dumb` (Emacs, some editors and CI) or nothing of itself cannot, nor does one that the user has
    declared not interactive: rich shows a live display there when it is over, not before.
    """
    if stream is None or not stream.isatty() or not os.environ.get("TERM"):
        return None
    console = Console(file=stream)
    return (
        console if console.is_terminal and console.is_interactive and not console.is_dumb_terminal else None
    )
