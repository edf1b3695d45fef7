"""One tracker that follows one record: a fold over its events, and what of it the tracker does not have yet."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from wrn_search.errors import InputError
from wrn_search.file_system.exclusive_lock import ExclusiveLock
from wrn_search.file_system.lease import HeldError
from wrn_search.results.events import SearchEnded, SearchResumed
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState
from wrn_search.trackers.record_tail import RecordTail
from wrn_search.trackers.tracker import Tracker, TrackerKind

SECONDS_BEFORE_ANOTHER_TRY = 10.0
_OF_ALL_TRIALS = (
    SearchResumed,
    SearchEnded,
)  # what they change of trials that rested, no event of those says


class Follower:
    """Brings one tracker up to the record, again and again.

    Args:
        directory: of the search.
        name: of the tracker.
        kind: the tracker.
        tell: hears, once, why the tracker could not be brought up to date.

    One process at a time does so: see `take`.
    """

    def __init__(
        self, directory: ResultsDirectory, name: str, kind: TrackerKind, tell: Callable[[str], object]
    ):
        self.state = SearchState()
        self._directory, self._name, self._kind, self._tell = directory, name, kind, tell
        self._tail = RecordTail(directory.events)
        self._tracker: Tracker | None = None
        self._news: set[int] = set()  # trials that the tracker lacks something of
        self._is_behind = True
        self._due = 0.0  # monotonic seconds of the next try
        self._has_told = False
        self._lock: ExclusiveLock | None = None
        self._descriptor = -1  # of the locked file

    @property
    def is_behind(self) -> bool:
        """Whether something that was read is not there yet."""
        return self._is_behind

    @property
    def place(self) -> str:
        """Where people look at it; empty before it was opened."""
        return self._tracker.place if self._tracker is not None else ""

    def take(self) -> bool:
        """Whether this process is the one that follows: two would write everything twice.

        Raises:
            InputError: there is no folder to hold a lock in.
        """
        if self._lock is None:
            path = self._directory.path / f".tracker-{self._name}"
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            except OSError as error:
                text = f"must be a directory that can be written, but got: {error.strerror}"
                raise InputError.of("", text, str(self._directory.path)) from None
            try:
                self._lock = ExclusiveLock.take(path, descriptor, tell=lambda text: None)
                self._descriptor = descriptor
            except HeldError:
                os.close(descriptor)
        return self._lock is not None

    def release(self) -> None:
        """Another process may follow."""
        if self._lock is not None:
            self._lock.release()
            os.close(self._descriptor)
            self._lock = None

    def step(self, *, at_once: bool = False) -> None:
        """Reads what is new, and brings it to the tracker; one that did not answer is tried again after seconds.

        Raises:
            InputError: the record cannot be read.
        """
        self._read()
        if self._is_behind and self.state.search_id and (at_once or time.monotonic() >= self._due):
            self._do(self._update)

    def close(self, is_running: bool) -> None:
        """The last step, with the report.

        Args:
            is_running: whether a driver still writes the record.
        """
        self.step(at_once=True)
        tracker = self._tracker
        if tracker is not None and not self._is_behind:
            self._is_behind = True
            self._do(lambda: tracker.close(self.state, is_running))

    def _read(self) -> None:
        for moment, event in self._tail.new_events():
            self.state.apply(moment, event)
            self._is_behind = True
            if isinstance(event, _OF_ALL_TRIALS):
                self._news |= self.state.trials.keys()
            elif (number := getattr(event, "number", None)) is not None:
                self._news.add(number)

    def _update(self) -> None:
        if self._tracker is None:
            self._tracker = self._kind.open(self._directory, self.state)
            self._news |= self.state.trials.keys()
        self._tracker.update(self.state, self._news)
        self._news.clear()

    def _do(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:  # whatever it is, the search goes on, and so does this process
            self._tracker, self._due = None, time.monotonic() + SECONDS_BEFORE_ANOTHER_TRY
            if not self._has_told:
                self._has_told = True
                self._tell(why(error))
        else:
            self._is_behind = False


def why(error: Exception) -> str:
    """An error in one line: the innermost reason of a long chain."""
    reason: BaseException = error
    while (inner := reason.__cause__ or reason.__context__) is not None:
        reason = inner
    outer = " ".join(str(error).split())[:200] or type(error).__name__
    within = " ".join(str(reason).split())[-200:]
    return outer if reason is error or within in outer else f"{outer} ({within})"
