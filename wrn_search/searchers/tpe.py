"""Searcher `tpe`: Optuna's tree-structured Parzen estimator, each hyperparameter by itself.

Bergstra et al., "Algorithms for Hyper-Parameter Optimization" (NIPS 2011), section 4. The densities are Optuna's own
(`parzen_densities.py`), and up to `MOST_WORSE` configurations proposals are its `TPESampler`'s, number by number (the
tests compare). Optuna sorts and converts all trials anew for each hyperparameter of each proposal; here each is sorted
in once, when it ends.

Beyond `MOST_WORSE` the density of the worse ones is an average over so many of them: running ones first (the newest,
at most half), then ended ones drawn at random by (search.seed, configuration), afresh for each proposal. The better
ones, at most 25, are always the best of all. So a proposal costs hardly more after 100,000 configurations than after
1,000, and no one is forgotten: a window on the latest would take where the search has settled for all that is bad.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from wrn_search.searchers.searcher import Curve, Full, Hparams, Outcome, Pruned, SearchedSpace, SearcherKind
from wrn_search.searchers.untried import Untried
from wrn_search.seeds import derived_seed

if TYPE_CHECKING:
    from wrn_search.searchers.parzen.better_and_worse import Observed
    from wrn_search.searchers.parzen.parzen_densities import Density

_DRAWN_AT_RANDOM = 10  # Optuna's default, running trials counted
MOST_WORSE = 1000  # of which the density of the worse ones is made
_CANDIDATES = 24  # Optuna's default


class TpeSearcher:
    """Proposes, of candidates from the density of the better ones, that where the worse ones are rarest.

    Trials that still run count as bad ones (a constant liar), so that those proposed meanwhile lie elsewhere.

    Args:
        space: what is searched.
        together: whether one density is made over all hyperparameters; else one for each.
    """

    def __init__(self, space: SearchedSpace, *, together: bool = False):
        from optuna.samplers import TPESampler
        from optuna.samplers._tpe.sampler import default_gamma

        from wrn_search.searchers.optuna_distributions import distributions_of
        from wrn_search.searchers.parzen.better_and_worse import BetterAndWorse
        from wrn_search.searchers.parzen.parzen_densities import density_of
        from wrn_search.searchers.uniform_draws import UniformDraws

        self._seed = space.seed
        self._untried = Untried(space)
        self._draws = UniformDraws(space.hyperparameters)
        self._distributions = distributions_of(space)
        self._heard = BetterAndWorse(self._distributions, space.idle)
        # Optuna's own, though private: each version has its densities and its share of better ones.
        optuna_s = TPESampler(seed=0, constant_liar=True)
        self._density_of = density_of
        self._parameters = optuna_s._parzen_estimator_parameters
        self._how_many_better = optuna_s._gamma or default_gamma
        names = [name for name, domain in space.hyperparameters.items() if not (together and domain.when)]
        # Optuna's order, in which it draws.
        groups = [sorted(names)] if together and names else [[name] for name in names]
        # What applies to some configurations only is drawn by itself, from those alone.
        groups += [[name] for name in self._distributions if name not in names]
        self._groups = [{name: self._distributions[name] for name in group} for group in groups]
        self._generator = np.random.RandomState(0)
        self._of_better: tuple[list[bytes], list[Density]] = [], []  # (values of the better ones, densities)

    def propose(self, configuration: int) -> Hparams | None:
        """A configuration that was not tried before."""
        if self._heard.ended < _DRAWN_AT_RANDOM:
            return self._untried.draw(configuration, self._draws.at)
        thinned = derived_seed(self._seed, "thinned", configuration)
        split = self._heard.split(self._how_many_better(self._heard.ended), MOST_WORSE, thinned)
        better, worse = self._densities_of_better(split.better), self._densities(split.worse)
        return self._untried.draw(configuration, lambda seed: self._draw(better, worse, seed))

    def proposed(self, configuration: int, hparams: Hparams) -> None:
        """It runs from now on, and counts as a bad one meanwhile."""
        self._untried.take(hparams)
        self._heard.began(configuration, hparams)

    def told(self, configuration: int, outcome: Outcome) -> None:
        """Full values are compared; behind them come early ends, those that got further first; crashes do not count."""
        match outcome:
            case Full(val_error):
                self._heard.ended_with(configuration, {0: val_error}, full=True)
            case Pruned(curve):
                self._heard.ended_with(configuration, curve, full=False)
            case _:
                self._heard.crashed(configuration)

    def known(self, source: str, hparams: Hparams, curve: Curve, full: bool) -> None:
        """Counts beside what was found here: these configurations were never asked for, and may be tried again."""
        self._heard.found_elsewhere(source, hparams, curve, full)

    def _densities_of_better(self, side: Observed) -> list[Density]:
        """Of most proposals the better ones are those of the proposal before."""
        key = [values.tobytes() for values in side.values()]
        if self._of_better[0] != key:
            self._of_better = key, self._densities(side)
        return self._of_better[1]

    def _densities(self, side: Observed) -> list[Density]:
        """Of each group."""
        return [
            self._density_of(_that_apply(side, list(group)), group, self._parameters)
            for group in self._groups
        ]

    def _draw(self, better: Sequence[Density], worse: Sequence[Density], seed: int) -> Hparams:
        """A configuration from the densities of the better and of the worse ones, of each group."""
        self._generator.seed(seed)
        drawn: Hparams = {}
        for group, likely, unlikely in zip(self._groups, better, worse, strict=True):
            candidates = likely.sample(self._generator, _CANDIDATES)
            best = int(np.argmax(likely.log_pdf(candidates) - unlikely.log_pdf(candidates)))
            for name, distribution in group.items():
                drawn[name] = distribution.to_external_repr(candidates[name][best].item())
        return {name: drawn[name] for name in self._distributions}


def _that_apply(side: Observed, names: Sequence[str]) -> Observed:
    """The values of these hyperparameters, of all configurations to which they all apply."""
    idle = np.isnan(side[names[0]])
    for name in names[1:]:
        idle |= np.isnan(side[name])
    return {name: side[name][~idle] if idle.any() else side[name] for name in names}


TPE = SearcherKind(
    TpeSearcher,
    learns=True,
    drawn_at_random=_DRAWN_AT_RANDOM,
    can_be_warm_started=True,
    goes_by_places=True,
)
