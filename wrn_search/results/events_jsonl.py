"""The record of a search: an append-only file of events, each written before it is acted on."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from wrn_search.errors import InputError
from wrn_search.results.event_lines import from_line, to_line
from wrn_search.results.events import (
    Chosen,
    Completed,
    Diverged,
    Event,
    Failed,
    Interrupted,
    Retried,
    SearchEnded,
    Stopped,
    Tested,
    TestOpened,
    TimedEvent,
)

Subscriber = Callable[[float, Event], object]

_SYNC_SECONDS = 1.0
_SYNCED_AT_ONCE = (
    *(Stopped, Completed, Diverged, Failed, Retried, Interrupted, SearchEnded),
    *(Chosen, TestOpened, Tested),
)


@dataclass(frozen=True)
class WholeLines:
    """What stands in a record."""

    events: list[TimedEvent]
    size: int  # bytes


class Record:
    """An open record, held by one process at a time; make it with `create` or `open`.

    A line reaches the operating system before `append` returns, so a killed process loses nothing. It reaches
    the disk at most a second later while events come, and at once when a trial ends.
    """

    def __init__(self, path: Path, descriptor: int, clock: Callable[[], float]):
        self.path = path
        # Those that the file held when it was opened, and those that came before anybody subscribed.
        self.events: list[TimedEvent] = []
        self._descriptor = descriptor
        self._clock = clock
        # (bytes, lines) of what stands in the record. One value, so that no interrupt comes between the two.
        self._end = (0, 0)
        self._subscribers: list[Subscriber] = []
        self._synced_at = time.monotonic()

    @classmethod
    def create(cls, path: Path, clock: Callable[[], float] | None = None) -> Record:
        """A new, empty record; `clock` tells Unix seconds, default the steady one.

        Raises:
            InputError: the file exists.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            raise InputError.of("", "a new record must not exist yet, but it does", str(path)) from None
        record = cls(path, descriptor, clock or steady_clock())
        record._lock()
        _sync_folder(path.parent)
        return record

    @classmethod
    def open(
        cls, path: Path, clock: Callable[[], float] | None = None, *, read: WholeLines | None = None
    ) -> Record:
        """The record at `path` with its events read; a last line that a kill tore is cut off.

        Args:
            path: the file.
            clock: Unix seconds; default the steady one.
            read: what was read of it before, which is not read again: a record only grows.

        Raises:
            InputError: there is no record, another process writes it, or a line is damaged (names the line).
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            raise InputError.of("", "must be the record of a search, but there is none", str(path)) from None
        record = cls(path, descriptor, clock or steady_clock())
        try:
            record._lock()
            read = _read(path, read)
            record.events, record._end = read.events, (read.size, len(read.events))
            record._cut_off_remains()
        except BaseException:
            os.close(descriptor)
            raise
        return record

    def append(self, event: Event) -> None:
        """Writes one event, then calls the subscribers in the order in which they subscribed.

        Raises:
            ValueError: a number is not finite; nothing is written.
            OSError: the disk is full or gone, or somebody cut the file; the record ends with the event before.
        """
        size, seq = self._end
        now = round(self._clock(), 6)  # microseconds, as the tables keep them
        line = to_line(event, seq, now).encode("ascii") + b"\n"
        self._cut_off_remains()
        if (written := os.write(self._descriptor, line)) != len(line):
            raise OSError(
                f"{self.path}: only {written} of {len(line)} bytes could be written: is the disk full?"
            )
        self._end = (size + len(line), seq + 1)
        if isinstance(event, _SYNCED_AT_ONCE) or time.monotonic() - self._synced_at >= _SYNC_SECONDS:
            self._sync()
        if not self._subscribers:
            self.events.append((now, event))
        for subscriber in self._subscribers:
            subscriber(now, event)

    def forget(self) -> None:
        """Lets go of the events that the file held: whoever must know them has folded them."""
        self.events.clear()

    def subscribe(self, subscriber: Subscriber) -> None:
        """From now on `subscriber(time, event)` is called for each event, after its line is written."""
        self._subscribers.append(subscriber)

    def close(self) -> None:
        """Brings all lines to the disk and lets go of the file; a second call does nothing."""
        if self._descriptor >= 0:
            self._sync()
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _lock(self) -> None:
        """Two resumed searches at once would interleave their lines. The lock dies with the process.

        Raises:
            InputError: another process has the record open for writing.
        """
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = "one search at a time may write this record, but another one is running"
            raise InputError.of("", text, str(self.path)) from None
        except OSError:
            pass  # some network file systems have no locks; the sequence numbers still tell damage

    def _cut_off_remains(self) -> None:
        """Removes what a torn, failed or interrupted write left after the last line that stands."""
        size, expected = os.fstat(self._descriptor).st_size, self._end[0]
        if size < expected:
            raise OSError(f"{self.path}: the record must only grow, but lost {expected - size} bytes")
        if size > expected:
            os.ftruncate(self._descriptor, expected)

    def _sync(self) -> None:
        os.fsync(self._descriptor)
        self._synced_at = time.monotonic()


def steady_clock() -> Callable[[], float]:
    """Unix seconds that do not jump when the machine's clock is set: what a session has spent is read from them."""
    began = time.time() - time.monotonic()
    return lambda: began + time.monotonic()


def read_events(path: Path) -> list[TimedEvent]:
    """(time, event) of each whole line, for readers: never changes the file, passes over a torn last line.

    Raises:
        InputError: there is no record, or a line is damaged (names the line).
    """
    try:
        return _read(path).events
    except FileNotFoundError:
        raise InputError.of("", "must be the record of a search, but there is none", str(path)) from None


def read_whole_lines(path: Path) -> WholeLines:
    """The same for one who will open the record.

    Raises:
        InputError: see `read_events`.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        raise InputError.of("", "must be the record of a search, but there is none", str(path)) from None


def _read(path: Path, before: WholeLines | None = None) -> WholeLines:
    """The events of all whole lines; those that were read before are only added to."""
    with path.open("rb") as file:
        if before is None or file.seek(0, os.SEEK_END) < before.size:
            before = WholeLines([], 0)
        file.seek(before.size)
        return _parse(file, path, before)


def _parse(lines: Iterable[bytes], path: Path, before: WholeLines) -> WholeLines:
    events, size = before.events, before.size
    for number, line in enumerate(lines, start=len(events)):
        if not line.endswith(b"\n"):
            break  # torn: its `append` never returned, so nothing was done about it
        where = f"{path}:{number + 1}"
        seq, seconds, event = from_line(line.decode("ascii", "backslashreplace"), where)
        if seq != number:
            raise InputError.of(
                "seq", f"lines must be numbered 0, 1, 2, ..., but got {seq} for {number}", where
            )
        events.append((seconds, event))
        size += len(line)
    return WholeLines(events, size)


def _sync_folder(folder: Path) -> None:
    """Brings a new file's name to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
