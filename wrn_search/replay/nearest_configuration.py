"""Proposals become recorded configurations: the nearest one that was not tried, by scaled hyperparameters."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.spatial import KDTree

from wrn_search.replay.curve_table import Floats
from wrn_search.searchers.searcher import Hparams
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Scalar

_MOST_LOOKED_THROUGH = 4000  # configurations; of more a tree finds the nearest
_NEIGHBOURS = 16


class NearestConfiguration:
    """The recorded configurations that are left, for one play.

    Each hyperparameter is scaled to 0 to 1 over its domain: by its logarithm where the domain is logarithmic, a choice
    of numbers by its place in their order. Labels are 0 apart when equal, else 1. The distance is the root of the sum
    of squares; of equally near ones the first of the table is taken.

    Args:
        hyperparameters: with their domains.
        configurations: of the table, in its order.
    """

    def __init__(self, hyperparameters: dict[str, Domain], configurations: Sequence[Hparams]):
        self._domains = hyperparameters
        self._points = np.array([self._scaled(each) for each in configurations], dtype=float)
        self._is_left = np.ones(len(configurations), dtype=bool)
        self.left = len(configurations)  # that were not taken
        self._tree: KDTree | None = None
        self._of_tree = np.arange(len(configurations))  # places of its points

    def take(self, proposal: Hparams) -> int | None:
        """The place of the nearest configuration, which is no longer left; None when all were taken."""
        if (place := self.nearest(proposal)) is not None:
            self._is_left[place] = False
            self.left -= 1
        return place

    def nearest(self, proposal: Hparams) -> int | None:
        """The place that `take` would take."""
        if not self.left:
            return None
        point = np.array(self._scaled(proposal))
        return self._looked_through(point) if self.left <= _MOST_LOOKED_THROUGH else self._by_tree(point)

    def _looked_through(self, point: Floats) -> int:
        """Of all that are left."""
        if len(self._of_tree) > 2 * self.left:
            self._of_tree = np.flatnonzero(self._is_left)
        places = self._of_tree
        distances = ((self._points[places] - point) ** 2).sum(axis=1)
        return int(places[np.argmin(np.where(self._is_left[places], distances, np.inf))])

    def _by_tree(self, point: Floats) -> int:
        """By a tree, made anew when half of its points were taken; ever more neighbours until one is left."""
        if self._tree is None or len(self._of_tree) > 2 * self.left:
            self._of_tree = np.flatnonzero(self._is_left)
            self._tree = KDTree(self._points[self._of_tree])
        neighbours = _NEIGHBOURS
        while True:
            distances, found = self._tree.query(point, k=min(neighbours, len(self._of_tree)))
            places = self._of_tree[found]
            free = self._is_left[places]
            if free.any():
                nearest = distances[free].min()
                return int(places[free & (distances == nearest)].min())
            neighbours *= 4

    def _scaled(self, hparams: Hparams) -> list[float]:
        return [part for name, domain in self._domains.items() for part in _scaled(domain, hparams[name])]


def _scaled(domain: Domain, value: Scalar | None) -> list[float]:
    """0 at one end of the domain, 1 at the other; of labels the corners of a simplex whose sides are 1.

    One that does not apply lies in the middle.
    """
    match domain:
        case Choice(options) if value is None and any(isinstance(option, str) for option in options):
            return [0.0] * len(options)
        case _ if value is None:
            return [0.5]
        case Choice(options) if any(isinstance(option, str) for option in options):
            return [math.sqrt(0.5) * (option == value) for option in options]
        case Choice(options):
            rising = sorted(float(option) for option in options)
            return [rising.index(float(value)) / max(1, len(rising) - 1)]
        case LogUniform(low, high) | IntRange(low, high, _, True):
            return [_share(math.log(float(value)), math.log(low), math.log(high))]
        case _:
            return [_share(float(value), float(domain.low), float(domain.high))]


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.0
