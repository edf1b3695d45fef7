"""The record of a search: an append-only file of events, each written before it is acted on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from wrn_search.errors import InputError
from wrn_search.file_system.exclusive_lock import ExclusiveLock, held_by
from wrn_search.file_system.flush import flush_names, flush_to_disk
from wrn_search.file_system.lease import HeldError
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
from wrn_search.steady_clock import SteadyClock

Subscriber = Callable[[float, Event], object]

_BINARY = getattr(os, "O_BINARY", 0)  # Windows would end lines otherwise
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
        self._attempted = b""  # the line that is being written, or was when a write failed
        self._lock: ExclusiveLock | None = None
        self._subscribers: list[Subscriber] = []
        self._synced_at = time.monotonic()

    @classmethod
    def create(cls, path: Path, clock: Callable[[], float] | None = None) -> Record:
        """A new, empty record; `clock` gives Unix seconds, by default of a `SteadyClock`.

        Raises:
            InputError: the file exists.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | _BINARY, 0o644)
        except FileExistsError:
            raise InputError.of("", "a new record must not exist yet, but it does", str(path)) from None
        record = cls(path, descriptor, clock or SteadyClock())
        try:
            record._take_lock()
            flush_names(path.parent)
        except BaseException:
            os.close(descriptor)
            raise
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
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | _BINARY)
        except FileNotFoundError:
            raise InputError.of("", "must be the record of a search, but there is none", str(path)) from None
        record = cls(path, descriptor, clock or SteadyClock())
        try:
            record._take_lock()
            read = _read(path, read)
            record.events, record._end = read.events, (read.size, len(read.events))
            os.ftruncate(
                descriptor, read.size
            )  # what a kill tore; the one place where another's bytes are cut off
            if clock is None and record.events:  # no session begins before the last one ended
                record._clock = SteadyClock(not_before=record.events[-1][0])
        except BaseException:
            record._let_go()
            raise
        return record

    def append(self, event: Event) -> None:
        """Writes one event, then calls the subscribers in the order in which they subscribed.

        Raises:
            ValueError: a number is not finite; nothing is written.
            OSError: the disk is full or gone, or another process cut the file or wrote to it: then nothing is
                written, and no line of anybody's is removed.
        """
        size, seq = self._end
        now = self.now()
        line = to_line(event, seq, now).encode("ascii") + b"\n"
        self.check_ours()
        self._attempted = line
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

    def now(self) -> float:
        """Unix seconds by the clock of the record; it never goes back, so differences are durations."""
        return round(self._clock(), 6)  # microseconds, as the tables keep them

    def forget(self) -> None:
        """Lets go of the events that the file held: whoever must know them has folded them."""
        self.events.clear()

    def subscribe(self, subscriber: Subscriber) -> None:
        """From now on `subscriber(time, event)` is called for each event, after its line is written."""
        self._subscribers.append(subscriber)

    def close(self) -> None:
        """Brings all lines to the disk and lets go of the file; a second call does nothing."""
        if self._descriptor >= 0:
            try:
                self._sync()
            finally:
                self._let_go()

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def check_ours(self) -> None:
        """Sees to it that the file is what this process has made of it, before anything is written.

        Removes what a failed or interrupted write of its own left after the last line that stands, and nothing else:
        on a file system without locks another process may write, too, and its lines are the record then.

        Raises:
            OSError: another process has taken over, cut the file or written to it.
        """
        if self._lock is not None:
            self._lock.check()
        size, expected = os.fstat(self._descriptor).st_size, self._end[0]
        if size < expected:
            raise OSError(f"{self.path}: the record must only grow, but lost {expected - size} bytes")
        if size > expected:
            os.lseek(self._descriptor, expected, os.SEEK_SET)
            found = os.read(self._descriptor, len(self._attempted) + 1)
            if not self._attempted.startswith(found):
                text = "one search at a time may write this record, but another process has written to it"
                raise OSError(f"{self.path}: {text} ({size - expected} bytes); nothing of it was touched")
            os.ftruncate(self._descriptor, expected)

    def _take_lock(self) -> None:
        """Two resumed searches at once would interleave their lines. The lock dies with the process.

        Raises:
            InputError: another process has the record open for writing.
        """
        try:
            self._lock = ExclusiveLock.take(self.path, self._descriptor)
        except HeldError as held:
            raise _refused(held, self.path) from None

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.release()
        os.close(self._descriptor)
        self._descriptor = -1

    def _sync(self) -> None:
        flush_to_disk(self._descriptor)
        self._synced_at = time.monotonic()


def check_nobody_writes(path: Path) -> None:
    """Refuses at once, before data and Ray are made ready, what `open` would refuse afterwards. Takes nothing.

    Raises:
        InputError: another process has the record open for writing.
    """
    if (holder := held_by(path)) is not None:
        raise _refused(holder, path)


def _refused(holder: object, path: Path) -> InputError:
    text = "one search at a time may write this record, but another one is running"
    return InputError.of("", f"{text}: {holder}", str(path))


def read_events(path: Path) -> list[TimedEvent]:
    """(time, event) of each whole line, for readers: never changes the file, passes over a torn last line.

    Raises:
        InputError: there is no record, or a line is damaged (names the line).
    """
    try:
        return _read(path).events
    except FileNotFoundError:
        raise InputError.of("", "must be the record of a search, but there is none", str(path)) from None


def read_whole_lines(path: Path, before: WholeLines | None = None) -> WholeLines:
    """The same for one who will open the record or read on: of what was read `before` only the new lines are parsed.

    Raises:
        InputError: see `read_events`.
    """
    try:
        return _read(path, before)
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
