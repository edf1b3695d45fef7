"""Which process runs a search now, on this machine or another: by the lock of its record, or a lease."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from wrn_search.errors import InputError
from wrn_search.file_system.living_holder import living_holder
from wrn_search.results.results_directory import ResultsDirectory

_SECONDS_OF_A_SIGN = 60.0  # a record that grew so lately was written by a process that lives


@dataclass(frozen=True)
class Driver:
    """The process that writes a record.

    Attributes:
        host, pid: of it; None where that cannot be told.
        lives: None where only its name is left on a storage without locks, and it has not written of late.
    """

    host: str | None
    pid: int | None
    lives: bool | None

    def __str__(self) -> str:
        return "another process" if self.host is None else f"process {self.pid} on {self.host}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"host": self.host, "pid": self.pid, "lives": self.lives}


def driver_of(directory: ResultsDirectory) -> Driver | None:
    """The driver of a search that is on record, or that is being started; None where there is none.

    Raises:
        InputError: the record cannot be read.
    """
    try:
        path = directory.events if directory.events.exists() else directory.starting
        found = living_holder(path)
        written = path.stat().st_mtime
    except FileNotFoundError:
        return None
    except OSError as error:
        text = f"must be readable, but got: {error.strerror}"
        raise InputError.of("", text, str(directory.events)) from None
    if found is None:
        return None
    lives = True if found.is_certain or abs(time.time() - written) < _SECONDS_OF_A_SIGN else None
    holder = found.holder
    return Driver(holder.host if holder else None, holder.pid if holder else None, lives)
