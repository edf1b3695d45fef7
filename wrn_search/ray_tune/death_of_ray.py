"""Ends a session whose own Ray has died: its driver would wait for it, for minutes or for ever."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_TO_END = (
    30.0  # then the process ends without its last words: the record is whole, tables are seconds old
)
_WATCHED = ("raylet", "gcs_server")


@contextmanager
def watched_ray(on_death: Callable[[], int]) -> Iterator[None]:
    """Watches the Ray that this process has started. When it dies: `on_death`, then KeyboardInterrupt in the block.

    Nothing is watched outside the main thread, where Python cannot raise it.

    Args:
        on_death: called in another thread; returns the exit status of a process that does not end in time.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over = threading.Event()
    before = signal.signal(signal.SIGUSR1, _raise)
    watcher = threading.Thread(target=_watch, args=(_processes(), on_death, over), name="ray", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        signal.signal(signal.SIGUSR1, before)


def _processes() -> list[Any]:
    """The Popen of each of Ray's processes without which nothing goes on; Ray has no public way to them."""
    import ray

    node = ray._private.worker._global_node
    found = node.all_processes if node is not None else {}
    return [info.process for name in _WATCHED for info in found.get(name, [])]


def _watch(processes: list[Any], on_death: Callable[[], int], over: threading.Event) -> None:
    while all(process.poll() is None for process in processes):
        if over.wait(SECONDS_BETWEEN_LOOKS):
            return
    if over.is_set():
        return
    status = on_death()
    os.kill(os.getpid(), signal.SIGUSR1)
    if not over.wait(SECONDS_TO_END):
        with contextlib.suppress(OSError, ValueError):  # nobody may be listening any more
            text = "the search ended: Ray's processes are gone; what is on record stays: go on with --resume"
            print(text, file=sys.stderr, flush=True)
        os._exit(status)


def _raise(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
