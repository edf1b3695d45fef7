"""YAML text as plain values that remember where each of them stands.

Only plain data comes out: mappings, lists and scalars. Tags that would construct objects, exploding aliases,
duplicate keys and oversized files are refused with their line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from wrn_search.errors import InputError, Problem
from wrn_search.space.rules.broken_rule import Path as KeyPath
from wrn_search.space.rules.broken_rule import dotted, spelled

MAX_BYTES = 64 * 1024
MAX_VALUES = 20_000
MAX_NESTING = 20
ASSIGNMENT = re.compile(r"[a-z_]+(\.[a-z_]+)*=.*", re.DOTALL)  # training.epochs=3
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")  # a number in YAML 1.2, a string in YAML 1.1
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")  # 010 is 8 in YAML 1.1 and 10 in YAML 1.2
_TAG = "tag:yaml.org,2002:"


@dataclass
class Source:
    """A document: its plain value, and for each key path where it was written and how it was spelt."""

    value: dict[str, Any] = field(default_factory=dict)
    where: dict[KeyPath, str] = field(default_factory=dict)

    def location(self, path: KeyPath) -> str:
        """`FILE:LINE` of the closest thing written at or above a key path."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.where:
                return self.where[path[:length]]
        return ""


def read_source(path: Path, what: str = "space file") -> Source:
    """The document in a YAML file; `what` messages call it.

    Raises:
        InputError: the file cannot be read, is no YAML mapping, or breaks one of this module's limits.
    """
    return parse_source(_read_text(path, what), str(path), what)


def _read_text(path: Path, what: str) -> str:
    try:
        if not path.is_file():
            there = "a directory" if path.is_dir() else "nothing" if not path.exists() else "no regular file"
            hint = f"; to set a key, write --set {path}" if ASSIGNMENT.fullmatch(str(path)) else ""
            raise InputError.of("", f"the {what} must be a YAML file, but there is {there}{hint}", str(path))
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError.of("", f"a {what} must be at most {MAX_BYTES} bytes, but got {size}", str(path))
        content = path.read_bytes()
    except OSError as error:
        raise InputError.of(
            "", f"the {what} must be readable, but got: {error.strerror}", str(path)
        ) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        got = f"the byte 0x{content[error.start]:02x}"
        raise InputError.of("", f"a {what} must be UTF-8 text, but got {got}", f"{path}:{line}") from None


def parse_source(text: str, file: str, what: str = "space file") -> Source:
    """The document in a YAML text that came from `file`; `what` messages call it.

    Raises:
        InputError: no YAML, no mapping, or one of this module's limits is broken.
    """
    node = _compose(text, file)
    if node is None:
        raise InputError.of("", f"a {what} must be a mapping of keys to values, but got an empty file", file)
    reader = _NodeReader(file)
    value = reader.value(node, ())
    if reader.problems:
        raise InputError(reader.problems)
    if not isinstance(value, dict):
        kind = "a list" if isinstance(value, list) else "a single value"
        raise InputError.of("", f"a {what} must be a mapping of keys to values, but got {kind}", f"{file}:1")
    return Source(value, {(): f"{file}:1"} | reader.where)


def with_override(source: Source, assignment: str) -> Source:
    """The source with one `--set KEY=VALUE` applied; VALUE is YAML.

    Raises:
        InputError: the assignment has no `=`, no key, or no readable value.
    """
    key, equals, text = assignment.partition("=")
    key = key.strip()
    path: KeyPath = tuple(key.split("."))
    if not equals or not all(path):
        raise InputError.of(
            "", f"KEY=VALUE must hold, such as training.epochs=30, but got {spelled(assignment)}", "--set"
        )
    node = _compose(text, "--set", key)
    reader = _NodeReader("--set", located=False)
    value = None if node is None else reader.value(node, path)
    if reader.problems:
        raise InputError(reader.problems)
    document = _copied(source.value)
    section, first_new = document, len(path)
    for depth, part in enumerate(path[:-1], start=1):
        if not isinstance(section.get(str(part)), dict):
            section[str(part)] = {}
            first_new = min(first_new, depth)
        section = section[str(part)]
    section[str(path[-1])] = value
    replaced = path[:first_new]
    kept = {old: where for old, where in source.where.items() if old[:first_new] != replaced}
    return Source(document, kept | {replaced: "--set", path: "--set"} | reader.where)


class _Dumper(yaml.SafeDumper):
    """PyYAML's, but text that this module would read as a number (`1e5`, a string in YAML 1.1) is quoted."""


def _represented(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "'" if _EXPONENT.fullmatch(text) else None
    return dumper.represent_scalar(_TAG + "str", text, style=style)


_Dumper.add_representer(str, _represented)


def yaml_text(document: Mapping[str, Any], **options: Any) -> str:
    """Plain values as YAML in the given order of keys; reading it here gives them again."""
    return str(yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, **options))


def _copied(value: Any) -> Any:
    return {key: _copied(item) for key, item in value.items()} if isinstance(value, dict) else value


