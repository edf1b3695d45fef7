"""A driver's mailbox in its results directory: whoever can write there, on any node, can ask it to stop.

The driver makes the file when its session begins and reads it every second. It exists all the while, since network
file systems look at the server when a file is opened, but may keep for half a minute that there is none. Its first line
names the session; a request repeats that name, so that one meant for an earlier session stops nobody.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from wrn_search.errors import InputError
from wrn_search.file_system.holder import this_process
from wrn_search.results.atomic_files import atomic_write_text

NAME = ".stop"
SECONDS_BETWEEN_LOOKS = 1.0


class StopMailbox:
    """The mailbox of this session; an own one each, closed at its end.

    Args:
        directory: of the results.
    """

    def __init__(self, directory: Path):
        self._path = directory / NAME
        self._session = uuid.uuid4().hex
        self._looked_at = float("-inf")
        self._has_answered = False
        with suppress(OSError):  # a full disk: then only signals stop the search
            # Put in the place of whatever lies there: a link or a pipe may be a stranger's.
            atomic_write_text(self._path, json.dumps({"session": self._session}) + "\n")

    def asked_by(self) -> str | None:
        """Who asks the session to stop, told once; looks every `SECONDS_BETWEEN_LOOKS`, however often called."""
        now = time.monotonic()
        if self._has_answered or now - self._looked_at < SECONDS_BETWEEN_LOOKS:
            return None
        self._looked_at = now
        for request in _lines(self._path):
            if request.get("stop") == self._session:
                self._has_answered = True
                return str(request.get("by", "somebody"))
        return None

    def close(self) -> None:
        """Takes the mailbox away, unless another session has made its own meanwhile."""
        with suppress(OSError):
            if _session_of(self._path) == self._session:
                self._path.unlink()


def ask_to_stop(directory: Path) -> str:
    """Puts a request into the mailbox of the session that runs there; the name of that session.

    Raises:
        InputError: there is no mailbox, or it cannot be written.
    """
    path = directory / NAME
    session = _session_of(path)
    if session is None:
        raise InputError.of("", "must be the mailbox of a session that runs, but there is none", str(path))
    request = {"stop": session, "by": str(this_process()), "at": round(time.time(), 3)}
    try:
        # Not made anew: it may just have been taken away.
        with _opened(path, os.O_WRONLY | os.O_APPEND) as file:
            file.write((json.dumps(request) + "\n").encode("ascii"))
    except FileNotFoundError:
        pass  # the session has ended meanwhile
    except OSError as error:
        text = f"must be a file that can be written, to ask the search to stop, but got: {error.strerror}"
        raise InputError.of("", text, str(path)) from None
    return session


def session_that_listens(directory: Path) -> str | None:
    """The name of the session whose mailbox is there; None without one."""
    return _session_of(directory / NAME)


def _session_of(path: Path) -> str | None:
    first = next(iter(_lines(path)), {})
    session = first.get("session")
    return session if isinstance(session, str) else None


def _opened(path: Path, flags: int) -> BinaryIO:
    """A plain file, unbuffered; neither a link is followed nor a pipe waited for.

    Raises:
        OSError: it is not there, or is no plain file.
    """
    careful = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags | careful)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
    return os.fdopen(descriptor, "wb" if flags & os.O_WRONLY else "rb", buffering=0)


def _lines(path: Path) -> list[dict[str, object]]:
    """What stands in a mailbox; half a line is none yet."""
    try:
        with _opened(path, os.O_RDONLY) as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        with suppress(ValueError, RecursionError):
            value = json.loads(line)
            if isinstance(value, dict):
                found.append(value)
    return found
