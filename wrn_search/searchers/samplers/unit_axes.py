"""The axes of a space as numbers from 0 to 1 on the scale of each, for algorithms that know only such.

Options that are numbers stand in an order, so a choice of depths is an axis on which near ones are alike. Labels have
no order: their places are those of the file, and say nothing of nearness.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wrn_search.searchers.searcher import Hparams, SearchedSpace
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Scalar


@dataclass(frozen=True)
class UnitAxis:
    """One axis.

    Attributes:
        domain: its values.
        values: all of them in their order; None where there is a scale between two ends.
        ordered: whether near numbers stand for values that are alike.
    """

    domain: Domain
    values: Sequence[Scalar] | None
    ordered: bool

    @property
    def is_fixed(self) -> bool:
        """Whether it has but one value."""
        return self.values is not None and len(self.values) == 1

    def value(self, share: float) -> Scalar:
        """The value at a number from 0 to 1; each of finitely many has an equal part of that."""
        if self.values is not None:
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        low, high = self._ends()
        inside = low + share * (high - low)
        if self._is_logarithmic:
            inside = math.exp(inside)
        assert not isinstance(self.domain, Choice)
        if isinstance(self.domain, IntRange):
            return min(max(round(inside), self.domain.low), self.domain.high)
        return min(max(float(inside), self.domain.low), self.domain.high)

    def share(self, value: Scalar) -> float:
        """The number of a value; of finitely many the middle of its part."""
        if self.values is not None:
            return (self.values.index(value) + 0.5) / len(self.values)
        low, high = self._ends()
        number = math.log(float(value)) if self._is_logarithmic else float(value)
        return min(max((number - low) / (high - low), 0.0), 1.0) if high > low else 0.5

    @property
    def _is_logarithmic(self) -> bool:
        return isinstance(self.domain, LogUniform) or (isinstance(self.domain, IntRange) and self.domain.log)

    def _ends(self) -> tuple[float, float]:
        """The two ends of the scale; whole numbers reach half a one further."""
        assert not isinstance(self.domain, Choice)
        half = 0.5 if isinstance(self.domain, IntRange) else 0.0
        low, high = self.domain.low - half, self.domain.high + half
        return (math.log(low), math.log(high)) if self._is_logarithmic else (low, high)


def unit_axes(space: SearchedSpace) -> dict[str, UnitAxis]:
    """Every axis of a space, in its order."""
    return {name: unit_axis(domain) for name, domain in space.hyperparameters.items()}


def unit_axis(domain: Domain) -> UnitAxis:
    """The axis of a domain."""
    match domain:
        case Choice(options):
            numbers = [each for each in options if isinstance(each, int | float)]
            if len(numbers) == len(options):
                return UnitAxis(domain, sorted(numbers), True)
            return UnitAxis(domain, options, len(options) == 1)
        case IntRange(log=False):
            return UnitAxis(domain, domain.values, True)
        case _:
            return UnitAxis(domain, None, True)


def without_order(domains: Mapping[str, Domain]) -> list[str]:
    """The axes whose values are labels, several of them: nothing can be learned of what lies near a good one."""
    return [name for name, domain in domains.items() if not unit_axis(domain).ordered]


def at_shares(axes: Mapping[str, UnitAxis], shares: Mapping[str, float]) -> Hparams:
    """The point at these numbers, one for each axis."""
    return {name: axis.value(shares[name]) for name, axis in axes.items()}
