"""Leaves of `model` that make a network: which block they mean, and which network."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from wrn_search.networks.architecture import Architecture, block_name, parse_block
from wrn_search.space.domains import finite_values

BLOCKS = ("block", "deepening_factor")  # two names of one thing
SHAPE = ("depth", "widen_factor", "block", "deepening_factor")  # the keys of a network


def kernels_of(leaves: Mapping[str, Any]) -> tuple[int, ...]:
    """Of the block that leaves of `model` describe."""
    length, block = leaves["deepening_factor"], leaves["block"]
    return parse_block(block or "B(3,3)") if length is None else (3,) * int(length)


def blocks_of(leaves: Mapping[str, Any]) -> tuple[tuple[int, ...], ...]:
    """Of every block that leaves of `model` have, where they may be domains."""
    name = "block" if leaves["deepening_factor"] is None else "deepening_factor"
    values = finite_values(leaves[name] or "B(3,3)") or ()
    return tuple(dict.fromkeys(kernels_of({**leaves, name: each}) for each in values))


def network_of(leaves: Mapping[str, Any]) -> Architecture:
    """The network that leaves of `model` describe.

    Raises:
        ValueError: there is none with such a depth and block.
    """
    return Architecture(int(leaves["depth"]), float(leaves["widen_factor"]), kernels_of(leaves))


def network_if_there_is_one(leaves: Mapping[str, Any]) -> Architecture | None:
    """The same; None where there is none."""
    try:
        return network_of(leaves)
    except ValueError:
        return None


def merged(leaves: Mapping[str, Any], point: Mapping[str, Any]) -> dict[str, Any]:
    """The leaves with a point's own values; its block stands against the section's deepening factor, and that too."""
    values = {**leaves, **point}
    if ("block" in point) != ("deepening_factor" in point):
        values["deepening_factor" if "block" in point else "block"] = None
    return values


def told_by(point: Mapping[str, Any], names: Container[str]) -> dict[str, Any]:
    """A point with its block by the one of its two names that is among `names`; a point may tell either."""
    told, wanted = (next((each for each in BLOCKS if each in among), None) for among in (point, names))
    if told is None or wanted is None or told == wanted:
        return dict(point)
    kernels = kernels_of({**dict.fromkeys(BLOCKS), **point})
    if set(kernels) != {3}:  # it has no deepening factor
        return dict(point)
    value = block_name(kernels) if wanted == "block" else len(kernels)
    return {wanted if name == told else name: value if name == told else each for name, each in point.items()}


def shaped(leaves: Mapping[str, Any], point: Mapping[str, Any]) -> dict[str, Any]:
    """The leaves with a point's own values, and both names of their block."""
    values = merged(leaves, point)
    kernels = kernels_of(values)
    return values | {"block": block_name(kernels), "deepening_factor": len(kernels)}
