"""Who holds a file: a process on a host, and whether it is certain that it has ended."""

from __future__ import annotations

import os
import re
import socket
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True)
class Holder:
    """A process. Numbers of processes mean something only on one host, since one boot, in one namespace of them."""

    host: str
    pid: int
    boot: str  # the kernel's id of it; empty where none is told
    namespace: str  # of process numbers: containers may share a host's name
    began: str  # clock ticks since the boot, by which a number that is used again is told apart; may be empty

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    @property
    def is_near(self) -> bool:
        """Whether this process can see whether that one lives."""
        here = this_process()
        return (self.host, self.boot, self.namespace) == (here.host, here.boot, here.namespace)

    @property
    def has_ended(self) -> bool:
        """Whether it is certain that it has: of a process on another host nothing is."""
        if not self.is_near or sys.platform == "win32":  # there, asking by a signal would end it
            return False
        if self.began:
            return _began(self.pid) != self.began
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass
        return False


def this_process() -> Holder:
    """The process that asks."""
    return _process(os.getpid())


def own_mark() -> str:
    """HOST-PID, for names of files that no other process may take for its own."""
    return f"{re.sub(r'[^A-Za-z0-9.-]', '-', socket.gethostname())[:64]}-{os.getpid()}"


@lru_cache(maxsize=4)
def _process(pid: int) -> Holder:
    boot = _text(Path("/proc/sys/kernel/random/boot_id")).strip()
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return Holder(socket.gethostname(), pid, boot, namespace, _began(pid))


def _began(pid: int) -> str:
    """When a process began, as Linux counts; empty when there is none (a zombie is none), or no Linux."""
    # The name of the program, in parentheses, may hold anything; state and start follow it as fields 3 and 22.
    values = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return values[19] if len(values) > 19 and values[0] not in ("Z", "X") else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
