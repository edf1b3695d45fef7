"""Searcher `gp`: a Gaussian process over the places of what has ended; proposes where most improvement is expected.

Optuna's `GPSampler` (Matérn kernel with a length scale for each axis, log expected improvement; those that run count by
`qLogEI`). It is told the normal score of each place, not errors: one that diverged would stretch the scale until all
others look alike.

A process over n configurations costs n^3, so it is told at most `MOST_TOLD`: the best half of so many, and of the
others a draw, afresh for each proposal by (search.seed, configuration). Of those that run it is told the newest
`MOST_RUNNING`. So a proposal costs no more after 100,000 configurations than after some hundred.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from wrn_search.searchers.samplers.ends_by_worth import EndsByWorth, Placed
from wrn_search.searchers.samplers.optunas_axes import OptunasAxes
from wrn_search.searchers.samplers.ranked_searcher import Draw, ranked_kind
from wrn_search.searchers.searcher import Hparams, SearchedSpace
from wrn_search.seeds import derived_seed

if TYPE_CHECKING:
    import optuna

MOST_TOLD = 200
MOST_RUNNING = 16
# Of Optuna's 2,048 random points and 10 local searches for the best one, which took half of the time or more.
_RANDOM_POINTS = 512
_LOCAL_SEARCHES = 4


class GaussianProcess:
    """Draws the point with the highest expected improvement that was not tried."""

    def __init__(self, space: SearchedSpace):
        from wrn_search.searchers.uniform_draws import UniformDraws

        self._seed = space.seed
        self._uniform = UniformDraws(space.hyperparameters)
        self._axes = OptunasAxes(space)
        self._middle = self._axes.middle()

    def heard(self, ends: EndsByWorth) -> None:
        """All is looked at anew for each proposal."""

    def drawing(self, ends: EndsByWorth, configuration: int, is_new: Callable[[Hparams], bool]) -> Draw:
        """First the best point that was not tried; where all that were looked at were, draws at random."""
        if not self._axes.distributions:
            return self._uniform.at
        first = [self._best(ends, configuration, is_new)]
        return lambda seed: first.pop() if first else self._uniform.at(seed)

    def _best(self, ends: EndsByWorth, configuration: int, is_new: Callable[[Hparams], bool]) -> Hparams:
        import optuna

        told = thinned(ends.placed(), MOST_TOLD, derived_seed(self._seed, "thinned", configuration))
        runs = list(ends.running.values())[-MOST_RUNNING:]
        score = NormalDist().inv_cdf
        trials = [self._axes.trial(each.hparams, self._middle, score(each.place)) for each in told]
        trials += [self._axes.trial(hparams, self._middle, None) for hparams in runs]
        sampler = _sampler(
            derived_seed(self._seed, "process", configuration),
            lambda params: is_new(self._axes.point(params)),
        )
        study = optuna.create_study(sampler=sampler)
        study.add_trials(trials)
        return self._axes.point(study.ask(self._axes.distributions).params)


def thinned(placed: list[Placed], most: int, seed: int) -> list[Placed]:
    """At most so many, in their order: the best half of them, and a draw of the others."""
    if len(placed) <= most:
        return placed
    rising = sorted(range(len(placed)), key=lambda number: placed[number].place)
    best, others = rising[: most // 2], rising[most // 2 :]
    drawn = np.random.RandomState(seed).permutation(len(others))[: most - len(best)]
    return [placed[number] for number in sorted([*best, *(others[each] for each in drawn)])]


def _sampler(seed: int, is_new: Callable[[dict[str, Any]], bool]) -> optuna.samplers.BaseSampler:
    """Optuna's sampler that takes, where its point was tried, the best of random ones that were not."""
    import optuna

    class Untried(optuna.samplers.GPSampler):
        def _optimize_acqf(self, acqf: Any, best_params: Any) -> Any:
            found = super()._optimize_acqf(acqf, best_params)
            if is_new(acqf.search_space.get_unnormalized_param(found)):
                return found
            points = acqf.search_space.sample_normalized_params(_RANDOM_POINTS, rng=self._rng.rng)
            for place in np.argsort(-acqf.eval_acqf_no_grad(points), kind="stable"):
                if is_new(acqf.search_space.get_unnormalized_param(points[place])):
                    return points[place]
            return found

    sampler = Untried(seed=seed, n_startup_trials=1, warn_independent_sampling=False)
    sampler._n_preliminary_samples, sampler._n_local_search = _RANDOM_POINTS, _LOCAL_SEARCHES
    return sampler


GP = ranked_kind(GaussianProcess)
