"""Whether a training will tell anything: those that failed, or learned nothing, warn of their neighbours."""

from __future__ import annotations

import numpy as np

from wrn_search.curves.design_columns import Array

MOST = 512  # configurations that are looked at, the latest ones
_NEAR = 0.1  # in the unit cube, times the root of its dimensions: so far a failure speaks


class Hopes:
    """Places of configurations in the unit cube, and how surely each has failed."""

    def __init__(self) -> None:
        self._places: dict[int, Array] = {}
        self._failed: dict[int, float] = {}
        self._heard: dict[int, None] = {}  # those of which something is known

    def begins(self, configuration: int, place: Array) -> None:
        """It trains, at a place (D,)."""
        self._places[configuration] = place

    def learns(self, configuration: int) -> None:
        """It has told something."""
        self._heard[configuration] = None
        self._failed.pop(configuration, None)

    def fails(self, configuration: int, how_surely: float) -> None:
        """It has not."""
        if configuration in self._places:
            self._heard[configuration] = None
            self._failed[configuration] = how_surely

    def of(self, configurations: list[int]) -> Array:
        """(M,) logarithm of the probability that each of those that began tells something."""
        return self.at(np.stack([self._places[each] for each in configurations]))

    def at(self, places: Array) -> Array:
        """(M,) the same at places (M, D): one that told something counts there, and all neighbours do as they went."""
        if not self._failed:
            return np.zeros(len(places))
        known = list(self._heard)[-MOST:]
        there = np.stack([self._places[each] for each in known])
        lost = np.array([self._failed.get(each, 0.0) for each in known])
        width = 2 * max(1, there.shape[1]) * _NEAR**2
        near = np.exp(-((places[:, None] - there[None]) ** 2).sum(2) / width)
        hopes: Array = np.log1p(near @ (1 - lost)) - np.log1p(near.sum(1))
        return hopes
