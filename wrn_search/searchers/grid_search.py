"""Searcher `grid`: every configuration of a finite space once, the last hyperparameter changing fastest."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from wrn_search.searchers.searcher import Curve, Hparams, Outcome, SearchedSpace, SearcherKind
from wrn_search.space.domains import Domain, Scalar, finite_values


class GridSearcher:
    """Every configuration of a finite space once, the last hyperparameter changing fastest."""

    def __init__(self, space: SearchedSpace):
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


def grid_point(hyperparameters: Mapping[str, Domain], index: int) -> Hparams | None:
    """Point `index` of the grid over finite domains, the last one changing fastest; None past the end."""
    point: Hparams = {}
    for name, domain in reversed(list(hyperparameters.items())):
        values = finite_values(domain)
        assert values is not None, f"{name} is continuous"
        index, position = divmod(index, len(values))
        point[name] = values[position]
    return dict(reversed(point.items())) if index == 0 else None


GRID = SearcherKind(GridSearcher, needs_finite_space=True)
