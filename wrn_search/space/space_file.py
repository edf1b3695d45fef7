"""The door for space files: a file, its `--set` overrides, or a mapping becomes a `Space`, or every problem is told."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from wrn_search.errors import InputError, Problem
from wrn_search.space.misspelt_keys import SECTIONS, unknown_key
from wrn_search.space.rules.across_keys.rules_across_keys import broken_rules
from wrn_search.space.rules.broken_rule import Broken, dotted, got
from wrn_search.space.rules.broken_rule import Path as KeyPath
from wrn_search.space.rules.key_rule import LEAF_ERROR
from wrn_search.space.sections.recipes import filled
from wrn_search.space.space import Space
from wrn_search.space.yaml_with_lines import Source, parse_source, read_source, with_override


def read_space(path: str | Path, overrides: Sequence[str] = ()) -> Space:
    """The space of a YAML file, after `--set KEY=VALUE` overrides.

    Raises:
        InputError: every problem of the file and the overrides, each with its line.
    """
    path = Path(path)
    return space_of(read_source(path), overrides, default_name=name_of(path))


def filled_in(path: str | Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """What `recipe`, `protocol` and the data set's name fill into a file that can be read: `section.key` -> value."""
    source = read_source(Path(path))
    for assignment in overrides:
        source = with_override(source, assignment)
    return filled(source.value)[1]


def space_from_mapping(
    document: Mapping[str, Any], overrides: Sequence[str] = (), *, on_record: bool = False
) -> Space:
    """The space of plain values, such as `yaml.safe_load` returns; `on_record` as of `space_of`.

    Raises:
        InputError: every problem.
    """
    source = Source(copy.deepcopy(dict(document)))
    return space_of(source, overrides, default_name="search", on_record=on_record)


def space_from_text(text: str, name: str, overrides: Sequence[str] = ()) -> Space:
    """The space of a YAML text; `name` stands for the file in messages.

    Raises:
        InputError: every problem.
    """
    return space_of(parse_source(text, name), overrides, default_name=name_of(Path(name)))


def name_of(path: Path) -> str:
    """The name of a search whose file gives none: the file's, with `_` for what no name may hold."""
    name = re.sub(r"[^A-Za-z0-9.-]+|\.{2,}", "_", path.stem).strip("_.-")
    return name[:100] or "search"


def space_of(
    source: Source, overrides: Sequence[str], default_name: str, *, on_record: bool = False
) -> Space:
    """The space of a source and its overrides; see `read_space`.

    `on_record` is a space that a search began with: what never acted in it stays, as its trials were told by it.
    """
    problems: list[Problem] = []
    for assignment in overrides:
        try:
            source = with_override(source, assignment)
        except InputError as error:
            problems += error.problems
    document, _ = filled(source.value)
    for name in SECTIONS:
        if name in document and document[name] is None:  # a section whose keys are all commented out
            document[name] = {}
    document.setdefault("name", default_name)
    space, wrong = _validated(document, source, problems)
    for broken in broken_rules(space) if space else ():
        if broken.idle and on_record:
            continue
        if not any(_touches(path, bad) for path in broken.reads for bad in wrong):
            blamed = _blamed(broken, source)
            problems.append(Problem(_key(blamed), broken.text, source.location(blamed)))
    if problems or space is None:
        raise InputError(sorted(problems, key=_reading_order))
    return space


def _blamed(broken: Broken, source: Source) -> KeyPath:
    """The broken key, or, when it is a default, the first key of the rule that somebody wrote."""
    if any(broken.at[:length] in source.where for length in range(2, len(broken.at) + 1)):
        return broken.at
    return next((path for path in broken.reads if path in source.where), broken.at)


def _validated(
    document: dict[str, Any], source: Source, problems: list[Problem]
) -> tuple[Space | None, list[KeyPath]]:
    """A space of the values that are right each for itself; the others are told and left at their defaults."""
    try:
        return Space.model_validate(document), []
    except ValidationError as error:
        wrong = [_path(details) for details in error.errors()]
        for details in error.errors():
            problems += _problems(details, source)
    for path in wrong:
        _remove(document, path)
    document.setdefault("name", "search")
    try:
        return Space.model_validate(document), wrong
    except (
        ValidationError
    ):  # a default that depends on a value we took out does not fit: the told problems suffice
        return None, wrong


def _problems(details: ErrorDetails, source: Source) -> Iterator[Problem]:
    """Pydantic's error in our words."""
    path = _path(details)
    if details["type"] == LEAF_ERROR:
        for below, text in details["ctx"]["problems"]:
            yield Problem(_key(path), text, source.location((*path, *below)))
    elif details["type"] == "extra_forbidden":
        yield Problem(_key(path), unknown_key(path), source.location(path))
    elif details["type"] in ("model_type", "model_attributes_type", "dict_type"):
        yield Problem(
            _key(path),
            f"must be a section with keys below it, {got(details['input'])}",
            source.location(path),
        )
    else:
        yield Problem(_key(path), f"{details['msg']}, {got(details['input'])}", source.location(path))


def _path(details: ErrorDetails) -> KeyPath:
    return tuple(details["loc"])


def _reading_order(problem: Problem) -> tuple[str, int]:
    """Line by line through the file; `--set` first."""
    file, _, line = problem.where.rpartition(":")
    return (file, int(line)) if line.isdecimal() else ("", 0)


def _key(path: KeyPath) -> str:
    """`model.depth` for the path of a leaf, and for the paths inside its domain."""
    return dotted(path[:2])


def _remove(document: dict[str, Any], path: KeyPath) -> None:
    section: Any = document
    for part in path[:-1]:
        section = section.get(part) if isinstance(section, dict) else None
    if isinstance(section, dict):
        section.pop(path[-1], None)


def _touches(path: KeyPath, bad: KeyPath) -> bool:
    """Whether one of two key paths lies at or above the other."""
    length = min(len(path), len(bad))
    return path[:length] == bad[:length]
