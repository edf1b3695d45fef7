"""Domains: the sets of values that a hyperparameter may take, each with its scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from typing_extensions import TypeIs

Scalar: TypeAlias = int | float | str


@dataclass(frozen=True)
class Choice:
    """`{choice: [a, b, ...]}`: one of the listed values, in no order."""

    options: tuple[Scalar, ...]

    def to_document(self) -> dict[str, list[Scalar]]:
        """As the space file writes it."""
        return {"choice": list(self.options)}


@dataclass(frozen=True)
class Uniform:
    """`{uniform: [low, high]}`: any real number between, both ends included."""

    low: float
    high: float

    def to_document(self) -> dict[str, list[float]]:
        """As the space file writes it."""
        return {"uniform": [self.low, self.high]}


@dataclass(frozen=True)
class LogUniform:
    """`{loguniform: [low, high]}`: any number between, uniform in its logarithm; whole where the key takes whole ones.

    Those of whole numbers are an `IntRange`.
    """

    low: float
    high: float

    def to_document(self) -> dict[str, list[float]]:
        """As the space file writes it."""
        return {"loguniform": [self.low, self.high]}


@dataclass(frozen=True)
class IntRange:
    """`{int: [low, high]}` or `{int: [low, high, step]}`: low, low + step, ... up to high.

    `{loguniform: [low, high]}` of a key that takes whole numbers: every one between, uniform in the logarithm.
    """

    low: int
    high: int
    step: int = 1
    log: bool = False  # then the step is 1

    @property
    def values(self) -> range:
        """All values, in order."""
        return range(self.low, self.high + 1, self.step)

    def to_document(self) -> dict[str, list[int]]:
        """As the space file writes it."""
        if self.log:
            return {"loguniform": [self.low, self.high]}
        return {"int": [self.low, self.high, self.step]}


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
