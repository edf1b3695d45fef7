"""Searchers: which configuration to try next. Three functions of one table, all behind one contract.

Our own adapter on Optuna's samplers, because Ray's tells early values as if they were results and leaves trials
with NaN running for ever. A proposal is a question that changes nothing; what a searcher knows comes from
`proposed` and `told` alone, so replaying a record gives the same knowledge.
"""

from __future__ import annotations

import datetime
import itertools
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from wrn_search.search.outcomes import Full, Outcome, Pruned
from wrn_search.search.seeds import derived_seed
from wrn_search.space.definition import Space
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Scalar, Uniform, finite_values

optuna.logging.set_verbosity(optuna.logging.WARNING)

Hparams = dict[str, Scalar]
Curve = dict[int, float]  # epoch -> validation error in percent
_DRAWS_BEFORE_ENUMERATING = 20


class Searcher(Protocol):
    """The contract of every searcher. Configurations are numbered from 0 in the order of their proposal."""

    def propose(self, configuration: int) -> Hparams | None:
        """Native Python values for every hyperparameter, never twice the same; None when the space has run out."""

    def proposed(self, configuration: int, hparams: Hparams) -> None:
        """A proposal was accepted, or is replayed from the record."""

    def told(self, configuration: int, outcome: Outcome) -> None:
        """All repeats of a configuration have ended."""

    def known(self, source: str, hparams: Hparams, curve: Curve, full: bool) -> None:
        """What another search, `source`, found of a configuration: its value is the last of `curve` if `full`."""


class GridSearcher:
    """Every configuration of a finite space once, the last hyperparameter changing fastest."""

    def __init__(self, space: Space):
        self._hyperparameters = space.hyperparameters
        self._taken: set[tuple[Scalar, ...]] = set()
        self._next = 0  # all points before it are taken

    def propose(self, configuration: int) -> Hparams | None:
        """The first point of the grid that was not tried: the search may have begun with another grid."""
        for index in itertools.count(self._next):
            point = grid_point(self._hyperparameters, index)
            if point is None or tuple(point.values()) not in self._taken:
                return point
        raise AssertionError("a grid ends")

    def proposed(self, configuration: int, hparams: Hparams) -> None:
        """The point is taken."""
        self._taken.add(tuple(hparams[name] for name in self._hyperparameters))
        while (point := grid_point(self._hyperparameters, self._next)) is not None:
            if tuple(point.values()) not in self._taken:
                break
            self._next += 1

    def told(self, configuration: int, outcome: Outcome) -> None:
        """A grid learns nothing."""

    def known(self, source: str, hparams: Hparams, curve: Curve, full: bool) -> None:
        """A grid learns nothing."""


class OptunaSearcher:
    """Optuna's samplers, a fresh one for each proposal, seeded by (search.seed, configuration)."""

    def __init__(self, space: Space, make_sampler: Callable[[int], optuna.samplers.BaseSampler]):
        self._space = space
        self._seed = space.search.seed
        self._make_sampler = make_sampler
        self._distributions = {name: _distribution(domain) for name, domain in space.hyperparameters.items()}
        # Points that the study keeps are exact copies of events: this sampler is never asked.
        self._study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        self._trials: dict[int, optuna.Trial] = {}
        self._known: dict[str, list[FrozenTrial]] = {}  # source -> what was found there
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
        assert size is not None, "a continuous space does not repeat itself"
        return self._untried(size, random.Random(derived_seed(self._seed, "untried", configuration)))

    def proposed(self, configuration: int, hparams: Hparams) -> None:
        """The study holds the configuration as running from now on."""
        self._taken.add(tuple(hparams[name] for name in self._distributions))
        self._study.enqueue_trial(hparams)
        self._trials[configuration] = self._study.ask(self._distributions)

    def told(self, configuration: int, outcome: Outcome) -> None:
        """Full values as COMPLETE, early ends as PRUNED with what was seen on the way, crashes as FAIL."""
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
        trial = optuna.trial.create_trial(
            state=TrialState.COMPLETE if full else TrialState.PRUNED,
            value=curve[max(curve)] if full else None,
            params=hparams,
            distributions=self._distributions,
            intermediate_values={} if full else curve,
        )
        self._known.setdefault(source, []).append(trial)

    def _all_that_is_known(self) -> optuna.Study:
        """The study, and with it what other searches found, if there is any.

        Errors of another data set or another number of epochs cannot be compared with ours, but ranks can: so
        then each trial is told by its place among the full values of its own search, from 0 to 1.
        """
        if not self._known:
            return self._study
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        for trials in (*self._known.values(), self._study.get_trials(deepcopy=False)):
            study.add_trials(_by_rank(trials))
        return study

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
        return {
            name: _native(domain, sampler.sample_independent(study, asked, name, self._distributions[name]))
            for name, domain in self._space.hyperparameters.items()
        }

    def _untried(self, size: int, generator: random.Random) -> Hparams:
        """The first untried point of the grid from a random one on."""
        start = generator.randrange(size)
        for step in range(size):
            point = grid_point(self._space.hyperparameters, (start + step) % size)
            assert point is not None
            if tuple(point.values()) not in self._taken:
                return point
        raise AssertionError("the caller saw that a point is left")


def _by_rank(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The same trials, full values replaced by their places: (number of lower ones + half a place) / n."""
    values = sorted(trial.value for trial in trials if trial.value is not None)
    return [
        optuna.trial.create_trial(
            state=trial.state,
            value=None if trial.value is None else (bisect_left(values, trial.value) + 0.5) / len(values),
            params=trial.params,
            distributions=trial.distributions,
            intermediate_values=trial.intermediate_values,
        )
        for trial in trials
    ]


def grid_point(hyperparameters: dict[str, Domain], index: int) -> Hparams | None:
    """Point `index` of the grid over finite domains, the last one changing fastest; None past the end."""
    point: Hparams = {}
    for name, domain in reversed(hyperparameters.items()):
        values = finite_values(domain)
        assert values is not None, f"{name} is continuous"
        index, position = divmod(index, len(values))
        point[name] = values[position]
    return dict(reversed(point.items())) if index == 0 else None


def _distribution(domain: Domain) -> BaseDistribution:
    match domain:
        case Choice(options):
            return CategoricalDistribution(options)
        case IntRange(low, high, step):
            return IntDistribution(low, high, step=step)
        case Uniform(low, high):
            return FloatDistribution(low, high)
        case LogUniform(low, high):
            return FloatDistribution(low, high, log=True)


def _native(domain: Domain, value: Any) -> Scalar:
    """Optuna may hand out NumPy's numbers; the record and Parquet take Python's."""
    match domain:
        case Choice():
            return value  # type: ignore[no-any-return]
        case IntRange():
            return int(value)
        case _:
            return float(value)


def _random(space: Space) -> Searcher:
    return OptunaSearcher(space, lambda seed: optuna.samplers.RandomSampler(seed=seed))


def _tpe(space: Space) -> Searcher:
    # constant_liar: trials that still run count as bad ones, so that those proposed meanwhile lie elsewhere.
    return OptunaSearcher(space, lambda seed: optuna.samplers.TPESampler(seed=seed, constant_liar=True))


SEARCHERS: dict[str, Callable[[Space], Searcher]] = {"random": _random, "grid": GridSearcher, "tpe": _tpe}
