"""NSGA-II of Optuna itself on recorded curves: error and parameters, without early stopping."""

from __future__ import annotations

import math

import optuna

from benchmarks.rivals.recorded_trials import RecordedTrials
from benchmarks.rivals.snapped_sampler import SnappedSampler
from wrn_search.replay.curve_table import CurveTable
from wrn_search.replay.simulated_clock import Begun
from wrn_search.seeds import derived_seed


class OptunasGenetic:
    """Optuna's NSGA-II over both objectives, every training whole."""

    def __init__(self, table: CurveTable, seed: int, parents: int):
        self._table = table
        self._trials = RecordedTrials(table, seed, len(table.configurations))
        genetic = optuna.samplers.NSGAIISampler(
            population_size=parents, seed=derived_seed(seed, "NSGA-II of a study") % 2**32
        )
        self._sampler = SnappedSampler(genetic, table, self._trials)
        self._study = optuna.create_study(directions=["minimize", "minimize"], sampler=self._sampler)
        self._asked: dict[int, tuple[optuna.Trial, int]] = {}

    def next_trial(self) -> Begun | None:
        """What the study asks for."""
        if not self._trials.left:
            return None
        asked = self._study.ask(self._sampler.distributions)
        begun = self._trials.begin(self._sampler.place)
        self._asked[begun.trial] = asked, self._table.sizes[self._sampler.place]
        return begun

    def hears(self, epoch: int) -> bool:
        """The last one alone."""
        return False

    def reported(self, trial: int, epoch: int, error: float) -> bool:
        """The end."""
        asked, size = self._asked[trial]
        self._study.tell(asked, [error, math.log(size)])
        return False

    def diverged(self, trial: int, epoch: int) -> None:
        """Told the error of chance."""
        asked, size = self._asked[trial]
        self._study.tell(asked, [self._table.facts.chance_error, math.log(size)])
