"""Rivals that draw configurations from the table at random: plain, with promotion (ASHA), and i-Epoch."""

from __future__ import annotations

import math
from dataclasses import replace

from benchmarks.rivals.recorded_trials import RecordedTrials
from wrn_search.decisions.rung_epochs import geometric_rungs
from wrn_search.replay.curve_table import CurveTable
from wrn_search.replay.simulated_clock import Begun, Clock

_ETA = 3


class RandomSearch:
    """Every configuration is trained to its end."""

    def __init__(self, table: CurveTable, seed: int, most: int, workers: int, clock: Clock):
        self._trials = RecordedTrials(table, seed, most)

    def next_trial(self) -> Begun | None:
        """A new one."""
        return self._trials.begin_at_random()

    def hears(self, epoch: int) -> bool:
        """Nothing is decided on the way."""
        return False

    def reported(self, trial: int, epoch: int, error: float) -> bool:
        """It goes on."""
        return True

    def diverged(self, trial: int, epoch: int) -> None:
        """Nothing is learned."""


class PromotingAsha:
    """ASHA as published: Li et al. (arXiv 1810.05934), algorithm 2, with eta = 3 and rungs at 1, 3, 9, ... epochs.

    Every configuration waits at its rung; a free worker promotes one of the best third of the highest rung that has
    such a one, else it begins a new configuration. A promoted one goes on where it stopped, at no cost. What diverged
    stands last at the rung that it did not reach.
    """

    def __init__(self, table: CurveTable, seed: int, most: int, workers: int, clock: Clock):
        self._trials = RecordedTrials(table, seed, most)
        self._rungs = geometric_rungs(1, _ETA, table.epochs)
        self._errors: dict[int, dict[int, float]] = {
            rung: {} for rung in self._rungs
        }  # rung -> trial -> error
        self._promoted: dict[int, set[int]] = {rung: set() for rung in self._rungs}
        self._begun: dict[int, Begun] = {}

    def next_trial(self) -> Begun | None:
        """The promotion at the highest rung, else a new one."""
        for rung in reversed(self._rungs):
            if (trial := self._promotable(rung)) is not None:
                self._promoted[rung].add(trial)
                return replace(self._begun[trial], epochs_done=rung)
        begun = self._trials.begin_at_random()
        if begun is not None:
            self._begun[begun.trial] = begun
        return begun

    def _promotable(self, rung: int) -> int | None:
        errors = self._errors[rung]
        best = sorted(errors, key=lambda trial: errors[trial])[: len(errors) // _ETA]
        waiting = (trial for trial in best if trial not in self._promoted[rung])
        return next((trial for trial in waiting if errors[trial] < math.inf), None)

    def hears(self, epoch: int) -> bool:
        """At rungs."""
        return epoch in self._errors

    def reported(self, trial: int, epoch: int, error: float) -> bool:
        """It waits at each rung."""
        if epoch in self._errors:
            self._errors[epoch][trial] = error
        return False

    def diverged(self, trial: int, epoch: int) -> None:
        """Last at the next rung."""
        rung = next((rung for rung in self._rungs if rung >= epoch), None)
        if rung is not None:
            self._errors[rung][trial] = math.inf


class IEpoch:
    """ "One epoch count for all, then the best to its end": i-Epoch, Egele et al. (arXiv 2404.04111).

    There a fixed stream of random configurations is trained for i epochs each, and at the end of the budget the best is
    trained to its end. To name something at every moment, here the best so far goes on to its end whenever the number
    of judged configurations has doubled (1, 2, 4, 8, ...), unless it was there already: that costs at most one whole
    training a doubling. When no configuration is left, the best that were not trained to their ends follow in order.

    Args:
        share: of a whole training that every configuration gets, at least one epoch; None: one epoch.
    """

    def __init__(
        self,
        table: CurveTable,
        seed: int,
        most: int,
        workers: int,
        clock: Clock,
        *,
        share: float | None = None,
    ):
        self._trials = RecordedTrials(table, seed, most)
        self._epochs = table.epochs
        self._i = 1 if share is None else max(1, round(share * table.epochs))
        self._errors: dict[int, float] = {}  # judged trial -> error after i epochs
        self._begun: dict[int, Begun] = {}
        self._went_on: set[int] = set()
        self._to_the_end: list[int] = []

    def next_trial(self) -> Begun | None:
        """The best, when its moment has come; else a new one."""
        if not self._to_the_end:
            begun = self._trials.begin_at_random()
            if begun is not None:
                self._begun[begun.trial] = begun
                return begun
            self._send_on(self._best({trial for trial in self._errors if trial not in self._went_on}))
        return replace(self._begun[self._to_the_end.pop()], epochs_done=self._i) if self._to_the_end else None

    def _best(self, trials: set[int]) -> int | None:
        finite = [trial for trial in sorted(trials) if self._errors[trial] < math.inf]
        return min(finite, key=lambda trial: self._errors[trial], default=None)

    def _send_on(self, trial: int | None) -> None:
        if trial is not None and trial not in self._went_on:
            self._went_on.add(trial)
            self._to_the_end.append(trial)

    def hears(self, epoch: int) -> bool:
        """After i epochs."""
        return epoch == self._i

    def reported(self, trial: int, epoch: int, error: float) -> bool:
        """Judged once; it waits."""
        if epoch == self._i < self._epochs:
            self._judged(trial, error)
        return False

    def diverged(self, trial: int, epoch: int) -> None:
        """Judged last, if it was not judged before."""
        if trial not in self._errors:
            self._judged(trial, math.inf)

    def _judged(self, trial: int, error: float) -> None:
        self._errors[trial] = error
        if len(self._errors).bit_count() == 1:
            self._send_on(self._best(set(self._errors)))
