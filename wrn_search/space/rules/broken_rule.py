"""A broken rule in words: which rule must hold, what came instead, and where below its key."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
_SHOWN_BITS = 1000


class LeafProblems(Exception):
    """Broken rules inside one leaf: (path below the leaf, text) each."""

    def __init__(self, problems: list[tuple[Path, str]]):
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True)
class Broken:
    """A rule across keys that does not hold: at which key, in words, and which keys the rule read.

    `idle` is a value that never acts: earlier versions let it pass, so a record may hold it.
    """

    at: Path
    text: str
    reads: tuple[Path, ...]
    idle: bool = False


def broken(text: str, *path: str | int) -> LeafProblems:
    """One broken rule."""
    return LeafProblems([(path, text)])


def spelled(value: Any) -> str:
    """A value as YAML would show it, shortened."""
    match value:
        case None:
            text = "null"
        case bool():
            text = "true" if value else "false"
        case int() if value.bit_length() > _SHOWN_BITS:  # str() refuses numbers of more than 4300 digits
            text = f"a number of about {round(value.bit_length() * math.log10(2))} digits"
        case float() if math.isnan(value):
            text = ".nan"
        case float() if math.isinf(value):
            text = ".inf" if value > 0 else "-.inf"
        case str():
            text = f"'{value}'"
        case dict():
            text = "{" + ", ".join(f"{key}: {spelled(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            text = "[" + ", ".join(spelled(item) for item in value) + "]"
        case _:
            text = f"{value}"
    return text if len(text) <= 80 else text[:77] + "..."


def dotted(path: Path) -> str:
    """`model.depth` for a key path: three parts at most, long ones shortened."""
    parts = [str(part) for part in path[:3]]
    return ".".join(part if len(part) <= 60 else part[:57] + "..." for part in parts)


def got(value: Any) -> str:
    """The tail of every message."""
    return f"but got {spelled(value)}"
