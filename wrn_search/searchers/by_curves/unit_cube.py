"""Configurations as points of a unit cube, each hyperparameter on the scale that it is drawn on, and neighbours."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from wrn_search.searchers.searcher import Hparams
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Scalar, Uniform

_WIDE = 10  # numbers to choose from lie on a logarithmic scale if the largest is so many times the smallest
_CHANGED = 0.3  # of the hyperparameters of a neighbour
_STEP = 0.15  # deviation of a change in the unit cube


class UnitCube:
    """The cube of a space. Numbers to choose from are one dimension; of words, each is one."""

    def __init__(self, domains: Mapping[str, Domain]):
        self._domains = domains

    def point(self, hparams: Mapping[str, object]) -> NDArray[np.float64]:
        """(D,)"""
        places: list[float] = []
        for name, domain in self._domains.items():
            value = cast("Scalar", hparams[name])
            if isinstance(domain, Choice) and not _is_scale(domain.options):
                places += [float(option == value) for option in domain.options]
            else:
                places.append(_place(domain, float(value)))
        return np.array(places)

    def near(self, hparams: Hparams, generator: random.Random) -> Hparams:
        """Some hyperparameters changed, at least one: numbers a little, words to any other."""
        names = [name for name in self._domains if generator.random() < _CHANGED]
        names = names or [generator.choice(list(self._domains))]
        return hparams | {name: _near(self._domains[name], hparams[name], generator) for name in names}


def _is_scale(options: Sequence[Scalar]) -> bool:
    return not any(isinstance(option, str) for option in options)


def _is_log(options: Sequence[float]) -> bool:
    return min(options) > 0 and max(options) >= _WIDE * min(options)


def _place(domain: Domain, value: float) -> float:
    """0 to 1."""
    match domain:
        case Choice(options):
            numbers = [float(option) for option in options]
            low, high, log = min(numbers), max(numbers), _is_log(numbers)
        case IntRange(low, high, _, log):
            pass
        case Uniform(low, high):
            log = False
        case LogUniform(low, high):
            log = True
    if log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return (value - low) / (high - low) if high > low else 0.0


def _near(domain: Domain, value: Scalar, generator: random.Random) -> Scalar:
    if isinstance(domain, Choice):
        others = [option for option in domain.options if option != value]
        if not others or not _is_scale(domain.options):
            return generator.choice(others or [value])
        rising = sorted(domain.options)
        place = rising.index(value) + generator.choice((-1, 1))
        return rising[min(max(place, 0), len(rising) - 1)]
    low, high = float(domain.low), float(domain.high)
    log = isinstance(domain, LogUniform) or (isinstance(domain, IntRange) and domain.log)
    if log:
        low, high = math.log(low), math.log(high)
    here = (math.log(float(value)) if log else float(value)) + generator.gauss(0, _STEP) * (high - low)
    here = min(max(here, low), high)
    moved = math.exp(here) if log else here
    if isinstance(domain, IntRange):
        step = round((moved - domain.low) / domain.step)
        return domain.values[min(max(step, 0), len(domain.values) - 1)]
    return min(max(moved, domain.low), domain.high)
