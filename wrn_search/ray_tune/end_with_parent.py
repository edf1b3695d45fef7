"""A trial process ends with the Ray that started it: what a killed driver leaves behind must not train on."""

from __future__ import annotations

import os
import threading
import time

SECONDS_BETWEEN_LOOKS = 0.5
_watching: threading.Thread | None = None


def end_with_parent() -> None:
    """From now on this process ends at once when its parent is gone; a second call does nothing.

    Ray's own way ends a worker between two tasks, and an epoch is one: it may last minutes, and the resumed search
    would train the same trial beside it.
    """
    global _watching
    if _watching is None:
        _watching = threading.Thread(target=_watch, args=(os.getppid(),), name="parent", daemon=True)
        _watching.start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)
