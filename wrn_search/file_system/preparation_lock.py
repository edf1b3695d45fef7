"""The lock under which one process prepares files for many, and how long the others wait for it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from wrn_search.file_system.exclusive_lock import ExclusiveLock, say_on_stderr
from wrn_search.file_system.lease import HeldError

LIMIT = "WRN_SEARCH_PREPARE_SECONDS"
_LIMIT_SECONDS = 7200.0  # a million images of a folder take an hour on one core
_SECONDS_BETWEEN_TRIES = 0.2
_SECONDS_BEFORE_TELLING = 5.0


class NotPreparedError(OSError):
    """The files are not prepared in time: by the process that holds the lock, or by this one."""


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
        NotPreparedError: another process has held it all the time, or the block takes longer; at most
            `seconds_to_prepare()` each.
        OSError: the file cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    try:
        lock = _waited(path, descriptor, tell or say_on_stderr)
        try:
            with _limited(seconds_to_prepare()):
                yield
        finally:
            lock.release()
    finally:
        os.close(descriptor)


def _waited(path: Path, descriptor: int, tell: Callable[[str], object]) -> ExclusiveLock:
    """The lock, once whoever holds it has let go.

    Raises:
        NotPreparedError: it has not for all the time that preparing may take.
    """
    began, has_told, seconds = time.monotonic(), False, seconds_to_prepare()
    while True:
        try:
            return ExclusiveLock.take(path, descriptor, tell)
        except HeldError as held:
            waited = time.monotonic() - began
            if waited >= seconds:
                text = f"{held} has held {path} for more than {seconds:g} s ({LIMIT}); is it alive?"
                raise NotPreparedError(text) from None
            if waited >= _SECONDS_BEFORE_TELLING and not has_told:
                tell(f"{path}: waiting for {held}, {seconds:g} s at most ({LIMIT})")
                has_told = True
        time.sleep(_SECONDS_BETWEEN_TRIES)


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Ends the block when it takes longer, as on a network directory that hangs.

    Only in the main thread, where Python hears signals, and where the system has this one.

    Raises:
        NotPreparedError: it took longer.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise NotPreparedError(f"preparing them took more than {seconds:g} s ({LIMIT})")

    before, began = signal.signal(signal.SIGALRM, ring), time.monotonic()
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)  # of a block around this one
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 0.001) if left else 0)
        signal.signal(signal.SIGALRM, before)
