"""Whether this process can write to a folder, found out by writing."""

from __future__ import annotations

import os
from pathlib import Path

from wrn_search.file_system.flush import flush_to_disk
from wrn_search.file_system.holder import own_mark

PROBE = ".probe-"  # begins the names of files that are written to see whether that can be done
_CHUNK = b"\0" * (1 << 20)


def writing_error(folder: Path, size: int) -> OSError | None:
    """What keeps this process from writing a file of `size` bytes into a folder; None when nothing does."""
    probe = folder / f"{PROBE}{own_mark()}"
    try:
        with probe.open("wb") as file:
            for start in range(0, size, len(_CHUNK)):
                file.write(_CHUNK[: size - start])
            file.flush()
            flush_to_disk(file.fileno())
    except OSError as error:
        return error
    finally:
        if os.path.lexists(probe):
            probe.unlink()
    return None
