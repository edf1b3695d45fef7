"""The text of `model.init_from`: random, or a file, with its SHA-256 once it is known: PATH@sha256:HEX."""

from __future__ import annotations

import re
from typing import Any

from wrn_search.space.rules.broken_rule import broken, got
from wrn_search.space.rules.key_rule import Leaf
from wrn_search.space.rules.number_and_text_rules import checked_path

RANDOM = "random"
NOTHING = "none"  # is frozen
FREEZABLE = ("stem", "group1", "group2", "group3", "group4")
_PINNED = re.compile(r"(.+)@sha256:([0-9a-f]{64})", re.DOTALL)


def told_file(text: str) -> tuple[str, str | None]:
    """(path, SHA-256 or None) of a file that is told."""
    match = _PINNED.fullmatch(text)
    return (match[1], match[2]) if match else (text, None)


def pinned(path: str, digest: str) -> str:
    """The inverse of `told_file`."""
    return f"{path}@sha256:{digest}"


def same_file(one: Any, other: Any) -> bool:
    """Whether two values name one content, wherever it lies."""
    if one == other:
        return True
    digests = [told_file(each)[1] if isinstance(each, str) else None for each in (one, other)]
    return digests[0] is not None and digests[0] == digests[1]


def where_it_lies_now(recorded: str, now: str) -> str:
    """The file that a record tells, at the place where the space tells the same content now."""
    return now if same_file(recorded, now) else recorded


def starting_file() -> Leaf:
    """A leaf that takes `random` or the path of a file; a path that follows $HOME or ~ is written out."""
    rule = f"must be {RANDOM}, or the path of a file with weights, without control characters"

    def check(value: Any) -> str:
        if value == RANDOM:
            return RANDOM
        path, digest = told_file(value) if isinstance(value, str) else (value, None)
        checked: str = checked_path(path, rule)
        return checked if digest is None else pinned(checked, digest)

    return Leaf(check, {"type": "string", "minLength": 1})


def frozen_groups() -> Leaf:
    """A leaf that takes a list of groups, or the text that it is kept as: `none`, or `stem, group1`."""
    rule = f"must be a list of {', '.join(FREEZABLE)}, each once"

    def check(value: Any) -> str:
        if value == NOTHING:
            return NOTHING
        names = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or any(name not in FREEZABLE for name in names):
            raise broken(f"{rule}, {got(value)}")
        if len(set(names)) < len(names):
            raise broken(f"{rule}, {got(value)}")
        return ", ".join(name for name in FREEZABLE if name in names) or NOTHING

    items = {"type": "array", "items": {"enum": list(FREEZABLE)}, "uniqueItems": True}
    one = f"({'|'.join(FREEZABLE)})"
    kept = {"type": "string", "pattern": f"^({NOTHING}|{one}(, {one})*)$"}
    return Leaf(check, {"anyOf": [items, kept]})
