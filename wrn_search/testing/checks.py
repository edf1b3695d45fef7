"""One check of a contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A rule; a call raises AssertionError where it is broken."""

    rule: str
    call: Callable[[], None]

    def __call__(self) -> None:
        self.call()

    def __str__(self) -> str:
        return self.rule


def must(holds: bool, rule: str, got: object) -> None:
    """Raises AssertionError unless the rule holds; `python -O` changes nothing."""
    if not holds:
        raise AssertionError(f"{rule}, but got {got}")
