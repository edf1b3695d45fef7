"""Who holds a lock at this moment, for readers: nothing is taken, nobody is made to wait, nothing is written."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from wrn_search.file_system.exclusive_lock import is_locked, named_holder
from wrn_search.file_system.holder import Holder
from wrn_search.file_system.lease import SECONDS_BETWEEN_BEATS, SECONDS_TO_EXPIRY, newest_lease

_SECONDS_BETWEEN_LOOKS = 0.25


@dataclass(frozen=True)
class Sighting:
    """A process that holds a lock."""

    holder: Holder | None  # None: one that cannot be named
    is_certain: (
        bool  # a lock, a process or a beating lease was seen; else a file names a process of another machine
    )


def living_holder(path: Path) -> Sighting | None:
    """Who holds the lock of a file; None when nobody does.

    A process on this machine is looked for itself. Of one on another machine the lock tells where the file system
    has locks, and a lease that beats where not; a lease whose file is not fresh is watched for two beats.

    Raises:
        OSError: the file cannot be opened.
    """
    named = named_holder(path)
    if named is not None and named.is_near:
        return Sighting(named, True)  # its process was looked for
    if is_locked(path):
        return Sighting(named, True)
    lease = _beating(path)
    if lease is not None:
        return lease
    return None if named is None else Sighting(named, False)


def _beating(path: Path) -> Sighting | None:
    """By the newest lease of the file."""
    lease = newest_lease(path)
    if lease is None:
        return None
    content, holder, age = lease
    if holder is not None and holder.has_ended:
        return None
    if holder is not None and holder.is_near:
        return Sighting(holder, True)
    if 0 <= age < SECONDS_TO_EXPIRY:
        return Sighting(holder, True)
    end = time.monotonic() + 2 * SECONDS_BETWEEN_BEATS  # the clocks of two machines may differ
    while time.monotonic() < end:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        now = newest_lease(path)
        if now is None:
            return None
        if now[0] != content:
            return Sighting(now[1], True)
    return None
