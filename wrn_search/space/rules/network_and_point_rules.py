"""Leaves for whole networks (`model.network`) and whole configurations (`search.points`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from wrn_search.errors import nearest
from wrn_search.networks.architecture import (
    MAX_DEEPENING_FACTOR,
    MAX_DEPTH,
    MAX_WIDEN_FACTOR,
    Architecture,
    block_name,
)
from wrn_search.networks.families.family_table import DEFAULT_FAMILY, FAMILIES
from wrn_search.networks.network_names import (
    NAME_PATTERN,
    exact_name,
    named_network,
    network_of_any,
)
from wrn_search.searchers.draws_around_a_prior import CONFIDENCES
from wrn_search.space.axes.listed_networks import leaves_of
from wrn_search.space.domains import Scalar
from wrn_search.space.rules.broken_rule import LeafProblems, Path, broken, got
from wrn_search.space.rules.key_rule import Leaf
from wrn_search.space.rules.keys_with_own_rules import BLOCK
from wrn_search.space.rules.number_and_text_rules import one_of, real_number, whole_number

CONFIDENCE = "confidence"  # how sure a prior is
_KEYS = {
    "depth": whole_number(1, MAX_DEPTH),
    "widen_factor": real_number(1 / 16, MAX_WIDEN_FACTOR),
    "block": BLOCK,
    "deepening_factor": whole_number(1, MAX_DEEPENING_FACTOR),
    "family": one_of(*FAMILIES),
}
_FORMS = "WRN-16-2, WRN-40-2-B(3,1,3), ResNet-164 or {depth: 16, widen_factor: 2}"


def _check_network(value: Any) -> str:
    """The exact name of a network."""
    if isinstance(value, Mapping):
        return exact_name(_described(value))
    if not isinstance(value, str):
        raise broken(f"must be a network such as {_FORMS}, {got(value)}")
    try:
        return exact_name(named_network(value))
    except ValueError as error:
        text = str(error)
        raise broken(text if text.startswith("must") else f"{text} in {value}") from None


def _described(value: Mapping[Any, Any]) -> Architecture:
    """The network of a mapping of depth, widening factor, block and family."""
    unknown = [key for key in value if key not in _KEYS]
    if unknown:
        rule = f"a network must be told by {', '.join(_KEYS)}"
        raise LeafProblems([((key,), f"{rule}, {got(key)}{nearest(str(key), _KEYS)}") for key in unknown])
    width_is_told = "widen_factor" in value or "family" in value
    if "depth" not in value or not width_is_told or {"block", "deepening_factor"} <= value.keys():
        rule = "a network must have depth and widen_factor, and block or deepening_factor, but not both"
        raise broken(f"{rule}, {got(dict(value))}")
    checked: dict[str, Any] = {}
    problems: list[tuple[Path, str]] = []
    for key, item in value.items():
        try:
            checked[key] = _KEYS[key].check(item)
        except LeafProblems as error:
            problems += [((key, *path), f"{key} {text}") for path, text in error.problems]
    if problems:
        raise LeafProblems(problems)
    length = checked.get("deepening_factor")
    block = checked.get("block") if length is None else block_name((3,) * length)
    families = [checked["family"]] if "family" in checked else [DEFAULT_FAMILY]
    try:
        return network_of_any(families, checked["depth"], checked.get("widen_factor", 1.0), block)
    except ValueError as error:
        raise broken(str(error)) from None


class _NetworkLeaf(Leaf):
    """A leaf that also takes a network as a mapping, which is no domain, and a bare list for a choice of networks."""

    def _checked(self, value: Any) -> Any:
        if isinstance(value, Mapping) and set(value) & set(_KEYS):
            return self.check(value)
        return super()._checked({"choice": list(value)} if isinstance(value, list | tuple) else value)


_NAME = {"type": "string", "pattern": rf"^\s*{NAME_PATTERN}\s*$"}
_MAPPING = {
    "type": "object",
    "properties": {
        "depth": {"type": "number"},
        "widen_factor": {"type": "number"},
        "block": {"type": "string"},
        "deepening_factor": {"type": "number"},
        "family": {"enum": list(FAMILIES)},
    },
    "required": ["depth"],
    "additionalProperties": False,
}
NETWORK = _NetworkLeaf(_check_network, {"anyOf": [_NAME, _MAPPING]}, searchable=True, nullable=True)


def points_leaf(keys: Mapping[str, Leaf]) -> Leaf:
    """A leaf that takes a list of configurations.

    Args:
        keys: the rules of all keys that a configuration may tell.
    """
    alone = {name: dataclasses.replace(leaf, searchable=False, nullable=False) for name, leaf in keys.items()}

    def check(value: Any) -> tuple[dict[str, Scalar], ...]:
        if not isinstance(value, list | tuple):
            raise broken(
                f"must be a list of configurations, such as [{{depth: 16, dropout: 0.3}}], {got(value)}"
            )
        problems: list[tuple[Path, str]] = []
        points = []
        for place, item in enumerate(value):
            try:
                points.append(_checked_point(item, alone))
            except LeafProblems as error:
                problems += [((place, *path), text) for path, text in error.problems]
        if problems:
            raise LeafProblems(problems)
        return tuple(points)

    properties = {name: leaf.schema for name, leaf in alone.items()}
    item = {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}
    return Leaf(check, {"type": "array", "items": item})


def prior_leaf(keys: Mapping[str, Leaf]) -> Leaf:
    """A leaf that takes what a person believes to be good: a configuration, as far as it is believed, and how surely.

    Args:
        keys: the rules of all keys that a belief may tell.
    """
    alone = {name: dataclasses.replace(leaf, searchable=False, nullable=False) for name, leaf in keys.items()}
    sure = one_of(*CONFIDENCES)

    def check(value: Any) -> dict[str, Scalar]:
        if not isinstance(value, Mapping):
            raise broken(f"must be a belief, such as {{dropout: 0.3, confidence: medium}}, {got(value)}")
        believed = {key: item for key, item in value.items() if key != CONFIDENCE}
        if not believed:
            raise broken(f"must tell a value of a key that is searched, {got(dict(value))}")
        try:
            confidence = sure.check(value.get(CONFIDENCE, "medium"))
        except LeafProblems as error:
            raise broken(f"{CONFIDENCE} {error.problems[0][1]}", CONFIDENCE) from None
        return _checked_point(believed, alone) | {CONFIDENCE: confidence}

    properties = {name: leaf.schema for name, leaf in alone.items()} | {CONFIDENCE: sure.schema}
    schema = {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}
    return Leaf(check, schema, nullable=True)


def _checked_point(item: Any, keys: Mapping[str, Leaf]) -> dict[str, Scalar]:
    """A configuration, its values each right for itself; a network is told by depth, widening factor and block."""
    if not isinstance(item, Mapping) or not item:
        raise broken(f"must be a configuration, such as {{depth: 16, dropout: 0.3}}, {got(item)}")
    problems: list[tuple[Path, str]] = []
    point: dict[str, Scalar] = {}
    for key, value in item.items():
        if key not in keys:
            rule = f"a configuration must be told by {', '.join(keys)}"
            problems.append(((key,), f"{rule}, {got(key)}{nearest(str(key), keys)}"))
            continue
        try:
            if isinstance(value, dict) and key != "network":
                raise broken(f"must be a single value, {got(value)}")
            point[key] = keys[key].value(value)
        except LeafProblems as error:
            problems += [((key, *path), f"{key} {text}") for path, text in error.problems]
    if "network" in point:
        twice = [key for key in _KEYS if key in item]
        if twice:
            rule = "network stands for depth, widen_factor and block, so they must not be told beside it"
            problems.append(((twice[0],), f"{rule}, but got {', '.join(twice)}"))
        point |= leaves_of(named_network(str(point.pop("network"))))
    if {"block", "deepening_factor"} <= point.keys():
        rule = "block or deepening_factor must be told, not both"
        problems.append((("deepening_factor",), f"{rule}, {got(item['deepening_factor'])}"))
    if problems:
        raise LeafProblems(problems)
    return point
