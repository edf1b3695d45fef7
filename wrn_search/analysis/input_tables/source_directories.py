"""Sources: what lies in a results directory besides its tables, each part only if it is there and whole.

The tables alone must be enough for an answer: a file that is missing, torn or of another version costs what only it
could tell, and a sentence that says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wrn_search.end_reason import EndReason
from wrn_search.errors import InputError
from wrn_search.results.event_lines import from_line
from wrn_search.results.events import Looked, SearchEnded, SearchStarted
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.space_on_record import resolved_space
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.domains import Domain
from wrn_search.space.every_space_of_a_search import ever_searched
from wrn_search.space.space import Space
from wrn_search.wording import spending_text

_TAIL_BYTES = 1 << 16

_OF_EARLIER_VERSIONS = "asha"  # the only scheduler that stopped trials when changes were not told yet


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
    decided: Mapping[str, Any] | None = None  # what a search that stopped because it is decided answered
    spent: Mapping[str, float] = field(default_factory=dict)  # by all sessions: epochs, hours, ...
    has_stopped: bool = False  # whether a scheduler stopped a trial, by the tables

    @property
    def adaptive(self) -> bool | None:
        """Whether later trials depend on earlier results (rule 5); None where nothing tells."""
        if self.space is None:
            return None
        return bool(self.adaptive_parts)

    @property
    def adaptive_parts(self) -> tuple[str, ...]:
        """Names of searchers and schedulers, as far as they let later trials depend on earlier results."""
        searchers = [name for name in self.searchers if name in SEARCHERS and SEARCHERS[name].adaptive]
        schedulers = [name for name in self.schedulers if name not in SCHEDULERS or SCHEDULERS[name].adaptive]
        return (*searchers, *schedulers)

    @property
    def searchers(self) -> tuple[str, ...]:
        """All that proposed its trials, the first one first; empty where nothing tells."""
        return () if self.space is None else self._over_time("search.searcher", self.space.search.searcher)

    @property
    def schedulers(self) -> tuple[str, ...]:
        """All that decided on its trials, the first one first; empty where nothing tells.

        Where stops are on record and no change is told, as by earlier versions, the one that they had was there before.
        """
        if self.space is None:
            return ()
        told = self._over_time("search.scheduler", self.space.search.scheduler)
        stopping = {name for name, kind in SCHEDULERS.items() if kind.stops_trials}
        return told if not self.has_stopped or stopping.intersection(told) else (_OF_EARLIER_VERSIONS, *told)

    @property
    def changes(self) -> tuple[dict[str, Any], ...]:
        """Of each session that changed the search, `at` and `changed`: key -> [value before, value after]."""
        told = self.fact("changes")
        return tuple(each for each in told if _is_change(each)) if isinstance(told, list) else ()

    @property
    def replaced(self) -> tuple[dict[str, Any], ...]:
        """Of each change, key -> the value before it."""
        return tuple({key: pair[0] for key, pair in each["changed"].items()} for each in self.changes)

    @property
    def domains(self) -> dict[str, Domain]:
        """Every hyperparameter that was ever searched, as far as space file and manifest tell."""
        return ever_searched(self.space.hyperparameters if self.space else {}, self.replaced)

    @property
    def searched(self) -> tuple[str, ...] | None:
        """Names of the hyperparameters in the order of the space; None where nothing tells."""
        return None if self.space is None else tuple(self.domains)

    def _over_time(self, key: str, now: str) -> tuple[str, ...]:
        values = [str(replaced[key]) for replaced in self.replaced if key in replaced]
        return tuple(dict.fromkeys([*values, now]))

    @property
    def spending(self) -> str:
        """What was spent of `search.budget`, in words; empty without one."""
        return spending_text((self.space.search.budget if self.space else None) or {}, self.spent)

    @property
    def trials_planned(self) -> int | None:
        """Rows that the space asks for; None where it asks for as many as a budget pays for."""
        if self.space is None or (self.space.search.budget and self.space.search.trials is None):
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


def read_source(path: Path, *, has_stopped: bool = False) -> Source:
    """What can be read beside the tables of a results directory; they tell whether a scheduler stopped a trial."""
    directory = ResultsDirectory(path)
    missing: list[str] = []
    space = _space(directory, missing)
    manifest = _manifest(directory.manifest, missing)
    started, state, decided, spent = _record_ends(directory.events, missing)
    return Source(directory, space, manifest, started, state, tuple(missing), decided, spent, has_stopped)


def _is_change(value: Any) -> bool:
    """Whether the manifest holds what `add_change` writes."""
    changed = value.get("changed") if isinstance(value, dict) else None
    pairs = changed.values() if isinstance(changed, dict) else [None]
    return all(isinstance(pair, list) and len(pair) == 2 for pair in pairs)


def text_of(path: Path) -> str | None:
    """The file's text, None if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _space(directory: ResultsDirectory, missing: list[str]) -> Space | None:
    try:
        return resolved_space(directory)
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


def _record_ends(
    path: Path, missing: list[str]
) -> tuple[SearchStarted | None, str, Mapping[str, Any] | None, Mapping[str, float]]:
    """The first event of the record, how its last session stands, the last look of one that is decided, what was spent.

    The millions between are not read.
    """
    try:
        with path.open("rb") as file:
            first = file.readline()
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read()
    except OSError as error:
        missing.append(f"{path.name}: {error.strerror}")
        return None, "unknown", None, {}
    started = _event(first, path, missing)
    whole = tail[: tail.rfind(b"\n") + 1].splitlines()
    last = _event(whole[-1] + b"\n", path, missing) if whole else None
    state = last.reason if isinstance(last, SearchEnded) else "unfinished"
    if whole and last is None:
        state = "unknown"  # the line is there, but of another version or damaged
    decided = None
    if state == EndReason.DECIDED:
        looks = [line for line in whole if b'"event":"looked"' in line]
        look = _event(looks[-1] + b"\n", path, missing) if looks else None
        decided = look.answers if isinstance(look, Looked) else {}
    spent = last.spent if isinstance(last, SearchEnded) else {}
    return started if isinstance(started, SearchStarted) else None, state, decided, spent


def _event(line: bytes, path: Path, missing: list[str]) -> Any:
    try:
        return from_line(line.decode("ascii", "backslashreplace"), path.name)[2]
    except InputError as error:
        missing.append(str(error.problems[0]))
        return None
