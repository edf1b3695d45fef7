"""How Ray and Tune are told to be quiet, private and out of our way: environment variables and log levels."""

from __future__ import annotations

import io
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]  # of this package, which nodes and trial processes must find
_LEVELS = {
    "ray": logging.ERROR,
    "ray.tune.tune": logging.CRITICAL,  # its list of tries that did not end well
    # Tune tells with a traceback that its last snapshot finds no room; nobody reads it, and we tell the reason.
    "ray.tune.execution.experiment_state": logging.CRITICAL,
}
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
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
    """Ray and Tune as we need them, for as long as the block lasts; a user's process gets back what it had.

    Not only our variables: Ray leaves some of its own there, its handler of SIGTERM and its loggers' levels. What Ray
    prints on stdout, which is for results, goes to stderr.
    """
    before = {name: value for name, value in os.environ.items() if _is_ray_s(name)}
    levels = {name: logging.getLogger(name).level for name in _LEVELS}
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM)
    os.environ.update(_ENVIRONMENT)
    try:
        with redirect_stdout(_PlainStderr()):
            yield
    finally:
        for name in [name for name in os.environ if _is_ray_s(name) and name not in before]:
            del os.environ[name]
        os.environ.update(before)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        if main and handler is not None:  # None: not of Python
            signal.signal(signal.SIGTERM, handler)


class _PlainStderr(io.TextIOBase):
    """Whatever stderr is at the moment (a live display takes its place), without colours."""

    def write(self, text: str, /) -> int:
        if sys.stderr is not None:
            sys.stderr.write(_COLOURS.sub("", text))
        return len(text)

    def flush(self) -> None:
        if sys.stderr is not None:
            sys.stderr.flush()


@contextmanager
def callbacks_uncounted() -> Iterator[None]:
    """Tune begins without counting callbacks for Ray's statistics of use, which are off.

    It would import mlflow and wandb to tell theirs from ours: 1.1 to 1.5 CPU seconds where they are installed (2.60).
    """
    from ray.air._internal import usage

    counts = getattr(usage, "tag_callbacks", None)  # another Ray may have none
    usage.tag_callbacks = lambda callbacks: False  # as where there are no callbacks
    try:
        yield
    finally:
        usage.tag_callbacks = counts


def _is_ray_s(variable: str) -> bool:
    return variable.startswith(("RAY_", "TUNE_")) or variable == "PYTHONBREAKPOINT"


def quiet_options() -> dict[str, Any]:
    """Options of `ray.init`; inside a `ray_environment`, which gives the loggers' levels back."""
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(level)
    return {
        "include_dashboard": False,
        "log_to_driver": False,
        "logging_level": logging.ERROR,
    }
