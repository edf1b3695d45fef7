"""The process of one tracker: it follows the record while its stdin is open, which ends with the driver, then ends."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress

from wrn_search.errors import InputError
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.trackers.follower import Follower
from wrn_search.trackers.tracker_table import TRACKERS

BEHIND = 3  # exit status: something of the record is not there
SECONDS_BETWEEN_STEPS = 1.0
_MOST_SECONDS_BETWEEN_STEPS = 4.0
_STEPS_SHARE = 0.1  # of the time, for a tracker that takes long
_SECONDS_AFTER_THE_DRIVER = 60.0
_NICENESS = 10


def main(results: str, name: str) -> int:
    """Follows until the driver lets go; what is to be told goes to stdout, a line each. Returns the exit status."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # the trackers' libraries are talkative
    os.dup2(nowhere, 2)
    os.nice(_NICENESS)
    driver_is_gone = threading.Event()
    threading.Thread(target=_watch, args=(driver_is_gone,), daemon=True).start()

    def tell(text: str) -> None:
        with suppress(OSError):  # nobody may listen any more
            print(" ".join(text.split()), file=out, flush=True)

    follower = Follower(ResultsDirectory(results), name, TRACKERS[name], tell)
    try:
        while not driver_is_gone.is_set():
            began = time.monotonic()
            if follower.take():
                follower.step()
            took = time.monotonic() - began
            pause = min(max(SECONDS_BETWEEN_STEPS, took / _STEPS_SHARE), _MOST_SECONDS_BETWEEN_STEPS)
            driver_is_gone.wait(pause)
        if follower.take():
            follower.close(is_running=False)
    except InputError as error:
        tell(str(error))
        return BEHIND
    return BEHIND if follower.is_behind else 0


def _watch(driver_is_gone: threading.Event) -> None:
    """Whatever a server does, this process does not outlive the driver for long."""
    while os.read(0, 1024):
        pass
    driver_is_gone.set()
    time.sleep(_SECONDS_AFTER_THE_DRIVER)
    os._exit(BEHIND)
