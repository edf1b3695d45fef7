"""Leaves of `model` that make a network: which block they mean, and which network."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from wrn_search.networks.architecture import Architecture, block_name, default_kernels, parse_block
from wrn_search.networks.families.family_table import DEFAULT_FAMILY
from wrn_search.space.domains import finite_values, first_value, is_domain

BLOCKS = ("block", "deepening_factor")  # two names of one thing
TOLD = ("depth", "widen_factor", *BLOCKS)  # the keys that a product of networks is made of
SHAPE = (*TOLD, "family")  # the keys of a network


def family_of(leaves: Mapping[str, Any]) -> str:
    """Of the networks that leaves of `model` describe."""
    return str(_told(leaves.get("family")) or DEFAULT_FAMILY)


def _told(value: Any) -> Any:
    """A leaf's value; the first of a domain, where a point leaves it open."""
    return first_value(value) if is_domain(value) else value


def kernels_of(leaves: Mapping[str, Any]) -> tuple[int, ...]:
    """Of the block that leaves of `model` describe; where they tell none, the one of such a depth in its family."""
    length, block = leaves["deepening_factor"], leaves["block"]
    if length is not None:
        return (3,) * int(length)
    if block is not None:
        return parse_block(block)
    depth = _told(leaves.get("depth"))  # which decides about the block of some families only
    return default_kernels(0 if depth is None else int(depth), family_of(leaves))


def block_leaves(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Both names of the block that leaves of `model` describe; only those of family wrn have a deepening factor."""
    kernels, family = kernels_of(leaves), family_of(leaves)
    length = len(kernels) if family == DEFAULT_FAMILY else None
    return {"block": block_name(kernels, family), "deepening_factor": length}


def blocks_of(leaves: Mapping[str, Any]) -> tuple[tuple[int, ...], ...]:
    """Of every block that leaves of `model` have, where they may be domains."""
    name = "block" if leaves["deepening_factor"] is None else "deepening_factor"
    if leaves[name] is None:  # each depth has that of its family
        depths = finite_values(leaves["depth"]) or ()
        return tuple(dict.fromkeys(kernels_of({**leaves, "depth": each}) for each in depths))
    values = finite_values(leaves[name]) or ()
    return tuple(dict.fromkeys(kernels_of({**leaves, name: each}) for each in values))


def network_of(leaves: Mapping[str, Any]) -> Architecture:
    """The network that leaves of `model` describe.

    Raises:
        ValueError: there is none with such a depth and block.
    """
    family = family_of(leaves)
    if leaves["block"] is not None and leaves["deepening_factor"] is None:
        return Architecture.of(int(leaves["depth"]), float(leaves["widen_factor"]), leaves["block"], family)
    return Architecture(int(leaves["depth"]), float(leaves["widen_factor"]), kernels_of(leaves), family)


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
    if told is None or wanted is None or told == wanted or family_of(point) != DEFAULT_FAMILY:
        return dict(point)
    kernels = kernels_of({**dict.fromkeys(BLOCKS), **point})
    if set(kernels) != {3}:  # it has no deepening factor
        return dict(point)
    value = block_name(kernels) if wanted == "block" else len(kernels)
    return {wanted if name == told else name: value if name == told else each for name, each in point.items()}


def shaped(leaves: Mapping[str, Any], point: Mapping[str, Any]) -> dict[str, Any]:
    """The leaves with a point's own values, and both names of their block."""
    values = merged(leaves, point)
    return values | block_leaves(values)
