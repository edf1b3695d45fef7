"""How Ray and Tune are told to be quiet, private and out of our way: environment variables and log levels."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]  # of this package, which nodes and trial processes must find
# What Tune must not do: print its own boxes and warnings, write its own logs, snapshot its state, catch our signals.
_ENVIRONMENT = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Its monitor's way of ending a process takes the whole of Tune along; the kernel's way ends one trial.
    "RAY_memory_monitor_refresh_ms": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",
    # Processes that start at once, at most: the conductor says how many trials may run, and one at a time is slow.
    "TUNE_MAX_PENDING_TRIALS_PG": "16",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "1000000000",
    "TUNE_WARN_THRESHOLD_S": "1000000000",
}


@contextmanager
def ray_environment() -> Iterator[None]:
    """Ray and Tune as we need them, for as long as the block lasts; a user's process gets its environment back.

    Not only ours: Ray leaves variables of its own there, and its handler of SIGTERM.
    """
    before = {name: value for name, value in os.environ.items() if _is_ray_s(name)}
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM)
    os.environ.update(_ENVIRONMENT)
    try:
        yield
    finally:
        for name in [name for name in os.environ if _is_ray_s(name) and name not in before]:
            del os.environ[name]
        os.environ.update(before)
        if main and handler is not None:  # None: not of Python
            signal.signal(signal.SIGTERM, handler)


def _is_ray_s(variable: str) -> bool:
    return variable.startswith(("RAY_", "TUNE_")) or variable == "PYTHONBREAKPOINT"


def quiet_options() -> dict[str, Any]:
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.tune.tune").setLevel(logging.CRITICAL)  # its list of tries that did not end well
    # Tune tells with a traceback that its last snapshot finds no room; nobody reads it, and we tell the reason.
    logging.getLogger("ray.tune.execution.experiment_state").setLevel(logging.CRITICAL)
    return {
        "include_dashboard": False,
        "log_to_driver": False,
        "logging_level": logging.ERROR,
    }
