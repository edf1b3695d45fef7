"""Proposals become recorded configurations: the nearest one that was not tried, by scaled hyperparameters."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wrn_search.searchers.searcher import Hparams
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Scalar


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
        self._left = np.ones(len(configurations), dtype=bool)

    @property
    def left(self) -> int:
        """Configurations that were not taken."""
        return int(self._left.sum())

    def take(self, proposal: Hparams) -> int | None:
        """The place of the nearest configuration, which is no longer left; None when all were taken."""
        if not self._left.any():
            return None
        distances = self._distances(np.array(self._scaled(proposal)))
        place = int(np.argmin(np.where(self._left, distances, np.inf)))
        self._left[place] = False
        return place

    def _distances(self, point: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        apart = np.abs(self._points - point)
        labels = [_is_labels(domain) for domain in self._domains.values()]
        apart[:, labels] = apart[:, labels] > 0
        squares: npt.NDArray[np.float64] = (apart**2).sum(axis=1)
        return squares

    def _scaled(self, hparams: Hparams) -> list[float]:
        return [_scaled(domain, hparams[name]) for name, domain in self._domains.items()]


def _is_labels(domain: Domain) -> bool:
    return isinstance(domain, Choice) and any(isinstance(option, str) for option in domain.options)


def _scaled(domain: Domain, value: Scalar) -> float:
    """0 at one end of the domain, 1 at the other."""
    match domain:
        case Choice(options) if _is_labels(domain):
            return float(options.index(value))
        case Choice(options):
            rising = sorted(float(option) for option in options)
            return rising.index(float(value)) / max(1, len(rising) - 1)
        case LogUniform(low, high) | IntRange(low, high, _, True):
            return _share(math.log(float(value)), math.log(low), math.log(high))
        case _:
            return _share(float(value), float(domain.low), float(domain.high))


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.0
