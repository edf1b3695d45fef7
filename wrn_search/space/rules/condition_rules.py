"""The conditions of a domain: `when: {widen_factor: {min: 4}}`, `{depth: [16, 22]}` or `{block: B(3,3)}`."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Mapping
from typing import Any

from wrn_search.errors import nearest
from wrn_search.networks.architecture import block_name, parse_block
from wrn_search.networks.families.family import NAMED_BLOCKS
from wrn_search.space.domains import Condition, When
from wrn_search.space.rules.broken_rule import LeafProblems, Path, broken, got

_FORMS = "{widen_factor: {min: 4}}, {depth: [16, 22]} or {block: 'B(3,3)'}"
_ENDS = ("min", "max")


def parsed_conditions(value: Any) -> When:
    """The conditions that a mapping of other keys writes.

    Raises:
        LeafProblems: it writes none.
    """
    if not isinstance(value, Mapping) or not value:
        raise broken(f"when must tell what other keys must be, such as {_FORMS}, {got(value)}", "when")
    problems: list[tuple[Path, str]] = []
    found = []
    for key, wanted in value.items():
        try:
            condition = _condition(wanted)
            found.append((str(key), _of_blocks(condition) if key == "block" else condition))
        except LeafProblems as error:
            problems += [(("when", key, *path), f"when: {text}") for path, text in error.problems]
    if problems:
        raise LeafProblems(problems)
    return tuple(found)


def _condition(value: Any) -> Condition:
    if isinstance(value, Mapping):
        unknown = [key for key in value if key not in _ENDS]
        if unknown or not value:
            hint = nearest(str(unknown[0]), _ENDS) if unknown else ""
            raise broken(f"a condition on a number must be min, max or both, {got(dict(value))}{hint}")
        ends = {key: _number(end, key) for key, end in value.items()}
        low, high = ends.get("min", -math.inf), ends.get("max", math.inf)
        if low > high:
            raise broken(f"min <= max must hold, but got min={low:g}, max={high:g}")
        return Condition(low=low, high=high)
    options = list(value) if isinstance(value, list | tuple) else [value]
    for option in options:
        if isinstance(option, bool) or not isinstance(option, int | float | str):
            raise broken(f"must be a value, a list of values, or min and max, {got(value)}")
    if not options:
        raise broken("must list at least one value, but got []")
    return Condition(options=tuple(options))


def _of_blocks(condition: Condition) -> Condition:
    """The same with its blocks in the form that leaves have."""
    try:
        options = tuple(
            each if each in NAMED_BLOCKS else block_name(parse_block(str(each))) for each in condition.options
        )
    except ValueError as error:
        raise broken(str(error)) from None
    return dataclasses.replace(condition, options=options)


def _number(value: Any, key: str) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not abs(value) <= sys.float_info.max:  # of a whole number that no float holds, too
        raise broken(f"{key} must be a finite number, {got(value)}")
    return float(value)
