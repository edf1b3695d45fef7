"""A lease: what stands in for a lock where the file system has none (NFS without lockd, Lustre without flock, FUSE).

The holder keeps a small file beside the target and changes it every `SECONDS_BETWEEN_BEATS`; whoever sees it unchanged
for `SECONDS_TO_EXPIRY`, by his own clock, may take the next one. Leases are numbered and made by an exclusive create,
which network file systems do have, so that of two who find one expired only one gets the next. A process that has
ended on this host is known at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

from wrn_search.file_system.holder import Holder, this_process

SECONDS_BETWEEN_BEATS = 3.0
SECONDS_TO_EXPIRY = 30.0  # ten beats: a storage that hangs for a while is no reason
_SECONDS_BETWEEN_LOOKS = 0.5
_NUMBER = re.compile(r"[0-9]{1,9}")


class HeldError(Exception):
    """Another process holds it; `holder` is None when it cannot be told which."""

    def __init__(self, holder: Holder | None):
        super().__init__(str(holder or "another process"))
        self.holder = holder


class LeaseLostError(OSError):
    """Another process has taken over what this one held: it must not write any more."""


def hidden_beside(target: Path, kind: str) -> Path:
    """`.NAME.kind` beside a file."""
    return target.with_name(f".{target.name.lstrip('.')}.{kind}")


class Lease:
    """A lease that is held; make it with `take`."""

    def __init__(self, target: Path, number: int, descriptor: int):
        self._target = target
        self._number = number
        self._descriptor = descriptor
        self._beats = 0
        self._lost = False
        self._beat_at = time.monotonic()
        self._beating = threading.Lock()
        self._over = threading.Event()

    @classmethod
    def take(cls, target: Path, tell: Callable[[str], object]) -> Lease:
        """The lease of a file.

        Args:
            target: the file, which need not exist.
            tell: hears in words that one must wait.

        Raises:
            HeldError: another process holds it.
            OSError: no file can be made here.
        """
        before = _newest(target)
        while True:
            judged = None if before is None else _last_words(target, before, tell)
            number = (before or 0) + 1
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
            try:
                descriptor = os.open(_path(target, number), flags, 0o644)
            except FileExistsError:
                before = (
                    number  # another was faster; a folder's list may lag behind on NFS, so it is not asked
                )
                continue
            lease = cls(target, number, descriptor)
            lease._write()
            if _newest(target) == number and (before is None or _read(target, before) in (judged, None)):
                break
            lease.release()
            before = _newest(target)
        for older in _numbers(target):
            if older < number:
                with contextlib.suppress(OSError):
                    _path(target, older).unlink()
        threading.Thread(target=lease._keep, name="lease", daemon=True).start()
        return lease

    def check(self) -> None:
        """Sees to it, before something is written, that the lease still stands.

        Raises:
            LeaseLostError: it does not.
            OSError: nobody can tell, because the storage does not answer.
        """
        if not self._lost and time.monotonic() - self._beat_at > SECONDS_TO_EXPIRY / 2:
            self._beat()  # this process was asleep, or the storage was
        if self._lost:
            newest = _newest(self._target)
            holder = _holder_of(_read(self._target, newest)) if newest is not None else None
            text = f"{holder or 'another process'} has taken over while this process did not answer"
            raise LeaseLostError(f"{self._target}: {text}")

    def release(self) -> None:
        """Gives it back; a second call does nothing."""
        self._over.set()
        with self._beating:
            if self._descriptor < 0:
                return
            if self._is_ours():
                with contextlib.suppress(OSError):
                    _path(self._target, self._number).unlink()
            os.close(self._descriptor)
            self._descriptor = -1

    def _keep(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_BEATS) and not self._lost:
            with contextlib.suppress(OSError):  # `check` tells, should it last
                self._beat()

    def _beat(self) -> None:
        with self._beating:
            if self._descriptor < 0:
                return
            if not self._is_ours() or _newest(self._target) != self._number:
                self._lost = True
                return
            self._write()
            self._beat_at = time.monotonic()

    def _write(self) -> None:
        self._beats += 1
        # Of equal length each time: a reader never finds the end of an older text behind a newer one.
        content = json.dumps({"beat": f"{self._beats:010d}", **vars(this_process())}) + "\n"
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, content.encode("ascii"))
        os.fsync(self._descriptor)

    def _is_ours(self) -> bool:
        """Whether the file under our number is the one that we made."""
        try:
            return os.path.samestat(_path(self._target, self._number).stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False


def refuse_held(target: Path, tell: Callable[[str], object]) -> None:
    """Sees to it that nobody holds a lease of the file.

    Raises:
        HeldError: somebody does.
    """
    newest = _newest(target)
    if newest is not None:
        _last_words(target, newest, tell)


def newest_lease(target: Path) -> tuple[bytes, Holder | None, float] | None:
    """(content, holder, seconds since it beat by this machine's clock) of a file's newest lease; None without one."""
    number = _newest(target)
    content = None if number is None else _read(target, number)
    if number is None or content is None:
        return None
    try:
        age = time.time() - _path(target, number).stat().st_mtime
    except FileNotFoundError:
        return None
    return content, _holder_of(content), age


def _last_words(target: Path, number: int, tell: Callable[[str], object]) -> bytes | None:
    """What a lease says whose holder is gone; None when it was given back.

    Raises:
        HeldError: its holder lives.
    """
    first = _read(target, number)
    holder = _holder_of(first)
    if first is None or (holder is not None and holder.has_ended):
        return first
    if holder is not None and holder.is_near:
        raise HeldError(holder)
    tell(
        f"{target}: waiting up to {SECONDS_TO_EXPIRY:g} s to see whether {holder or 'its holder'} still lives"
    )
    end = time.monotonic() + SECONDS_TO_EXPIRY
    while time.monotonic() < end:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        now = _read(target, number)
        if now is None:
            return None
        if now != first:
            raise HeldError(_holder_of(now))
    return first


def _holder_of(content: bytes | None) -> Holder | None:
    """The process that a lease names; None when it is being written, or is of somebody else."""
    try:
        values = json.loads(content or b"")
        del values["beat"]
        return Holder(**values)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _path(target: Path, number: int) -> Path:
    return hidden_beside(target, f"lease-{number}")


def _numbers(target: Path) -> list[int]:
    prefix = hidden_beside(target, "lease-").name
    names = [path.name for path in target.parent.iterdir()]
    ends = [name[len(prefix) :] for name in names if name.startswith(prefix)]
    return [int(end) for end in ends if _NUMBER.fullmatch(end)]


def _newest(target: Path) -> int | None:
    return max(_numbers(target), default=None)


def _read(target: Path, number: int) -> bytes | None:
    """The content of a lease, None when it is not there. Opened anew, since NFS looks at the server only then."""
    try:
        return _path(target, number).read_bytes()
    except FileNotFoundError:
        return None
