"""Turns on something that processes of one machine share: many may use it together, and one can have it alone.

By flock on two files. A process that has been killed gives its turn back: the kernel lets go of its locks.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class Turns:
    """The turns that go by a name in a folder of this machine; it need not be there.

    Who wants to be alone keeps later ones at the gate and waits for those that are in, so that it is not passed over
    while others come and go.

    Args:
        folder: on a local file system.
        name: of what is shared.

    Raises:
        OSError: in any method, there are no locks.
    """

    def __init__(self, folder: Path, name: str):
        self._gate, self._room = folder / f"{name}.gate", folder / f"{name}.room"

    @contextmanager
    def together(self, most: float = math.inf) -> Iterator[None]:
        """Inside, others may use it too, but nobody alone; after `most` seconds who wants that waits no more."""
        with _held(self._gate, alone=False):
            room = _taken(self._room, alone=False)
        with _let_go_after(most, room):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Inside, nobody else uses it."""
        with _held(self._gate, alone=True), _held(self._room, alone=True):
            yield


@contextmanager
def _held(path: Path, *, alone: bool) -> Iterator[None]:
    descriptor = _taken(path, alone=alone)
    try:
        yield
    finally:
        _let_go(descriptor)


@contextmanager
def _let_go_after(seconds: float, descriptor: int) -> Iterator[None]:
    """Lets go of a lock at the end of the block, and before, when it takes longer."""
    if math.isinf(seconds):
        late = None
    else:
        late = threading.Timer(seconds, fcntl.flock, (descriptor, fcntl.LOCK_UN))
        late.daemon = True
        late.start()
    try:
        yield
    finally:
        if late is not None:
            late.cancel()
            late.join()  # else it could unlock what has the descriptor's number next
        _let_go(descriptor)


def _taken(path: Path, *, alone: bool) -> int:
    """Waits for the lock; the descriptor that holds it until it is closed."""
    if fcntl is None:
        raise OSError(0, "no flock on this system")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _let_go(descriptor: int) -> None:
    """Also where a process that was forked meanwhile has the descriptor too."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)
