"""Leaves for single values: whole and real numbers, names out of a list, true or false, text."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from typing import Any

from wrn_search.errors import nearest
from wrn_search.space.rules.broken_rule import broken, got
from wrn_search.space.rules.key_rule import Leaf
from wrn_search.user_paths import UnknownPath, expanded


def whole_number(low: int, high: int, nullable: bool = False, searchable: bool = False) -> Leaf:
    """A leaf that takes whole numbers of [low, high]."""

    def check(value: Any) -> int:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if not whole or isinstance(value, bool):
            raise broken(f"must be a whole number, {got(value)}")
        if not low <= value <= high:
            raise broken(f"must be a whole number from {low} to {high}, {got(value)}")
        return int(value)

    return Leaf(check, {"type": "integer", "minimum": low, "maximum": high}, searchable, nullable)


def real_number(
    low: float,
    high: float,
    *,
    above: bool = False,
    below: bool = False,
    nullable: bool = False,
    searchable: bool = False,
) -> Leaf:
    """A leaf that takes finite numbers between low and high; `above` and `below` exclude that end."""
    rule = f"must be a number {'above' if above else 'at least'} {low:g} and {'below' if below else 'at most'} {high:g}"

    def check(value: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise broken(f"must be a number, {got(value)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise broken(f"must be a finite number, {got(value)}")
        inside = (low < value if above else low <= value) and (value < high if below else value <= high)
        if not inside:
            raise broken(f"{rule}, {got(value)}")
        return float(value)

    schema = {
        "type": "number",
        "exclusiveMinimum" if above else "minimum": low,
        "exclusiveMaximum" if below else "maximum": high,
    }
    return Leaf(check, schema, searchable, nullable)


def one_of(
    *names: str,
    not_yet: tuple[str, ...] = (),
    nullable: bool = False,
    searchable: bool = False,
    otherwise: str = "",
) -> Leaf:
    """A leaf that takes one of these names; those of `not_yet` are known, and refused as such.

    `otherwise` is a hint where none of the names is close to what came.
    """

    def check(value: Any) -> str:
        if (
            isinstance(value, bool) and "on" in names + not_yet
        ):  # YAML 1.1 reads a bare on and off as booleans
            value = "on" if value else "off"
        if isinstance(value, str) and value in not_yet:
            raise broken(f"'{value}' is not supported yet; use one of {', '.join(names)}")
        if not isinstance(value, str) or value not in names:
            hint = nearest(value, names) or otherwise if isinstance(value, str) else ""
            raise broken(f"must be one of {', '.join(names)}, {got(value)}{hint}")
        return value

    return Leaf(check, {"enum": list(names)}, searchable, nullable)


def plain_text(value: str, also: str = "") -> bool:
    """Whether text holds no control character but those in `also`, and no half of a surrogate pair."""
    return all(sign in also or unicodedata.category(sign) not in ("Cc", "Cs") for sign in value)


def checked_path(value: Any, rule: str) -> str:
    """Text that can name a file, with `~` and `$VARIABLE` replaced: not empty, plain.

    Raises:
        LeafProblems: it is no such text (then `rule` is broken), or its user or variable is not known.
    """
    if not isinstance(value, str) or not value or not plain_text(value):
        quote = " (quote it)" if not isinstance(value, str | dict | list) and value is not None else ""
        raise broken(f"{rule}, {got(value)}{quote}")
    try:
        return expanded(value)
    except UnknownPath as error:
        raise broken(f"{error}, {got(value)}") from None


def a_path() -> Leaf:
    """A leaf that takes the path of a file or folder, or null."""
    rule = "must be a path, without control characters"
    return Leaf(lambda value: checked_path(value, rule), {"type": "string", "minLength": 1}, nullable=True)


def true_or_false(searchable: bool = False) -> Leaf:
    """A leaf that takes a boolean."""

    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise broken(f"must be true or false, {got(value)}")
        return value

    return Leaf(check, {"type": "boolean"}, searchable)


def text(
    rule: str, accepts: Callable[[str], bool], nullable: bool = False, pattern: str | None = None
) -> Leaf:
    """A leaf that takes text for which `accepts` holds; `rule` says so in words."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or not accepts(value):
            quote = " (quote it)" if not isinstance(value, str | dict | list) and value is not None else ""
            raise broken(f"{rule}, {got(value)}{quote}")
        return value

    schema: dict[str, Any] = {"type": "string"} | ({"pattern": pattern} if pattern else {})
    return Leaf(check, schema, nullable=nullable)