def _compose(text: str, file: str, key: str = "") -> yaml.Node | None:
    """The node graph; YAML's own errors in our words."""
    try:
        # The pure Python loader: deep nesting ends in RecursionError, not in a crash of libyaml's C stack.
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        problem, line = _yaml_problem(error)
        raise InputError.of(key, f"must be YAML, but got: {problem}", _at(file, line)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        sign = f"the control character 0x{ord(text[error.position]):02x}"
        raise InputError.of(key, f"must be YAML, but got: {sign}", _at(file, line)) from None
    except (ValueError, OverflowError):  # PyYAML's own conversions of directives and escapes
        raise InputError.of(key, "must be YAML, but got: a version or an escape out of range", file) from None
    except RecursionError:
        raise InputError.of(
            key, f"at most {MAX_NESTING} levels of nesting must hold, but got more", file
        ) from None


def _yaml_problem(error: yaml.MarkedYAMLError) -> tuple[str, int | None]:
    """PyYAML's complaint and its line: for text without an end, the line where that text begins."""
    problem = error.problem or error.context or "unreadable text"
    mark = error.problem_mark or error.context_mark
    if "'\\t'" in problem:
        problem = "a tab; spaces must indent and separate"
    elif "second occurrence" in problem:
        problem = (error.context or problem).partition(";")[0]
    elif "end of stream" in problem or "<stream end>" in problem:
        mark = error.context_mark or mark
    return problem.removeprefix("but "), None if mark is None else mark.line + 1


def _at(file: str, line: int | None) -> str:
    return file if line is None or file == "--set" else f"{file}:{line}"


class _NodeReader:
    """Turns nodes into plain values, noting where each stands and what is wrong with it."""

    def __init__(self, file: str, located: bool = True):
        self.file = file
        self.located = located
        self.where: dict[KeyPath, str] = {}
        self.problems: list[Problem] = []
        self._count = 0
        self._open: list[yaml.Node] = []  # the nodes that hold the present one
        self._constructor = yaml.SafeLoader("")

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        """The plain value of a node that stands at `path`."""
        self._count += 1
        self.where.setdefault(path, self._line(node))
        if any(node is holder for holder in self._open):
            self._complain(node, path, "an alias must not stand inside what it names")
            return None
        if self._count > MAX_VALUES or len(self._open) > MAX_NESTING:
            if not any("aliases included" in problem.text for problem in self.problems):
                limit = f"at most {MAX_VALUES} values and {MAX_NESTING} levels must hold, aliases included"
                self._complain(node, path, f"{limit}, but got more")
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self._open.append(node)
        try:
            return self._collection(node, path)
        finally:
            self._open.pop()

    def _collection(self, node: yaml.Node, path: KeyPath) -> Any:
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        self._complain(node, path, f"tags are not allowed, but got {node.tag}")
        return None

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                continue
            key = self._key(key_node, path)
            if key is None:
                continue
            if key in mapping:
                line = self.where[(*path, key)].rpartition(":")[2]
                first = f" (first in line {line})" if line.isdecimal() else ""
                self._complain(key_node, (*path, key), f"a key must stand once, but got it twice{first}")
                continue
            self.where[(*path, key)] = self._line(key_node)
            mapping[key] = self.value(value_node, (*path, key))
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                self._merge(mapping, value_node, path)
        return mapping

    def _merge(self, mapping: dict[str, Any], node: yaml.Node, path: KeyPath) -> None:
        """`<<: *other` or `<<: [*one, *other]`: keys that the mapping has not; of several, the first counts."""
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(source, yaml.MappingNode):
                self._complain(source, path, "a merge key (<<) must name a mapping, or a list of mappings")
                return
            ours = {(*path, key) for key in mapping}
            written = {at: line for at, line in self.where.items() if at[: len(path) + 1] in ours}
            mapping |= (self.value(source, path) or {}) | mapping
            self.where |= written

    def _key(self, node: yaml.Node, path: KeyPath) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self._complain(node, path, "a key must be a name, but got a list or mapping")
            return None
        if not node.tag.startswith(_TAG):
            self._complain(node, path, f"tags are not allowed, but got {node.tag}")
            return None
        return str(node.value)

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        kind = node.tag.removeprefix(_TAG)
        if node.tag == kind or kind not in ("str", "int", "float", "bool", "null", "timestamp"):
            self._complain(node, path, f"tags are not allowed, but got {node.tag}")
            return None
        text = str(node.value)
        exponent = kind == "str" and node.style is None and _EXPONENT.fullmatch(text)
        if kind == "timestamp" or (kind in ("int", "float") and ":" in text):  # 1:30 is no number of ours
            return text
        if kind == "int" and _LEADING_ZERO.fullmatch(text):
            self._complain(node, path, f"a number must not begin with 0, but got {text} (quote it as text)")
            return None
        try:
            value = float(text) if exponent else self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError, LookupError):  # such as !!int abc
            self._complain(node, path, f"must be a value of its kind, but got {spelled(text)}")
            return None
        if isinstance(value, float) and math.isinf(value) and "inf" not in text.lower():
            self._complain(node, path, f"must be a finite number, but got {spelled(text)}")
        return value

    def _line(self, node: yaml.Node) -> str:
        return f"{self.file}:{node.start_mark.line + 1}" if self.located else self.file

    def _complain(self, node: yaml.Node, path: KeyPath, text: str) -> None:
        self.problems.append(Problem(dotted(path), text, self._line(node)))
