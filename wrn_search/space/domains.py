"""Domains: the sets of values that a hyperparameter may take, each with its scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from typing_extensions import TypeIs

Scalar: TypeAlias = int | float | str


@dataclass(frozen=True)
class Condition:
    """What another key must be: one of some values, or a number from low to high."""

    options: tuple[Scalar, ...] = ()
    low: float = -math.inf
    high: float = math.inf

    def holds(self, value: Any) -> bool:
        """Whether the other key's value is such."""
        if self.options:
            return value in self.options
        return isinstance(value, int | float) and self.low <= value <= self.high

    def to_document(self) -> list[Scalar] | dict[str, float]:
        """As the space file writes it."""
        if self.options:
            return list(self.options)
        ends = {"min": self.low, "max": self.high}
        return {name: end for name, end in ends.items() if math.isfinite(end)}


When: TypeAlias = tuple[tuple[str, Condition], ...]  # (other key, what it must be) each; all must hold


def _with(document: dict[str, Any], when: When) -> dict[str, Any]:
    """A domain as the space file writes it, with its conditions."""
    return document | ({"when": {key: each.to_document() for key, each in when}} if when else {})


@dataclass(frozen=True)
class Choice:
    """`{choice: [a, b, ...]}`: one of the listed values, in no order."""

    options: tuple[Scalar, ...]
    when: When = ()

    def to_document(self) -> dict[str, Any]:
        """As the space file writes it."""
        return _with({"choice": list(self.options)}, self.when)


@dataclass(frozen=True)
class Uniform:
    """`{uniform: [low, high]}`: any real number between, both ends included."""

    low: float
    high: float
    when: When = ()

    def to_document(self) -> dict[str, Any]:
        """As the space file writes it."""
        return _with({"uniform": [self.low, self.high]}, self.when)


@dataclass(frozen=True)
class LogUniform:
    """`{loguniform: [low, high]}`: any number between, uniform in its logarithm; whole where the key takes whole ones.

    Those of whole numbers are an `IntRange`.
    """

    low: float
    high: float
    when: When = ()

    def to_document(self) -> dict[str, Any]:
        """As the space file writes it."""
        return _with({"loguniform": [self.low, self.high]}, self.when)


@dataclass(frozen=True)
class IntRange:
    """`{int: [low, high]}` or `{int: [low, high, step]}`: low, low + step, ... up to high.

    `{loguniform: [low, high]}` of a key that takes whole numbers: every one between, uniform in the logarithm.
    """

    low: int
    high: int
    step: int = 1
    log: bool = False  # then the step is 1
    when: When = ()

    @property
    def values(self) -> range:
        """All values, in order."""
        return range(self.low, self.high + 1, self.step)

    def to_document(self) -> dict[str, Any]:
        """As the space file writes it."""
        document = {"int": [self.low, self.high, self.step]}
        return _with({"loguniform": [self.low, self.high]} if self.log else document, self.when)


Domain: TypeAlias = Choice | Uniform | LogUniform | IntRange
DOMAINS: dict[str, type[Domain]] = {
    "choice": Choice,
    "uniform": Uniform,
    "loguniform": LogUniform,
    "int": IntRange,
}


def is_domain(value: object) -> TypeIs[Domain]:
    """Whether a leaf's value is a domain, not a scalar."""
    return isinstance(value, Choice | Uniform | LogUniform | IntRange)


def applies(domain: Domain, values: Mapping[str, Any]) -> bool:
    """Whether all conditions of a domain hold for the values of all keys."""
    return all(condition.holds(values[key]) for key, condition in domain.when)


def first_value(domain: Domain) -> Scalar:
    """The first option, or the low end."""
    return domain.options[0] if isinstance(domain, Choice) else domain.low


def finite_values(value: Scalar | Domain) -> tuple[Scalar, ...] | None:
    """Every value of a scalar, a choice or an int domain; None for the continuous ones."""
    match value:
        case Choice():
            return value.options
        case IntRange():
            return tuple(value.values)
        case Uniform() | LogUniform():
            return None
        case _:
            return (value,)


def few_values(value: Scalar | Domain, most: int) -> tuple[Scalar, ...] | None:
    """Every value, also of an interval so narrow that it holds at most so many numbers (doubles); else None."""
    if not isinstance(value, Uniform | LogUniform):
        return finite_values(value)
    numbers = [value.low]
    while numbers[-1] < value.high:
        if len(numbers) == most:
            return None
        numbers.append(math.nextafter(numbers[-1], math.inf))
    return tuple(numbers)


def member(domain: Domain, value: Scalar) -> Scalar | None:
    """The domain's own value that equals `value` (4 for 4.0 in an int domain); None if it holds none."""
    match domain:
        case Choice(options):
            return next((option for option in options if option == value), None)
        case _ if isinstance(value, str):
            return None
        case IntRange():
            return int(value) if value in domain.values else None
        case Uniform(low, high) | LogUniform(low, high):
            return float(value) if low <= value <= high else None
