"""Bringing files and names of files to the disk, on every system."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path


def flush_to_disk(descriptor: int) -> None:
    """Brings what was written to an open file to the disk, past the disk's own cache.

    Raises:
        OSError: it could not be brought there.
    """
    if sys.platform == "darwin":
        import fcntl

        with contextlib.suppress(OSError):  # a file system that does not know it (a network one) has fsync
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # macOS' fsync stops at the disk's cache
            return
    os.fsync(descriptor)


def flush_names(folder: Path) -> None:
    """Brings the names of new, renamed and removed files of a folder to the disk.

    Raises:
        OSError: they could not be brought there.
    """
    if sys.platform == "win32":  # opens no folders, and journals names
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        flush_to_disk(descriptor)
    finally:
        os.close(descriptor)
