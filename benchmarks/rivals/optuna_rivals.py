"""Optuna's own search: its TPE sampler as it comes with one of its pruners, by ask, report, should_prune and tell."""

from __future__ import annotations

from collections.abc import Callable

import optuna
from optuna.trial import TrialState

from benchmarks.rivals.recorded_trials import RecordedTrials
from benchmarks.rivals.snapped_sampler import SnappedSampler
from wrn_search.replay.curve_table import CurveTable
from wrn_search.replay.simulated_clock import Begun, Clock
from wrn_search.seeds import derived_seed

MakePruner = Callable[[CurveTable], optuna.pruners.BasePruner]


class OptunaSearch:
    """A study as its documentation has it: every epoch is reported, then it is asked whether to prune.

    A whole training is told COMPLETE with its last error, even if the pruner would have pruned it there: that favours
    the rival. A diverged one is told COMPLETE with the error of chance, as ours are.

    Args:
        make_pruner: from the table, whose epochs Hyperband must know.
        table, seed, most, workers, clock: of the play.
    """

    def __init__(
        self, make_pruner: MakePruner, table: CurveTable, seed: int, most: int, workers: int, clock: Clock
    ):
        self._table = table
        self._trials = RecordedTrials(table, seed, most)
        tpe = optuna.samplers.TPESampler(seed=derived_seed(seed, "TPE of a study") % 2**32)
        self._sampler = SnappedSampler(tpe, table, self._trials)
        # Hyperband's brackets follow the study's name: without one it would have a random name.
        self._study = optuna.create_study(
            study_name=f"play {seed}", sampler=self._sampler, pruner=make_pruner(table)
        )
        self._asked: dict[int, optuna.Trial] = {}

    def next_trial(self) -> Begun | None:
        """What the study asks for."""
        if not self._trials.left:
            return None
        asked = self._study.ask(self._sampler.distributions)
        assert asked.params == self._table.configurations[self._sampler.place]
        begun = self._trials.begin(self._sampler.place)
        self._asked[begun.trial] = asked
        return begun

    def hears(self, epoch: int) -> bool:
        """Every epoch."""
        return True

    def reported(self, trial: int, epoch: int, error: float) -> bool:
        """Reported, and pruned if the study says so."""
        asked = self._asked[trial]
        asked.report(error, epoch)
        if epoch == self._table.epochs:
            self._study.tell(asked, error)
        elif asked.should_prune():
            self._study.tell(asked, state=TrialState.PRUNED)
        else:
            return True
        return False

    def diverged(self, trial: int, epoch: int) -> None:
        """Told the error of chance."""
        self._study.tell(self._asked[trial], self._table.facts.chance_error)


def successive_halving(table: CurveTable) -> optuna.pruners.BasePruner:
    """As it comes: reduction factor 4, the least resource guessed from the first trial that ended."""
    return optuna.pruners.SuccessiveHalvingPruner()


def hyperband(table: CurveTable) -> optuna.pruners.BasePruner:
    """As it comes (reduction factor 3), told the epochs: by itself it would wait for the first trial that ends."""
    return optuna.pruners.HyperbandPruner(max_resource=table.epochs)


def median(table: CurveTable) -> optuna.pruners.BasePruner:
    """As it comes: no pruning before five trials have ended."""
    return optuna.pruners.MedianPruner()
