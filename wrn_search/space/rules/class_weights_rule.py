"""The rule of `training.class_weights`: a word, or a weight for each class, which is kept as text."""

from __future__ import annotations

import json
from typing import Any

from wrn_search.errors import nearest
from wrn_search.space.rules.broken_rule import LeafProblems, broken, got
from wrn_search.space.rules.key_rule import Leaf
from wrn_search.space.rules.number_and_text_rules import real_number

NONE, BALANCED = "none", "balanced"
_WORDS = {NONE: NONE, BALANCED: BALANCED, "auto": BALANCED}
_RULE = "must be none, balanced or a list with a weight for each class, such as [1, 2.5, 1]"
_LEAST, _MOST = 1e-6, 1e6


def listed_weights(value: str) -> tuple[float, ...] | None:
    """The weights of a checked value in the order of the classes; None for a word."""
    return None if value in _WORDS else tuple(float(weight) for weight in json.loads(value))


def _check(value: Any) -> str:
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    if isinstance(value, str) and value.lstrip().startswith("["):  # as a record has it
        try:
            value = json.loads(value)
        except ValueError:
            raise broken(f"{_RULE}, {got(value)}") from None
    if not isinstance(value, list | tuple) or len(value) < 2:
        raise broken(f"{_RULE}, {got(value)}{nearest(value, _WORDS) if isinstance(value, str) else ''}")
    weight = real_number(_LEAST, _MOST)
    weights = []
    for index, item in enumerate(value):
        try:
            weights.append(weight.check(item))
        except LeafProblems as error:
            raise broken(error.problems[0][1], index) from None
    return json.dumps([int(each) if each.is_integer() else each for each in weights])


CLASS_WEIGHTS = Leaf(
    _check,
    {
        "anyOf": [
            {"enum": list(_WORDS)},
            {"type": "string", "pattern": r"^\[.*\]$"},
            {
                "type": "array",
                "items": {"type": "number", "minimum": _LEAST, "maximum": _MOST},
                "minItems": 2,
            },
        ]
    },
    searchable=True,
)
