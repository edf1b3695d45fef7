"""Searcher `qmc`: the points of a Sobol sequence, which leave no part of the space empty as random draws do.

Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization" (JMLR 13, 2012), section 4. SciPy's sequence, as
in Optuna's `QMCSampler`, scrambled by Owen's method with `search.seed`. Optuna counts its points in the study; here a
point is taken when it is on record, so anchors and a prior between them leave no gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wrn_search.searchers.samplers.unit_axes import unit_axes
from wrn_search.searchers.searcher import Curve, Hparams, Outcome, SearchedSpace, SearcherKind
from wrn_search.searchers.untried import Untried
from wrn_search.seeds import derived_seed

if TYPE_CHECKING:
    from scipy.stats.qmc import Sobol

_BLOCK = 256  # points that are made at once
_MOST_SKIPPED = 1000  # points that were tried, in a row: then the space has hardly any left


class QuasiRandomSearcher:
    """The next point of the sequence that was not tried.

    Args:
        space: what is searched; its axes are at most the 21,201 of SciPy's table.
    """

    def __init__(self, space: SearchedSpace):
        self._space = space
        self._untried = Untried(space)
        self._axes = {name: axis for name, axis in unit_axes(space).items() if not axis.is_fixed}
        self._fixed = {name: axis.value(0.5) for name, axis in unit_axes(space).items() if axis.is_fixed}
        self._sequence: Sobol | None = None
        self._block: Sequence[Sequence[float]] = ()
        self._first_of_block = 0
        self._next = 0  # all points before it were tried

    def propose(self, configuration: int) -> Hparams | None:
        """It; what is left of the space where the sequence meets nothing new."""
        return self._untried.draw(configuration, lambda seed: self._point(self._next))

    def proposed(self, configuration: int, hparams: Hparams) -> None:
        """It is tried."""
        self._untried.take(hparams)
        if not self._untried.none_is_left:
            for _ in range(_MOST_SKIPPED):
                if self._untried.is_new(self._point(self._next)):
                    break
                self._next += 1

    def told(self, configuration: int, outcome: Outcome) -> None:
        """A sequence learns nothing."""

    def known(self, source: str, hparams: Hparams, curve: Curve, full: bool) -> None:
        """A sequence learns nothing."""

    def _point(self, number: int) -> Hparams:
        """A point of the sequence, by number; they are asked for in order."""
        if not self._axes:
            return dict(self._fixed)
        while not self._first_of_block <= number < self._first_of_block + len(self._block):
            self._first_of_block += len(self._block)
            self._block = self._further_points()
        shares = dict(zip(self._axes, self._block[number - self._first_of_block], strict=True))
        values = {name: axis.value(float(shares[name])) for name, axis in self._axes.items()} | self._fixed
        return {name: values[name] for name in self._space.hyperparameters}

    def _further_points(self) -> Sequence[Sequence[float]]:
        from scipy.stats.qmc import Sobol

        if self._sequence is None:
            seed = derived_seed(self._space.seed, "sequence")
            self._sequence = Sobol(len(self._axes), scramble=True, rng=seed)
        points: Sequence[Sequence[float]] = self._sequence.random(_BLOCK).tolist()
        return points


QMC = SearcherKind(QuasiRandomSearcher)
