"""Who may write a copy in an object store: the session that claimed it last, and no other.

A driver that was cut off from the network may come back when its successor has long gone on. The owner object names
one session; it is replaced by a conditional put, so that of two who claim at once one wins, and whoever finds another
session's name in it writes no more.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from wrn_search.file_system.holder import this_process
from wrn_search.results.s3_copy.conditional_put import ChangedMeanwhileError, put_if, tagged
from wrn_search.results.s3_copy.object_store import OWNER, ObjectStore

_TRIES = 10
_SECONDS_TRUSTED = 5.0  # for files that a successor writes again anyway


class CopyTakenOverError(OSError):
    """Another session has gone on from the copy: this one must not write to it any more."""


class Owner:
    """One session's claim on a copy.

    Args:
        store: where the copy lies.
        token: the session's, in the owner object.
    """

    def __init__(self, store: ObjectStore, token: str):
        self.store = store
        self.token = token
        self._checked = float("-inf")

    def check(self, strictly: bool = True) -> None:
        """Sees to it, before something is written, that the copy is still ours.

        Args:
            strictly: ask the store, however short ago the last answer came.

        Raises:
            CopyTakenOverError: it is another session's.
            OSError: the store does not answer.
        """
        if not strictly and time.monotonic() - self._checked < _SECONDS_TRUSTED:
            return
        found = owner_of(self.store)
        if found.get("token") != self.token:
            who = f"process {found.get('pid')} on {found.get('host')}" if found else "somebody"
            raise CopyTakenOverError(f"{who} has gone on with this search from its copy")
        self._checked = time.monotonic()


def claim(store: ObjectStore) -> Owner:
    """Makes a new session the owner of a copy; the one before finds out at its next write.

    Raises:
        OSError: the store does not answer, or others claim it all the time.
    """
    token, me = uuid.uuid4().hex, this_process()
    content = json.dumps({"token": token, "host": me.host, "pid": me.pid, "since": time.time()}).encode()
    for _ in range(_TRIES):
        before = tagged(store, OWNER)
        try:
            put_if(store, OWNER, content, before[1] if before else None)
        except ChangedMeanwhileError:
            continue
        return Owner(store, token)
    raise OSError(f"the copy at {store.address} is claimed by several sessions at once")


def owner_of(store: ObjectStore) -> dict[str, Any]:
    """What the owner object says; nothing where there is none, as beside copies of before it.

    Raises:
        OSError: the store does not answer.
    """
    try:
        found = json.loads(store.get(OWNER))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
