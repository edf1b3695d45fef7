"""Which space a resumed search has: the recorded one, with what its user has changed since in the file or by --set.

So what an earlier session was given by --set stays, and a file that was not touched changes nothing. Some keys must
stay what they were, whoever changed them.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wrn_search.errors import InputError, Problem
from wrn_search.space.rules.broken_rule import Path as KeyPath
from wrn_search.space.rules.broken_rule import spelled
from wrn_search.space.yaml_with_lines import Source

# What must not change between the sessions of one search: its trials could no longer be compared, or be told apart.
MUST_STAY = (
    "name",
    "dataset.",
    "model.init_from",
    "model.freeze",
    "objectives",
    "protocol",
    "recipe",
    "search.repeats",
    "search.seed",
    "training.compile",
    "training.cuda_graph",
    "training.epochs",
    "training.linear_precision",
    "training.lr_",
    "training.precision",
)
MAY_CHANGE_ALL_THE_SAME = ("dataset.root",)
_NOTHING = object()  # a key that does not stand in a file


def edited(recorded: Mapping[str, Any], before: Mapping[str, Any] | None, now: Source | None) -> Source:
    """The recorded space with each key that differs between two space files as the later one has it.

    A key that the later file no longer has gets its default.

    Args:
        recorded: the space after --set and defaults.
        before: the file as the last session was given it; None where it is lost: then each key of `now` counts.
        now: the file of this session; None without one.
    """
    document = copy.deepcopy(dict(recorded))
    if now is None:
        return Source(document)
    old, new = _keys(before or {}), _keys(now.value)
    changed = [key for key in {**old, **new} if not _same(old.get(key, _NOTHING), new.get(key, _NOTHING))]
    for key in changed:
        _put(document, key, new.get(key, _NOTHING))
    where = {
        path: line for path, line in now.where.items() if any(path[: len(key)] == key for key in changed)
    }
    return Source(document, where)


def check_comparable(
    results: Path, different: Sequence[str], before: Mapping[str, Any], now: Mapping[str, Any]
) -> None:
    """Sees to it that old and new trials can stand in one table.

    Raises:
        InputError: naming each key that must stay what it was.
    """
    rule = "must stay what it was when a search is resumed, so that its trials can be compared"
    hint = f"; a new search can learn from this one: search.warm_start: [{results}]"
    problems = [
        Problem(key, f"{rule}: {spelled(before.get(key))}, but got {spelled(now.get(key))}{hint}")
        for key in different
        if key.startswith(MUST_STAY) and key not in MAY_CHANGE_ALL_THE_SAME
    ]
    if problems:
        raise InputError(problems)


def _keys(document: Mapping[str, Any]) -> dict[KeyPath, Any]:
    """The keys of all sections with their values."""
    keys: dict[KeyPath, Any] = {}
    for name, section in document.items():
        if isinstance(section, dict):
            keys |= {(name, key): value for key, value in section.items()}
        elif section is not None:
            keys[(name,)] = section
    return keys


def _same(one: Any, other: Any) -> bool:
    """Equal, and of one kind: `true` is no 1."""
    return repr(one) == repr(other)


def _put(document: dict[str, Any], key: KeyPath, value: Any) -> None:
    section: Any = document
    for part in key[:-1]:
        if not isinstance(section.get(part), dict):
            section[part] = {}
        section = section[part]
    if value is _NOTHING:
        section.pop(key[-1], None)
    else:
        section[key[-1]] = value
