"""Where a private Ray puts its sockets and logs: where temporary files go, or a short folder of our own."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from wrn_search.errors import InputError

_MOST_BYTES_OF_A_SOCKET = 103 if sys.platform == "darwin" else 107
# Ray's own part of a socket's path, with the longest process id of Linux.
_BELOW = len("/session_2026-11-25_13-57-41_041812_4194304/sockets/plasma_store.1")
MOST_BYTES = _MOST_BYTES_OF_A_SOCKET - _BELOW


def ray_folder(elsewhere: Sequence[str] = ("/tmp", "/var/tmp", "/dev/shm")) -> Path:
    """The folder for a Ray of our own; it need not be there yet. Writes nothing.

    Where Ray would take it, `ray` below RAY_TMPDIR or TMPDIR, if its sockets' paths are short enough for the system
    and it is this user's; else one of this user's own `elsewhere`.

    Raises:
        InputError: there is none; it names the variable.
    """
    variable = "RAY_TMPDIR" if os.environ.get("RAY_TMPDIR") else "TMPDIR"
    asked = Path(os.environ.get(variable) or "/tmp").absolute() / "ray"
    own = f"wrn-search-{os.geteuid()}"
    candidates = (asked, *(Path(parent, own) for parent in elsewhere))
    for folder in candidates:
        if _size(folder) <= MOST_BYTES and _may_write(folder):
            return folder
    rule = (
        f"must be a folder that this user can write, its path at most {MOST_BYTES - len('/ray')} bytes long"
    )
    came = f"{asked.parent} ({_size(asked.parent)} bytes)"
    raise InputError.of(
        variable,
        f"{rule} (Ray's sockets lie below it), but got {came}, and cannot write to {', '.join(elsewhere)}",
    )


def _size(path: Path) -> int:
    return len(os.fsencode(path))


def _may_write(folder: Path) -> bool:
    """Whether a folder is this user's, or could be made: whose else it is could replace our sockets."""
    try:
        there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
        theirs = there == folder and folder.lstat().st_uid != os.geteuid()
    except OSError:  # not even looking is allowed
        return False
    return not theirs and there.is_dir() and os.access(there, os.W_OK | os.X_OK)
