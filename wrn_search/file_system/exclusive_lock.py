"""A lock that one process at a time holds: flock where the file system has it, else a lease.

A killed process leaves no lock behind: the kernel lets go of flock, and a lease expires.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from wrn_search.file_system.holder import Holder, this_process
from wrn_search.file_system.lease import HeldError, Lease, hidden_beside, refuse_held

try:
    import fcntl
except ImportError:  # Windows has no flock; a lease needs none
    fcntl = None  # type: ignore[assignment]

_PAUSES = (0.01, 0.05, 0.1)  # seconds
_TOLD: set[str] = set()  # folders of which was told that they have no locks


class ExclusiveLock:
    """A lock that is held on an open file; make it with `take`. It ends with `release`, or with the process."""

    def __init__(self, path: Path, descriptor: int, lease: Lease | None):
        self._path = path
        self._descriptor = descriptor
        self._lease = lease

    @classmethod
    def take(cls, path: Path, descriptor: int, tell: Callable[[str], object] | None = None) -> ExclusiveLock:
        """Locks an open file.

        Args:
            path: its name.
            descriptor: of the open file.
            tell: hears in words when the file system has no locks; default a line on stderr.

        Raises:
            HeldError: another process holds it.
            OSError: there are no locks, and no lease can be made beside the file either.
        """
        tell = tell or say_on_stderr
        try:
            _flock_patiently(path, descriptor)
        except BlockingIOError:
            raise HeldError(named_holder(path)) from None
        except OSError as error:
            lease = Lease.take(path, tell)
            if (folder := str(path.parent)) not in _TOLD:
                _TOLD.add(folder)
                text = f"this file system has no locks ({error.strerror})"
                tell(
                    f"warning: {folder}: {text}; a lease file stands in, looked after by process {os.getpid()}"
                )
            return cls(path, descriptor, lease)
        try:
            refuse_held(path, tell)  # another node may mount the same storage without locks
            _write_holder(path)
        except BaseException:
            _unlock(descriptor)
            raise
        return cls(path, descriptor, None)

    def check(self) -> None:
        """Sees to it that it is still held: a lease ends when its holder has slept too long.

        Raises:
            LeaseLostError: another process has taken over.
        """
        if self._lease is not None:
            self._lease.check()

    def release(self) -> None:
        """Lets go; the descriptor stays open."""
        if self._lease is not None:
            self._lease.release()
            return
        with contextlib.suppress(OSError):
            if _holder_file(self._path) == self._path:
                os.ftruncate(self._descriptor, 0)  # by its name it may be gone
            else:
                _holder_file(self._path).unlink()
        _unlock(self._descriptor)


def held_by(path: Path) -> str | None:
    """Who holds the lock of a file, in words; None when nobody does. Takes nothing.

    Raises:
        OSError: the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        try:
            _flock(descriptor, shared=True)
        except BlockingIOError:
            return str(named_holder(path) or "another process")
        except OSError:
            pass  # no locks here: then a lease tells
        refuse_held(path, say_on_stderr)
    except HeldError as held:
        return str(held)
    finally:
        os.close(descriptor)
    return None


def is_locked(path: Path) -> bool:
    """Whether a lock of the file system is held on a file, as far as this machine sees it. Takes nothing.

    Raises:
        OSError: the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _flock(descriptor, shared=True)
    except BlockingIOError:
        return True
    except OSError:
        pass  # no locks here
    finally:
        os.close(descriptor)
    return False


def _flock_patiently(path: Path, descriptor: int) -> None:
    """Locks; one that is held by nobody who has a name may be that of a reader who is looking, and is gone at once.

    Raises:
        BlockingIOError, OSError: see `_flock`.
    """
    for pause in _PAUSES:
        try:
            return _flock(descriptor)
        except BlockingIOError:
            if named_holder(path) is not None:
                raise
        time.sleep(pause)
    _flock(descriptor)


def _flock(descriptor: int, shared: bool = False) -> None:
    """Locks at once or not at all.

    Raises:
        BlockingIOError: another process has locked it.
        OSError: the file system has no locks.
    """
    if fcntl is None:
        raise OSError(0, "no flock on this system")
    fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _unlock(descriptor: int) -> None:
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _holder_file(path: Path) -> Path:
    """Where the holder's name stands: in the file itself, if it is hidden and thus nothing but a lock; else beside."""
    return path if path.name.startswith(".") else hidden_beside(path, "holder")


def _write_holder(path: Path) -> None:
    """For whoever is refused: the kernel does not tell who holds a lock."""
    with contextlib.suppress(OSError):  # a full disk; the lock stands all the same
        _holder_file(path).write_text(json.dumps(vars(this_process())) + "\n", encoding="ascii")


def named_holder(path: Path) -> Holder | None:
    """The process that a lock's own file names, unless it is certain that it has ended."""
    try:
        holder = Holder(**json.loads(_holder_file(path).read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return None if holder.has_ended else holder  # else it is of the holder before


def say_on_stderr(text: str) -> None:
    """A line for whoever looks."""
    with contextlib.suppress(OSError, ValueError):  # nobody may be listening
        print(text, file=sys.stderr, flush=True)
