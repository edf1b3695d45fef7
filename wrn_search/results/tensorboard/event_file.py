"""An event file of TensorBoard's, without the thread that its own `EventFileWriter` starts for each open file."""

from __future__ import annotations

import itertools
import os
import socket
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SourceMetadata

from wrn_search.results.tensorboard.record_framing import framed

EVENT_FILES = "events.out.tfevents.*"
_VERSION = "brain.Event:2"
_count = itertools.count()  # of this process's files


class EventFile:
    """Gathers events and appends them when told to; no file is held open.

    Args:
        run: its folder, made with the first events.
    """

    def __init__(self, run: Path):
        self._run = run
        self._gathered: list[bytes] = []
        self._path: Path | None = None  # once something was written
        version = SourceMetadata(writer="wrn_search")
        self.add(Event(wall_time=time.time(), file_version=_VERSION, source_metadata=version))

    def add(self, event: Event) -> None:
        """Gathers an event."""
        self._gathered.append(framed(event.SerializeToString()))

    def write(self) -> None:
        """Writes what was gathered.

        Raises:
            FileNotFoundError: somebody has removed the file, which would lack its beginning, or the folder of all runs.
        """
        content = b"".join(self._gathered)
        if self._path is None:
            self._run.mkdir(exist_ok=True)
            path = self._run / _name()
            path.write_bytes(content)
            self._path = path
        else:
            with self._path.open("r+b") as file:
                file.seek(0, os.SEEK_END)
                file.write(content)
        self._gathered.clear()

    def check_is_there(self) -> None:
        """Sees to it that what was written is still there.

        Raises:
            FileNotFoundError: somebody has removed it.
        """
        if self._path is not None and not self._path.exists():
            raise FileNotFoundError(f"{self._path} was removed")


def _name() -> str:
    """As `EventFileWriter` names its files: a later one of a run comes behind in the alphabet."""
    return f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{next(_count)}"
