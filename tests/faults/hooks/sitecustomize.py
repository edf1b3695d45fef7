"""Loaded by every Python process of a search under test, by way of PYTHONPATH; it changes nothing but what it names.

A line in the file $WRN_FAULTS_LOG for each epoch that is begun: Unix seconds, process, the trial's seed, epoch. And two
signals that strike a process from inside: SIGUSR1 ends it as `os._exit(0)` does, SIGUSR2 lets its epoch hang in C code.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import signal
import sys
import time
from typing import Any

_LOOP = "wrn_search.training.training_loop"
_struck = _training = False


def _hang_here(number: int = 0, frame: object = None) -> None:
    """Holds the interpreter for good while an epoch trains; at another moment the next epoch does."""
    global _struck
    _struck = True
    if _training:
        ctypes.PyDLL(None).sleep(10_000)


def _watch(training: Any, log: str) -> None:
    plain = training.run_epoch

    def run_epoch(self: Any) -> Any:
        global _training
        line = f"{time.time():.6f} {os.getpid()} {self.config.seed} {self.epoch + 1}\n"
        with open(log, "ab", buffering=0) as file:  # noqa: PTH123  # pathlib costs every process its start
            file.write(line.encode())
        _training = True
        if _struck:
            _hang_here()
        try:
            return plain(self)
        finally:
            _training = False

    training.run_epoch = run_epoch


class _Finder:
    """Finds the training loop as usual, and wraps it as soon as it is loaded."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != _LOOP:
            return None
        sys.meta_path.remove(self)  # type: ignore[arg-type]
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        load = spec.loader.exec_module

        def load_and_watch(module: Any) -> None:
            load(module)
            _watch(module.Training, os.environ["WRN_FAULTS_LOG"])

        spec.loader.exec_module = load_and_watch  # type: ignore[method-assign]
        return spec


if "WRN_FAULTS_LOG" in os.environ:
    sys.meta_path.insert(0, _Finder())  # type: ignore[arg-type]
    signal.signal(signal.SIGUSR1, lambda number, frame: os._exit(0))
    signal.signal(signal.SIGUSR2, _hang_here)
