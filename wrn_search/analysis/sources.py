"""Sources: what lies in a results directory besides its tables, each part only if it is there and whole.

The tables alone must be enough for an answer: a file that is missing, torn or of another version costs what only it
could tell, and a sentence that says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrn_search.results.directory import ResultsDirectory
from wrn_search.results.events import SearchEnded, SearchStarted, from_line
from wrn_search.space.definition import Space
from wrn_search.space.errors import InputError
from wrn_search.space.reader import read_space

_TAIL_BYTES = 1 << 16
_ADAPTIVE_SEARCHERS = frozenset({"tpe"})
_ADAPTIVE_SCHEDULERS = frozenset({"asha"})


@dataclass(frozen=True)
class Source:
    """One results directory without its tables."""

    directory: ResultsDirectory
    space: Space | None  # as resolved
    manifest: dict[str, Any]  # empty if it cannot be read
    started: SearchStarted | None  # first event of the record
    state: (
        str  # reason of the last session's end, `unfinished` while there is none, `unknown` without a record
    )
    missing: tuple[str, ...]  # `FILE: why`

    @property
    def adaptive(self) -> bool | None:
        """Whether later trials depend on earlier results (rule 5); None where nothing tells."""
        if self.space is None:
            return None
        search = self.space.search
        return search.searcher in _ADAPTIVE_SEARCHERS or search.scheduler in _ADAPTIVE_SCHEDULERS

    @property
    def searched(self) -> tuple[str, ...] | None:
        """Names of the hyperparameters in the order of the space; None where nothing tells."""
        return None if self.space is None else tuple(self.space.hyperparameters)

    @property
    def trials_planned(self) -> int | None:
        """Rows that the space asks for."""
        if self.space is None:
            return None
        size = self.space.size
        trials = self.space.trials if size is None else min(self.space.trials, size)
        return trials * self.space.search.repeats

    def fact(self, *keys: str) -> Any:
        """A value of the manifest by its path, None if it is not there."""
        value: Any = self.manifest
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value


def read_source(path: Path) -> Source:
    """What can be read beside the tables of a results directory."""
    directory = ResultsDirectory(path)
    missing: list[str] = []
    space = _space(directory, missing)
    manifest = _manifest(directory.manifest, missing)
    started, state = _record_ends(directory.events, missing)
    return Source(directory, space, manifest, started, state, tuple(missing))


def text_of(path: Path) -> str | None:
    """The file's text, None if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _space(directory: ResultsDirectory, missing: list[str]) -> Space | None:
    try:
        return read_space(directory.resolved)
    except InputError as error:
        reason = error.problems[0].text
        missing.append(f"{directory.resolved.name}: {reason}")
        return None


def _manifest(path: Path, missing: list[str]) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else str(error)
        missing.append(f"{path.name}: {reason}")
        return {}
    if not isinstance(values, dict):
        missing.append(f"{path.name}: must hold a mapping, but got {type(values).__name__}")
        return {}
    return values


def _record_ends(path: Path, missing: list[str]) -> tuple[SearchStarted | None, str]:
    """The first event of the record, and how its last session stands: the millions between are not read."""
    try:
        with path.open("rb") as file:
            first = file.readline()
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read()
    except OSError as error:
        missing.append(f"{path.name}: {error.strerror}")
        return None, "unknown"
    started = _event(first, path, missing)
    whole = tail[: tail.rfind(b"\n") + 1].splitlines()
    last = _event(whole[-1] + b"\n", path, missing) if whole else None
    state = last.reason if isinstance(last, SearchEnded) else "unfinished"
    if whole and last is None:
        state = "unknown"  # the line is there, but of another version or damaged
    return started if isinstance(started, SearchStarted) else None, state


def _event(line: bytes, path: Path, missing: list[str]) -> Any:
    try:
        return from_line(line.decode("ascii", "backslashreplace"), path.name)[2]
    except InputError as error:
        missing.append(str(error.problems[0]))
        return None
