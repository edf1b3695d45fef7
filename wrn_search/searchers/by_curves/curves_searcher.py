"""Searcher `curves`: the configuration whose first epochs, by all curves so far, are worth most to the search's goal.

Goal `best`: the expected improvement (Jones, Schonlau and Welch 1998) of the end by a Gaussian process over
hyperparameters and epochs (`curve_process/`). Goal `tradeoff`: how much they would narrow depth against width
(`known_effects.py`). Every value at every level counts, also those of configurations that wait or were stopped. The
first ones are drawn at random, and one in ten later on, whatever is expected.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from wrn_search.searchers.searcher import (
    Curve,
    Full,
    Hparams,
    Outcome,
    Pruned,
    SearchedSpace,
    SearcherKind,
)
from wrn_search.searchers.untried import Untried
from wrn_search.seeds import derived_seed

if TYPE_CHECKING:
    from wrn_search.curve_process.curves_of_search import CurvesOfSearch
    from wrn_search.curve_process.known_curves import KnownCurves
    from wrn_search.searchers.by_curves.known_effects import KnownEffects

DRAWN_AT_FIRST = 8
ONE_IN = 10  # configurations is drawn at random later on
_CANDIDATES, _BEST, _NEIGHBOURS = 200, 5, 8
_TYPICAL = 64
_EVERYTHING = 100.0  # percent: an error of chance that nobody knows
_MANY = 10_000  # images that errors are counted on, where nobody says


class CurvesSearcher:
    """Proposes, of random candidates and neighbours of the best, that which is worth most.

    Configurations that train count as if they had come to their next levels with what is expected there, so that those
    proposed meanwhile lie elsewhere.

    Args:
        space: what is searched; its `curves`, if it has them, are told by somebody else.
    """

    def __init__(self, space: SearchedSpace):
        from wrn_search.searchers.by_curves.unit_cube import UnitCube
        from wrn_search.searchers.uniform_draws import UniformDraws

        self._space = space
        self._untried = Untried(space)
        self._draws = UniformDraws(space.hyperparameters)
        self._cube = UnitCube(space.hyperparameters)
        self._tells = space.curves is None
        self._curves = space.curves or known_curves(space, doubled_levels(1, space.epochs), _MANY)
        self._hparams: dict[int, Hparams] = {}  # of configurations, by number
        self._answer: tuple[int, int, Hparams | None] | None = None  # (configuration, moment, proposal)

    def propose(self, configuration: int) -> Hparams | None:
        """A configuration that was not tried before."""
        asked = (configuration, self._curves.moment)
        if self._answer is None or self._answer[:2] != asked:
            self._answer = (*asked, self._proposal(configuration))
        return self._answer[2]

    def proposed(self, configuration: int, hparams: Hparams) -> None:
        """It trains from now on."""
        self._answer = None
        self._untried.take(hparams)
        self._hparams[configuration] = hparams
        if self._tells:
            self._curves.begins(configuration, hparams)

    def told(self, configuration: int, outcome: Outcome) -> None:
        """Its values count from now on."""
        self._answer = None
        if self._tells:
            tell(self._curves, configuration, outcome)

    def known(self, source: str, hparams: Hparams, curve: Curve, full: bool) -> None:
        """What other searches found does not count."""

    def _proposal(self, configuration: int) -> Hparams | None:
        if (
            is_drawn_at_random(configuration)
            or not self._curves.has_values
            or not self._space.hyperparameters
        ):
            return self._untried.draw(configuration, self._draws.at)
        candidates = self._candidates(configuration)
        worth = self._curves.worth_by(candidates)
        falling = iter([candidates[place] for place in (-worth).argsort(kind="stable")])
        return self._untried.draw(configuration, lambda seed: next(falling))

    def _candidates(self, configuration: int) -> list[Hparams]:
        """Random ones, and neighbours of the best."""
        seed = self._space.seed
        drawn = [
            self._draws.at(derived_seed(seed, "candidate", configuration, place))
            for place in range(_CANDIDATES)
        ]
        generator = random.Random(derived_seed(seed, "neighbours", configuration))
        best = [each for each in self._curves.best_first()[:_BEST] if each in self._hparams]
        near = [self._cube.near(self._hparams[each], generator) for each in best for _ in range(_NEIGHBOURS)]
        return [self._space.canonical(each) for each in drawn + near]


def is_drawn_at_random(configuration: int) -> bool:
    """Whether it is, whatever was learned: the first ones, and one in ten later on."""
    return configuration < DRAWN_AT_FIRST or configuration % ONE_IN == ONE_IN - 1


def tell(curves: CurvesOfSearch, configuration: int, outcome: Outcome) -> None:
    """What a searcher is told of a configuration, as values at levels."""
    match outcome:
        case Full(val_error):
            curves.reaches(configuration, curves.epochs, val_error)
            curves.rests(configuration)
        case Pruned(curve):
            last = max(curve, default=0)
            for epoch in sorted(curve):
                if epoch == last or epoch in curves.levels:
                    curves.reaches(configuration, epoch, curve[epoch])
            curves.rests(configuration)
        case _:
            curves.crashes(configuration)


def known_curves(
    space: SearchedSpace, levels: tuple[int, ...], images: int, drops: tuple[int, ...] = ()
) -> KnownCurves:
    """Curves of which nothing is known yet.

    Args:
        space: what is searched.
        levels: epochs at which configurations are compared, rising, all below the last epoch.
        images: that errors are counted on.
        drops: epochs after which the learning rate has just dropped.
    """
    import numpy as np

    from wrn_search.curve_process.known_curves import KnownCurves
    from wrn_search.searchers.by_curves.unit_cube import UnitCube
    from wrn_search.searchers.uniform_draws import UniformDraws

    draws = UniformDraws(space.hyperparameters)
    point: Callable[[Mapping[str, object]], np.typing.NDArray[np.float64]] = UnitCube(
        space.hyperparameters
    ).point
    seeds = [derived_seed(space.seed, "typical", place) for place in range(_TYPICAL)]
    typical = np.stack([point(draws.at(seed)) for seed in seeds])
    return KnownCurves(point, typical, levels, space.epochs, images, drops)


def known_effects(
    space: SearchedSpace, levels: tuple[int, ...], images: int, chance_error: float
) -> KnownEffects:
    """Trainings of which nothing is known yet, whose goal is the tradeoff of depth and width."""
    from wrn_search.searchers.by_curves.known_effects import KnownEffects
    from wrn_search.searchers.by_curves.model_of_space import model_of
    from wrn_search.searchers.by_curves.unit_cube import UnitCube

    model = model_of(space, levels, images, chance_error if chance_error < _EVERYTHING else None)
    return KnownEffects(
        model,
        UnitCube(space.hyperparameters).point,
        lambda point: space.hparams(cast("Hparams", dict(point))),
    )


def doubled_levels(first: int, epochs: int) -> tuple[int, ...]:
    """first, twice, four times ... as many, below `epochs`."""
    levels = []
    while first < epochs:
        levels.append(first)
        first *= 2
    return tuple(levels)


CURVES = SearcherKind(CurvesSearcher, learns=True, drawn_at_random=DRAWN_AT_FIRST, by_curves=True)
