"""The leaf of a budget in `constraints`: `{max: 2.5e6}`, `{min: 1e6, max: 2e6}` or `{target: 2.2e6, tolerance: 5%}`."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any

from wrn_search.errors import nearest
from wrn_search.space.rules.broken_rule import LeafProblems, Path, broken, got, spelled
from wrn_search.space.rules.key_rule import Leaf

Budget = dict[str, float]  # min, max or both; or target and tolerance, a share
_KEYS = ("min", "max", "target", "tolerance")
_FORMS = "{max: 2.5e6}, {min: 1e6, max: 2e6} or {target: 2.2e6, tolerance: 5%}"


def interval_of(budget: Mapping[str, float]) -> tuple[float, float]:
    """The least and the most of a budget; infinite where it has no upper end."""
    if "target" in budget:
        target, share = budget["target"], budget["tolerance"]
        return target * (1 - share), target * (1 + share)
    return budget.get("min", 0.0), budget.get("max", math.inf)


def _check(value: Any) -> Budget:
    if not isinstance(value, Mapping) or not value:
        raise broken(f"must be a budget such as {_FORMS}, {got(value)}")
    problems: list[tuple[Path, str]] = []
    budget: Budget = {}
    for key, number in value.items():
        try:
            if key not in _KEYS:
                rule = f"a budget must be told by {', '.join(_KEYS)}"
                raise broken(f"{rule}, {got(key)}{nearest(str(key), _KEYS)}")
            budget[key] = _share(number) if key == "tolerance" else _positive(key, number)
        except LeafProblems as error:
            problems += [((key, *path), text) for path, text in error.problems]
    if problems:
        raise LeafProblems(problems)
    if ("target" in budget) != ("tolerance" in budget) or ("target" in budget and len(budget) > 2):
        raise broken(f"must be a budget such as {_FORMS}, {got(dict(value))}")
    if budget.get("min", 0.0) > budget.get("max", math.inf):
        ends = f"min={budget['min']:g}, max={budget['max']:g}"
        raise broken(f"min <= max must hold, but got {ends}")
    return budget


def _positive(key: str, value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value <= sys.float_info.max:  # of a whole number that no float holds, too
        raise broken(f"{key} must be a number above 0, {got(value)}")
    return float(value)


def _share(value: Any) -> float:
    """0.05 for 0.05, and for the text `5%`."""
    share = value
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            share = round(float(value.strip()[:-1]) / 100, 12)
        except ValueError:
            share = value
    number = isinstance(share, int | float) and not isinstance(share, bool)
    if not number or not 0 < share < 1:
        raise broken(f"tolerance must be a share above 0 and below 1, such as 5% or 0.05, {got(value)}")
    return float(share)


_NUMBER = {"type": "number", "exclusiveMinimum": 0}
BUDGET = Leaf(
    _check,
    {
        "type": "object",
        "properties": {
            **dict.fromkeys(_KEYS[:3], _NUMBER),
            "tolerance": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^[0-9.]+ *%$"}]},
        },
        "additionalProperties": False,
        "minProperties": 1,
    },
    nullable=True,
)


PredictedWidths = dict[str, dict[str, tuple[float, float]]]  # block -> depth -> least, most widening factor


def _check_predicted(value: Any) -> PredictedWidths:
    rule = "must be left to the program: block -> depth -> [least, most widening factor]"
    rows = value.items() if isinstance(value, Mapping) else [(None, None)]
    found: PredictedWidths = {}
    for block, depths in rows:
        if not isinstance(block, str) or not isinstance(depths, Mapping):
            raise broken(f"{rule}, {got(value)}")
        found[block] = {}
        for depth, ends in depths.items():
            pair = list(ends) if isinstance(ends, list | tuple) else []
            numbers = all(isinstance(end, int | float) and 0 < end <= sys.float_info.max for end in pair)
            if not str(depth).isdecimal() or len(pair) != 2 or not numbers:
                raise broken(f"{rule}, {got(value)}")
            found[block][str(depth)] = (float(pair[0]), float(pair[1]))
    return found


PREDICTED_WIDTHS = Leaf(
    _check_predicted,
    {
        "type": "object",
        "description": "block -> depth -> [least, most widening factor]",
        "additionalProperties": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2},
        },
    },
    nullable=True,
)


def _check_image_shape(value: Any) -> tuple[int, int, int]:
    rule = "must be [height, width, channels] in pixels, such as [32, 32, 3]"
    whole = isinstance(value, list | tuple) and all(
        type(each) is int and 0 < each < 100_000 for each in value
    )
    if not whole or len(value) != 3:
        raise broken(f"{rule}, {got(value)}")
    height, width, channels = value
    return height, width, channels


IMAGE_SHAPE = Leaf(
    _check_image_shape,
    {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 3, "maxItems": 3},
    nullable=True,
)


def shown(name: str, budget: Mapping[str, float]) -> str:
    """`num_params: {target: 2200000, tolerance: 0.05}`."""
    return f"{name}: {spelled({key: _plain(value) for key, value in budget.items()})}"


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value
