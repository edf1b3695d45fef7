"""Searcher `grid`: every configuration of a finite space once, the last hyperparameter changing fastest."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

from wrn_search.searchers.searcher import Curve, Hparams, Outcome, SearchedSpace, SearcherKind
from wrn_search.space.domains import Domain, Scalar, finite_values


class GridSearcher:
    """Every configuration of a finite space once, the last hyperparameter changing fastest."""

    def __init__(self, space: SearchedSpace):
        self._hyperparameters = space.hyperparameters
        self._canonical = space.canonical
        self._taken: set[tuple[Scalar, ...]] = set()
        self._next = 0  # all points before it are taken

    def propose(self, configuration: int) -> Hparams | None:
        """The first point of the grid that was not tried: the search may have begun with another grid."""
        for index in itertools.count(self._next):
            point = grid_point(self._hyperparameters, index)
            if point is None or self._is_new(point):
                return point
        raise AssertionError("a grid ends")

    def proposed(self, configuration: int, hparams: Hparams) -> None:
        """The point is taken."""
        self._taken.add(tuple(hparams[name] for name in self._hyperparameters))
        while (point := grid_point(self._hyperparameters, self._next)) is not None:
            if self._is_new(point):
                break
            self._next += 1

    def _is_new(self, point: Hparams) -> bool:
        """Not tried, and the first of all points that stand for its configuration."""
        return tuple(point.values()) not in self._taken and self._canonical(point) == point

    def told(self, configuration: int, outcome: Outcome) -> None:
        """A grid learns nothing."""

    def known(self, source: str, hparams: Hparams, curve: Curve, full: bool) -> None:
        """A grid learns nothing."""


def grid_point(hyperparameters: Mapping[str, Domain], index: int) -> Hparams | None:
    """Point `index` of the grid over finite domains, the last one changing fastest; None past the end."""
    point: Hparams = {}
    for name, domain in reversed(list(hyperparameters.items())):
        values = finite_values(domain)
        assert values is not None, f"{name} is continuous"
        index, position = divmod(index, len(values))
        point[name] = values[position]
    return dict(reversed(point.items())) if index == 0 else None


def grid_size(hyperparameters: Mapping[str, Domain]) -> int:
    """Points of the grid over finite domains."""
    return math.prod(len(finite_values(domain) or ()) for domain in hyperparameters.values())


GRID = SearcherKind(GridSearcher, needs_finite_space=True)
