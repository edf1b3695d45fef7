"""Leaves of `model` that make a network: which block they mean, and which network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wrn_search.networks.architecture import Architecture, block_name, parse_block

SHAPE = ("depth", "widen_factor", "block", "deepening_factor")  # the keys of a network


def kernels_of(leaves: Mapping[str, Any]) -> tuple[int, ...]:
    """Of the block that leaves of `model` describe."""
    length, block = leaves["deepening_factor"], leaves["block"]
    return parse_block(block or "B(3,3)") if length is None else (3,) * int(length)


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


def shaped(leaves: Mapping[str, Any], point: Mapping[str, Any]) -> dict[str, Any]:
    """The leaves with a point's own values, and both names of their block."""
    values = merged(leaves, point)
    kernels = kernels_of(values)
    return values | {"block": block_name(kernels), "deepening_factor": len(kernels)}
