"""Searchers made of Optuna's samplers.

Our own adapter, because Ray's tells early values as if they were results and leaves trials with NaN running for ever.
"""

from __future__ import annotations

import datetime
import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from wrn_search.searchers.grid_search import grid_point
from wrn_search.searchers.knowledge_of_other_searches import together
from wrn_search.searchers.optuna_distributions import distribution_of
from wrn_search.searchers.searcher import Curve, Full, Hparams, Outcome, Pruned, SearchedSpace
from wrn_search.seeds import derived_seed
from wrn_search.space.domains import (
    Choice,
    Domain,
    IntRange,
    LogUniform,
    Scalar,
    Uniform,
    few_values,
    finite_values,
)

optuna.logging.set_verbosity(optuna.logging.WARNING)

_DRAWS_BEFORE_ENUMERATING = 20
_DRAWS_ANYWHERE = 100
_FEW = 1000  # numbers of an interval


class OptunaSearcher:
    """One of Optuna's samplers, a fresh one for each proposal, seeded by (search.seed, configuration).

    So it must be a sampler whose proposals follow from the ended trials alone, such as TPE or a Gaussian process; one
    that keeps a state of its own between trials (CMA-ES, quasi-random sequences) would begin anew each time.

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
        self._seed = space.seed
        self._make_sampler = make_sampler
        self._together = together
        self._distributions = {
            name: distribution_of(domain) for name, domain in space.hyperparameters.items()
        }
        # Points that the study keeps are exact copies of events: this sampler is never asked.
        self._study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        self._trials: dict[int, optuna.Trial] = {}
        self._known: dict[str, list[FrozenTrial]] = {}  # source -> what was found there
        # Both together for the next proposal: 20 draws of it must not join a thousand trials 20 times.
        self._joined: optuna.Study | None = None
        self._taken: set[tuple[Scalar, ...]] = set()

    def propose(self, configuration: int) -> Hparams | None:
        """A draw of the sampler; in a finite space one that was not tried before."""
        size = self._space.size
        if size is not None and len(self._taken) >= size:
            return None
        for attempt in range(_DRAWS_BEFORE_ENUMERATING):
            hparams = self._draw(derived_seed(self._seed, "proposal", configuration, attempt))
            if tuple(hparams.values()) not in self._taken:
                return hparams
        generator = random.Random(derived_seed(self._seed, "untried", configuration))
        return self._untried_number(generator) if size is None else self._untried(size, generator)

    def proposed(self, configuration: int, hparams: Hparams) -> None:
        """The study holds the configuration as running from now on."""
        self._joined = None
        self._taken.add(tuple(hparams[name] for name in self._distributions))
        self._study.enqueue_trial(hparams)
        self._trials[configuration] = self._study.ask(self._distributions)

    def told(self, configuration: int, outcome: Outcome) -> None:
        """Full values as COMPLETE, early ends as PRUNED with what was seen on the way, crashes as FAIL."""
        self._joined = None
        trial = self._trials.pop(configuration)
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
        trial = optuna.trial.create_trial(
            state=TrialState.COMPLETE if full else TrialState.PRUNED,
            value=curve[max(curve)] if full else None,
            params=hparams,
            distributions=self._distributions,
            intermediate_values={} if full else curve,
        )
        self._known.setdefault(source, []).append(trial)

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

    def _untried(self, size: int, generator: random.Random) -> Hparams:
        """The first untried point of the grid from a random one on."""
        start = generator.randrange(size)
        for step in range(size):
            point = grid_point(self._space.hyperparameters, (start + step) % size)
            assert point is not None
            if tuple(point.values()) not in self._taken:
                return point
        raise AssertionError("the caller saw that a point is left")

    def _untried_number(self, generator: random.Random) -> Hparams | None:
        """An untried point of a space that repeats itself although it is continuous; None when there is none left.

        Its intervals are so narrow that they hold few numbers, or a sampler that learns has settled on one.
        """
        domains = self._space.hyperparameters
        for _ in range(_DRAWS_ANYWHERE):
            point = {name: _anywhere(domain, generator) for name, domain in domains.items()}
            if tuple(point.values()) not in self._taken:
                return point
        values = [few_values(domain, _FEW) for domain in domains.values()]
        if any(each is None for each in values):
            return None
        points = itertools.product(*(each or () for each in values))
        left = next((point for point in points if point not in self._taken), None)
        return None if left is None else dict(zip(domains, left, strict=True))


def _anywhere(domain: Domain, generator: random.Random) -> Scalar:
    """A random value of a domain."""
    match domain:
        case Uniform(low, high):
            return min(max(generator.uniform(low, high), low), high)
        case LogUniform(low, high):
            return min(max(math.exp(generator.uniform(math.log(low), math.log(high))), low), high)
        case _:
            return generator.choice(finite_values(domain) or ())


def _native(domain: Domain, value: Any) -> Scalar:
    """Optuna may hand out NumPy's numbers; the record and Parquet take Python's."""
    match domain:
        case Choice():
            return value  # type: ignore[no-any-return]
        case IntRange():
            return int(value)
        case _:
            return float(value)
