"""A search whose record is followed: each look reads the lines that are new, and folds them into what was known."""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from pathlib import Path

from wrn_search.errors import InputError
from wrn_search.progress.driver import driver_of
from wrn_search.progress.search_progress import Progress
from wrn_search.progress.search_status import SearchStatus, progress_of, status_from, status_of
from wrn_search.results.events import Chosen, Reported, SearchResumed, SearchStarted, TimedEvent
from wrn_search.results.events_jsonl import WholeLines, read_whole_lines
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState

_KEPT = (SearchStarted, SearchResumed, Chosen)  # by which sessions, and their kind, are told
_SECONDS_BETWEEN_STATUSES = 1.0
_MOST_OF_A_LINE = 1 << 16  # bytes


class FollowedSearch:
    """One search. `look` reads what is new; all else are questions.

    Attributes:
        directory: of the search.
        state: the fold of its record so far.
        problem: why the record cannot be read on; None where it can. One that was gone and is there again, or another
            one in its place, is read from its beginning.
    """

    def __init__(self, directory: ResultsDirectory):
        self.directory = directory
        self.problem: str | None = None
        self._seen: os.stat_result | None = None  # the record at the last look; None where it was not there
        self._forget()

    def _forget(self) -> None:
        self.state = SearchState()
        self._first_line = b""
        self._progress: Progress | None = None
        self._read = WholeLines([], 0)
        self._folded = 0  # events
        self._sessions: list[TimedEvent] = []  # of `_KEPT`, and the last event before each
        self._changed: dict[int, int] = {}  # trial -> events that were folded when it changed last
        self._at: dict[int, list[int]] = {}  # trial -> places of its epochs among the events
        self._status: SearchStatus | None = None
        self._status_at = float("-inf")

    @property
    def version(self) -> int:
        """Events so far."""
        return self._folded

    @property
    def name(self) -> str:
        """Of the search; that of its folder while it is being started."""
        return self.state.search or self.directory.path.name

    def look(self) -> bool:
        """Whether something is new on record; reads it."""
        before = self._folded, self.problem
        path = self.directory.events
        try:
            found = path.stat()
            if self._is_known(found):
                return False
            first = _first_line(path)
            is_another = self._first_line not in (b"", first) or found.st_size < self._read.size
            if self.problem is not None or is_another:
                self._forget()
            self._seen, self.problem, self._first_line = found, None, first
            self._read = read_whole_lines(path, self._read)
            while self._folded < len(self._read.events):
                self._fold()
        except FileNotFoundError:
            if self._seen is not None:  # else it is being started
                self._seen, self.problem = None, f"{path}: must be the record of a search, but it is gone"
        except OSError as error:
            self._seen, self.problem = None, f"{path}: must be readable, but got: {error.strerror}"
        except InputError as error:
            self.problem = str(error)
        return (self._folded, self.problem) != before

    def status(self) -> SearchStatus:
        """How it stands; a second old at most.

        Raises:
            InputError: there is no search any more, or its record cannot be read.
        """
        now = time.monotonic()
        if self._status is None or now - self._status_at >= _SECONDS_BETWEEN_STATUSES:
            self._status, self._status_at = self._new_status(), now
        return self._status

    def changed_since(self, version: int) -> list[int]:
        """Trials of which something is new since so many events, by number."""
        return sorted(number for number, changed in self._changed.items() if changed > version)

    def points_since(self, number: int, version: int) -> list[tuple[int, float]]:
        """(epoch, validation error in percent) of a trial's epochs since so many events, and of the one before them."""
        places = self._at.get(number, ())
        first = max(0, bisect_left(places, version) - 1)
        events = (self._read.events[place][1] for place in places[first:])
        return [
            (event.metrics.epoch, event.metrics.val_error)
            for event in events
            if isinstance(event, Reported) and event.metrics.val_error is not None
        ]

    def version_before(self, version: int, seconds: float) -> int:
        """Events on record so many seconds before the last of `version` events, by the clock that wrote them."""
        version = min(version, self._folded)
        if version == 0:
            return 0
        events = self._read.events
        return bisect_left(events, events[version - 1][0] - seconds, hi=version, key=lambda timed: timed[0])

    def events_of(self, number: int) -> list[TimedEvent]:
        """All that the record says of a trial but its epochs."""
        return [
            (moment, event)
            for moment, event in self._read.events[: self._folded]
            if getattr(event, "number", None) == number and not isinstance(event, Reported)
        ]

    def _is_known(self, found: os.stat_result) -> bool:
        """Whether nothing can have changed; a damaged record heals by no line that is added to it."""
        if self._seen is None or found.st_ino != self._seen.st_ino:
            return False
        if self.problem is not None:
            return found.st_size >= self._seen.st_size
        return (found.st_size, found.st_mtime_ns) == (self._seen.st_size, self._seen.st_mtime_ns)

    def _fold(self) -> None:
        """Takes in the next event."""
        events = self._read.events
        timed = events[self._folded]
        event = timed[1]
        self.state.apply(*timed)
        self._folded += 1
        if isinstance(event, _KEPT):
            self._sessions += [*events[max(0, self._folded - 2) : self._folded - 1], timed]
        if self._progress is None or isinstance(event, SearchResumed):
            self._progress = progress_of(events[: self._folded])
        else:
            self._progress.apply(*timed)
            self._progress.rows = max(self._progress.rows, len(self.state.trials))
        number = getattr(event, "number", None)
        if number is not None:
            self._changed[number] = self._folded
            if isinstance(event, Reported):
                self._at.setdefault(number, []).append(self._folded - 1)

    def _new_status(self) -> SearchStatus:
        if self._progress is None:
            return status_of(self.directory)
        told = [*self._sessions, self._read.events[self._folded - 1]]
        return status_from(self.directory, driver_of(self.directory), told, self._progress)


def _first_line(path: Path) -> bytes:
    """It tells one record from another; empty as long as it is not whole."""
    with path.open("rb") as file:
        line = file.readline(_MOST_OF_A_LINE)
    return line if line.endswith(b"\n") or len(line) == _MOST_OF_A_LINE else b""
