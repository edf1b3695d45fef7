"""A search whose record is followed: each look reads the lines that are new, and folds them into what was known."""

from __future__ import annotations

import time
from bisect import bisect_left

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


class FollowedSearch:
    """One search. `look` reads what is new; all else are questions.

    Attributes:
        directory: of the search.
        state: the fold of its record so far.
        problem: why the record cannot be read on; None where it can.
    """

    def __init__(self, directory: ResultsDirectory):
        self.directory = directory
        self.state = SearchState()
        self.problem: str | None = None
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
        if self.problem is not None:
            return False
        try:
            if not self._has_grown():
                return False
            self._read = read_whole_lines(self.directory.events, self._read)
            before = self._folded
            while self._folded < len(self._read.events):
                self._fold()
        except InputError as error:
            self.problem = str(error)
            return True
        except OSError as error:
            self.problem = f"{self.directory.events}: must be readable, but got: {error.strerror}"
            return True
        return self._folded > before

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

    def version_at(self, moment: float) -> int:
        """Events on record before a moment, in Unix seconds."""
        return bisect_left(self._read.events, moment, key=lambda timed: timed[0])

    def events_of(self, number: int) -> list[TimedEvent]:
        """All that the record says of a trial but its epochs."""
        return [
            (moment, event)
            for moment, event in self._read.events[: self._folded]
            if getattr(event, "number", None) == number and not isinstance(event, Reported)
        ]

    def _has_grown(self) -> bool:
        try:
            return self.directory.events.stat().st_size != self._read.size
        except FileNotFoundError:  # it is being started
            return False

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
