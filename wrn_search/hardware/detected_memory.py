"""How much memory this process and its children may use: the machine's, cut by the limits of control groups."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from wrn_search.hardware.control_groups import folders_of_own_groups

_LIMITS = ("memory.max", "memory.high", "memory.limit_in_bytes")  # v2 twice, v1


def usable_memory() -> int:
    """Bytes; 0 where the system does not tell."""
    limits = [size for size in (_physical(), *_limits()) if size > 0]
    return min(limits, default=0)


def _physical() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return 0


def _limits() -> Iterator[int]:
    """Of each control group above this process; v1 tells no limit by a number beyond any machine."""
    for folder in folders_of_own_groups("memory"):
        for name in _LIMITS:
            yield _number(folder / name)


def _number(file: Path) -> int:
    """0 where there is none: `max`, or no such file."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return 0
