"""Searchers made of Optuna's samplers, for those that have no faster way of their own.

Our own adapter, because Ray's tells early values as if they were results and leaves trials with NaN running for ever.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from wrn_search.searchers.knowledge_of_other_searches import together
from wrn_search.searchers.optuna_distributions import distributions_of
from wrn_search.searchers.searcher import Curve, Full, Hparams, Outcome, Pruned, SearchedSpace
from wrn_search.searchers.untried import Untried
from wrn_search.space.domains import Choice, Domain, IntRange, Scalar

optuna.logging.set_verbosity(optuna.logging.WARNING)


class OptunaSearcher:
    """One of Optuna's samplers, a fresh one for each proposal, seeded by (search.seed, configuration).

    So it must be a sampler whose proposals follow from the ended trials alone, such as TPE; one that keeps a state of
    its own between trials (CMA-ES, quasi-random sequences) would begin anew each time. Those that compare full values
    alone would be random for most of a search that stops trials early: `samplers/` has a way for such.

    Args:
        space: what is searched.
        make_sampler: seed -> the sampler.
        together: whether it proposes all hyperparameters together (Optuna's relative sampling) where it can; else
            each by itself.
    """

    def __init__(
        self,
        space: SearchedSpace,
        make_sampler: Callable[[int], optuna.samplers.BaseSampler],
        *,
        together: bool = True,
    ):
        self._space = space
        self._untried = Untried(space)
        self._make_sampler = make_sampler
        self._together = together
        self._distributions = distributions_of(space)
        # Points that the study keeps are exact copies of events: this sampler is never asked.
        self._study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        self._trials: dict[int, optuna.Trial] = {}
        self._told: set[int] = set()
        self._known: dict[str, list[FrozenTrial]] = {}  # source -> what was found there
        # Both together for the next proposal: 20 draws of it must not join a thousand trials 20 times.
        self._joined: optuna.Study | None = None

    def propose(self, configuration: int) -> Hparams | None:
        """A draw of the sampler; in a finite space one that was not tried before."""
        return self._untried.draw(configuration, self._draw)

    def proposed(self, configuration: int, hparams: Hparams) -> None:
        """The study holds the configuration as running from now on."""
        self._joined = None
        self._untried.take(hparams)
        values, distributions = self._that_apply(hparams)
        self._study.enqueue_trial(values)
        self._trials[configuration] = self._study.ask(distributions)

    def told(self, configuration: int, outcome: Outcome) -> None:
        """Full values as COMPLETE, early ends as PRUNED with what was seen on the way, crashes as FAIL."""
        self._joined = None
        if configuration in self._told:  # it waited at a rung, and more has come of it
            self._reopen(configuration)
        self._told.add(configuration)
        trial = self._trials[configuration]
        match outcome:
            case Full(val_error):
                self._study.tell(trial, val_error)
            case Pruned(curve):
                for epoch, val_error in curve.items():
                    trial.report(val_error, epoch)
                self._study.tell(trial, state=TrialState.PRUNED)
            case _:
                self._study.tell(trial, state=TrialState.FAIL)

    def known(self, source: str, hparams: Hparams, curve: Curve, full: bool) -> None:
        """Lies beside the study: these trials were never asked for here, and may be tried again."""
        self._joined = None
        values, distributions = self._that_apply(hparams)
        trial = optuna.trial.create_trial(
            state=TrialState.COMPLETE if full else TrialState.PRUNED,
            value=curve[max(curve)] if full else None,
            params=values,
            distributions=distributions,
            intermediate_values={} if full else curve,
        )
        self._known.setdefault(source, []).append(trial)

    def _reopen(self, configuration: int) -> None:
        """The study anew, with one configuration running again: Optuna's trials end once."""
        before = self._study.get_trials(deepcopy=False)
        self._study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        for each, trial in self._trials.items():
            frozen = before[trial.number]
            if frozen.state.is_finished() and each != configuration:
                self._study.add_trial(frozen)
            else:
                self._study.enqueue_trial(frozen.params)
                self._trials[each] = self._study.ask(frozen.distributions)

    def _that_apply(self, hparams: Hparams) -> tuple[Hparams, dict[str, BaseDistribution]]:
        """The hyperparameters that apply, and their distributions: Optuna's samplers take spaces that differ."""
        idle = self._space.idle(hparams)
        distributions = {name: each for name, each in self._distributions.items() if name not in idle}
        return {name: hparams[name] for name in distributions}, distributions

    def _all_that_is_known(self) -> optuna.Study:
        """The study, and with it what other searches found, if there is any; made anew when that has changed."""
        if not self._known:
            return self._study
        if self._joined is None:
            self._joined = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
            self._joined.add_trials(together(self._study.get_trials(deepcopy=False), self._known))
        return self._joined

    def _draw(self, seed: int) -> Hparams:
        sampler = self._make_sampler(seed)
        study = self._all_that_is_known()
        asked = FrozenTrial(
            number=len(study.get_trials(deepcopy=False)),
            state=TrialState.RUNNING,
            value=None,
            datetime_start=datetime.datetime.now(),
            datetime_complete=None,
            params={},
            distributions={},
            user_attrs={},
            system_attrs={},
            intermediate_values={},
            trial_id=-1,  # not in the study: a question leaves no trace
        )
        drawn: dict[str, Any] = {}
        if self._together:
            relative = sampler.infer_relative_search_space(study, asked)
            drawn = sampler.sample_relative(study, asked, relative)
        for name, distribution in self._distributions.items():
            if name not in drawn:
                drawn[name] = sampler.sample_independent(study, asked, name, distribution)
        return {name: _native(domain, drawn[name]) for name, domain in self._space.hyperparameters.items()}


def _native(domain: Domain, value: Any) -> Scalar:
    """Optuna may hand out NumPy's numbers; the record and Parquet take Python's."""
    match domain:
        case Choice():
            return value  # type: ignore[no-any-return]
        case IntRange():
            return round(float(value))
        case _:
            return float(value)
