"""An Optuna sampler whose proposals are recorded configurations, so that a rival hears of what was really trained."""

from __future__ import annotations

from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from benchmarks.rivals.recorded_trials import RecordedTrials
from wrn_search.replay.curve_table import CurveTable
from wrn_search.searchers.optuna_distributions import distribution_of
from wrn_search.space.domains import finite_values

optuna.logging.set_verbosity(optuna.logging.ERROR)


class SnappedSampler(optuna.samplers.BaseSampler):
    """Another sampler's proposals, drawn as a study draws them: together what it samples together, else one by one.

    All of it goes through the interface that Optuna documents for samplers of users. Asking a study twice, for a
    proposal and for the configuration near it, would move Hyperband's brackets, which follow the number of the trial.

    Args:
        sampler: the other one.
        table: of the play.
        trials: take the nearest configuration.
    """

    def __init__(self, sampler: optuna.samplers.BaseSampler, table: CurveTable, trials: RecordedTrials):
        self._sampler, self._table, self._trials = sampler, table, trials
        self.distributions = {name: distribution_of(domain) for name, domain in table.hyperparameters.items()}
        self.place = -1  # of the last proposal

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """All: a configuration is snapped as a whole."""
        return dict(self.distributions)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The recorded configuration nearest to the other sampler's proposal."""
        space = self._sampler.infer_relative_search_space(study, trial)
        drawn = self._sampler.sample_relative(study, trial, space)
        for name, distribution in self.distributions.items():
            if name not in drawn:
                drawn[name] = (
                    self._only_value(name)
                    if distribution.single()
                    else self._sampler.sample_independent(study, trial, name, distribution)
                )
        self.place = self._trials.snapped(drawn)
        return dict(self._table.configurations[self.place])

    def _only_value(self, name: str) -> Any:
        domain = self._table.hyperparameters[name]
        return (finite_values(domain) or (domain.low,))[0]  # type: ignore[union-attr]

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Only for a hyperparameter with a single value."""
        return self._table.configurations[self.place][param_name]

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """The other sampler's."""
        self._sampler.before_trial(study, trial)

    def after_trial(self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Any) -> None:
        """The other sampler's."""
        self._sampler.after_trial(study, trial, state, values)

    def reseed_rng(self) -> None:
        """The other sampler's."""
        self._sampler.reseed_rng()
