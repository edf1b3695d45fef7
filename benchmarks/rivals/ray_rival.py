"""Ray's own search: `OptunaSearch` with `ASHAScheduler`, by the methods that Tune's controller calls; no cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import optuna
from ray.tune.schedulers import ASHAScheduler, TrialScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.rivals.recorded_trials import RecordedTrials
from benchmarks.rivals.snapped_sampler import SnappedSampler
from wrn_search.replay.curve_table import CurveTable
from wrn_search.replay.simulated_clock import Begun, Clock
from wrn_search.seeds import derived_seed

_METRIC, _TIME = "val_error", "training_iteration"


@dataclass(frozen=True)
class _Trial:
    """All that ASHA asks of a trial."""

    trial_id: str


class RaySearch:
    """Both with their documented defaults: grace period 1, reduction factor 4, one bracket; `max_t` is the epochs.

    `OptunaSearch` cannot be told by its methods that another configuration was trained than the one it suggested, but
    takes a sampler: here TPE as it would make it itself, whose proposals are recorded configurations. Results reach
    both as the controller hands them on: the scheduler first; what it stops is told to the searcher as ended with the
    error it had, and its last report never as a report. A trial that diverged ends with the error of chance.
    """

    def __init__(self, table: CurveTable, seed: int, most: int, workers: int, clock: Clock):
        self._table = table
        self._trials = RecordedTrials(table, seed, most)
        own_seed = derived_seed(seed, "TPE of a study") % 2**32
        self._sampler = SnappedSampler(optuna.samplers.TPESampler(seed=own_seed), table, self._trials)
        self._search = OptunaSearch(
            self._sampler.distributions, metric=_METRIC, mode="min", sampler=self._sampler
        )
        self._scheduler = ASHAScheduler(
            time_attr=_TIME,
            metric=_METRIC,
            mode="min",
            max_t=table.epochs,
            grace_period=1,
            reduction_factor=4,
            brackets=1,
        )
        np.random.seed(own_seed)  # ASHA draws the bracket of a trial from NumPy's global generator

    def next_trial(self) -> Begun | None:
        """What the searcher suggests."""
        if not self._trials.left:
            return None
        identity = str(self._trials.begun)
        suggested = self._search.suggest(identity)
        assert suggested == self._table.configurations[self._sampler.place]
        self._scheduler.on_trial_add(None, _Trial(identity))
        return self._trials.begin(self._sampler.place)

    def hears(self, epoch: int) -> bool:
        """Every epoch."""
        return True

    def reported(self, trial: int, epoch: int, error: float) -> bool:
        """Whether the scheduler lets it go on."""
        result = {_TIME: epoch, _METRIC: error}
        decision = self._scheduler.on_trial_result(None, _Trial(str(trial)), result)
        if decision == TrialScheduler.STOP:
            self._ended(trial, result)
            return False
        self._search.on_trial_result(str(trial), result)
        return True

    def diverged(self, trial: int, epoch: int) -> None:
        """It ended by itself."""
        self._ended(trial, {_TIME: epoch, _METRIC: self._table.facts.chance_error})

    def _ended(self, trial: int, result: dict[str, float]) -> None:
        self._scheduler.on_trial_complete(None, _Trial(str(trial)), result)
        self._search.on_trial_complete(str(trial), result)
