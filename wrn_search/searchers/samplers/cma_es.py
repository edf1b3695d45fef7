"""Searcher `cmaes`: a Gaussian over all axes that have an order, led by the better half of each generation.

Hansen, "The CMA Evolution Strategy: A Tutorial" (arXiv 1604.00772), by the package `cmaes`, which Optuna's
`CmaEsSampler` is made of. That sampler keeps its state in the trials that it drew; ours follows from the record alone,
so it hears of anchors, points and a prior as well (Hansen, "Injecting External Solutions Into CMA-ES", arXiv
1110.4181), and of early ends by their place.

A generation is the next `population` configurations with a value, whoever proposed them. Its order is that of what is
known now, not what was known when it was full: a configuration that waited at a rung may have gone on since. Only the
last `_OPEN` generations can still change; those before are closed, so that a proposal costs the same after 100,000
configurations as after 1,000.

Labels have no order that a Gaussian could follow: they are drawn at random (`check` names them). Of an axis that does
not apply to a configuration the Gaussian hears a draw of its own, which moves it nowhere.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wrn_search.searchers.samplers.ends_by_worth import EndsByWorth, Placed
from wrn_search.searchers.samplers.ranked_searcher import DRAWN_AT_RANDOM, Draw, ranked_kind
from wrn_search.searchers.samplers.unit_axes import unit_axes
from wrn_search.searchers.searcher import Hparams, SearchedSpace
from wrn_search.seeds import derived_seed

if TYPE_CHECKING:
    from cmaes import CMA

_OPEN = 20  # generations whose order may still change
_SIGMA = 0.3  # of the first Gaussian, in widths of an axis, as the tutorial advises
_NARROWEST = 0.05  # deviation that is left of it when other searches tell where to begin
_OF_OTHERS = 0.1  # share of what other searches found that tells it: Nomura et al., arXiv 2012.06932


class CmaEs:
    """Draws from the Gaussian; outside the unit cube it draws again, `cmaes` says how often."""

    def __init__(self, space: SearchedSpace):
        from wrn_search.searchers.uniform_draws import UniformDraws

        self._seed = space.seed
        self._idle = space.idle
        self._uniform = UniformDraws(space.hyperparameters)
        axes = unit_axes(space)
        self._axes = {name: axis for name, axis in axes.items() if axis.ordered and not axis.is_fixed}
        self._population = max(DRAWN_AT_RANDOM, 4 + int(3 * math.log(max(1, len(self._axes)))))
        self._closed: CMA | None = None  # None while no generation is closed
        self._generations = 0  # that are closed

    def heard(self, ends: EndsByWorth) -> None:
        """Closes a generation when enough others have come after it."""
        if self._axes and len(ends.first_told) // self._population > self._generations + _OPEN:
            self._closed = self._told(self._closed or self._first(ends), ends, [self._generations])
            self._generations += 1

    def drawing(self, ends: EndsByWorth, configuration: int, is_new: Callable[[Hparams], bool]) -> Draw:
        """Draws of the Gaussian, and of the labels from their lists."""
        if not self._axes:
            return self._uniform.at
        start = copy.deepcopy(self._closed) if self._closed else self._first(ends)
        gaussian = self._told(start, ends, range(self._generations, len(ends.first_told) // self._population))

        def draw(seed: int) -> Hparams:
            gaussian.reseed_rng(seed)
            drawn = dict(zip(self._axes, gaussian.ask(), strict=True))
            return self._uniform.at(seed) | {
                name: axis.value(float(drawn[name])) for name, axis in self._axes.items()
            }

        return draw

    def _told(self, gaussian: CMA, ends: EndsByWorth, generations: Iterable[int]) -> CMA:
        """The Gaussian after these generations."""
        for generation in generations:
            first = generation * self._population
            of_it = ends.first_told[first : first + self._population]
            rising = sorted(of_it, key=ends.worth)
            gaussian.reseed_rng(derived_seed(self._seed, "idle axes", generation))
            places = [self._place(ends.hparams(each), gaussian.ask) for each in rising]
            gaussian.tell([(place, float(rank)) for rank, place in enumerate(places)])
        return gaussian

    def _place(self, hparams: Hparams, instead: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
        """A configuration in the unit cube.

        Args:
            hparams: its values.
            instead: what is told of axes that do not apply to it.
        """
        out = self._idle(hparams)
        others = instead() if out else np.zeros(len(self._axes))
        return np.array(
            [
                other if name in out else axis.share(hparams[name])
                for (name, axis), other in zip(self._axes.items(), others, strict=True)
            ]
        )

    def _first(self, ends: EndsByWorth) -> CMA:
        """The Gaussian before any generation: around the middle, or around what was best in other searches."""
        from cmaes import CMA, get_warm_start_mgd

        mean, sigma, shape = np.full(len(self._axes), 0.5), _SIGMA, None
        found = ends.found_by_others()
        if len(found) * _OF_OTHERS >= 2:
            mean, sigma, shape = get_warm_start_mgd(
                [self._of_others(each) for each in found], gamma=_OF_OTHERS
            )
        return CMA(
            mean=np.clip(mean, 0.0, 1.0),
            sigma=max(float(sigma), _NARROWEST),
            cov=shape,
            bounds=np.array([[0.0, 1.0]] * len(self._axes)),
            population_size=self._population,
            seed=0,
        )

    def _of_others(self, found: Placed) -> tuple[NDArray[np.float64], float]:
        return self._place(found.hparams, lambda: np.full(len(self._axes), 0.5)), found.place


CMAES = ranked_kind(CmaEs, needs_order=True)
