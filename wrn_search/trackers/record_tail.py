"""The record of a running search, read as it grows."""

from __future__ import annotations

import os
from pathlib import Path

from wrn_search.errors import InputError
from wrn_search.results.event_lines import from_line
from wrn_search.results.events import TimedEvent


class RecordTail:
    """Gives each whole line once; never changes the file, and leaves a last line that is not whole for later."""

    def __init__(self, path: Path):
        self._path = path
        self._size = self._lines = 0  # that were read
        self._file: int | None = None  # inode

    def new_events(self) -> list[TimedEvent]:
        """What has come since the last call.

        Raises:
            InputError: the record is gone, cannot be read, is another one now, or a line is damaged.
        """
        try:
            with self._path.open("rb") as file:
                self._check_same(os.fstat(file.fileno()))
                file.seek(self._size)
                return [self._event(line) for line in file if line.endswith(b"\n")]
        except FileNotFoundError:
            text = "must be the record of a search, but there is none"
            raise InputError.of("", text, str(self._path)) from None
        except OSError as error:
            text = f"must be readable, but got: {error.strerror}"
            raise InputError.of("", text, str(self._path)) from None

    def _check_same(self, found: os.stat_result) -> None:
        if self._file not in (None, found.st_ino) or found.st_size < self._size:
            raise InputError.of("", "a record must only grow, but got another one", str(self._path))
        self._file = found.st_ino

    def _event(self, line: bytes) -> TimedEvent:
        where = f"{self._path}:{self._lines + 1}"
        seq, seconds, event = from_line(line.decode("ascii", "backslashreplace"), where)
        if seq != self._lines:
            text = f"lines must be numbered 0, 1, 2, ..., but got {seq} for {self._lines}"
            raise InputError.of("seq", text, where)
        self._lines += 1
        self._size += len(line)
        return seconds, event
