"""The lock under which one process prepares files for many, and how long the others wait for it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wrn_search.file_system.exclusive_lock import ExclusiveLock, say_on_stderr
from wrn_search.file_system.lease import HeldError

LIMIT = "WRN_SEARCH_PREPARE_SECONDS"
_LIMIT_SECONDS = 7200.0  # a million images of a folder take an hour on one core
_SECONDS_BETWEEN_TRIES = 0.2
_SECONDS_BEFORE_TELLING = 5.0


class NotPreparedError(OSError):
    """Another process prepares the files, and does not come to an end."""

    def __init__(self, path: Path, seconds: float, holder: str):
        super().__init__(f"{holder} has held {path} for more than {seconds:g} s ({LIMIT}); is it alive?")


def seconds_to_prepare() -> float:
    """How long preparing files may take: $WRN_SEARCH_PREPARE_SECONDS, else two hours."""
    try:
        seconds = float(os.environ.get(LIMIT) or _LIMIT_SECONDS)
    except ValueError:
        return _LIMIT_SECONDS
    return seconds if seconds > 0 else _LIMIT_SECONDS


@contextmanager
def preparation_lock(path: Path, tell: Callable[[str], object] | None = None) -> Iterator[None]:
    """Holds the lock of a file, which is made, while the block runs; waits for whoever holds it.

    Args:
        path: the file.
        tell: hears in words for whom it waits, and when the file system has no locks; default a line on stderr.

    Raises:
        NotPreparedError: another process has held it all the time, at most `seconds_to_prepare()`.
        OSError: the file cannot be made.
    """
    tell, seconds = tell or say_on_stderr, seconds_to_prepare()
    began, has_told = time.monotonic(), False
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    try:
        while True:
            try:
                lock = ExclusiveLock.take(path, descriptor, tell)
                break
            except HeldError as held:
                waited = time.monotonic() - began
                if waited >= seconds:
                    raise NotPreparedError(path, seconds, str(held)) from None
                if waited >= _SECONDS_BEFORE_TELLING and not has_told:
                    tell(f"{path}: waiting for {held}, {seconds:g} s at most")
                    has_told = True
            time.sleep(_SECONDS_BETWEEN_TRIES)
        try:
            yield
        finally:
            lock.release()
    finally:
        os.close(descriptor)
