"""When a live page's report is made anew, and by whom: in the background, while somebody looks, and seldom."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wrn_search

_LEAST_PAUSE = 10.0  # seconds between two reports
_SHARE = 0.05  # of one core that reports may take while a search runs
# The tables that reports are made from follow the record by seconds: so old may be what a report knows.
BEHIND = 120.0  # seconds


@dataclass(frozen=True)
class Report:
    """A report that was made.

    Attributes:
        number: the later the higher.
        values: see `contents_as_values`; or `problem`.
        asked_at: Unix seconds of the request.
        versions: events on record then, of each search.
        running: whether any of the searches ran then.
        with_model: whether the curve model is in it.
    """

    number: int
    values: dict[str, Any]
    asked_at: float
    versions: tuple[int, ...]
    running: bool
    with_model: bool

    @property
    def problem(self) -> str | None:
        """Why there is none."""
        return self.values.get("problem")

    @property
    def pause(self) -> float:
        """Seconds until the next one while the search runs, so that reports take no more than their share of a core."""
        return max(_LEAST_PAUSE, float(self.values["seconds"]) / _SHARE)


def is_due(last: Report | None, now: float, versions: Sequence[int], running: bool) -> bool:
    """Whether a report is to be made: there is none, none with a model, or something is new and it is time.

    Args:
        last: the last one, which may be none.
        now: Unix seconds.
        versions: events on record now, of each search.
        running: whether any search runs.
    """
    if last is None or (not last.with_model and last.problem is None):
        return True
    is_old = tuple(versions) != last.versions or running != last.running
    has_ended = last.running and not running
    return is_old and (has_ended or now - last.asked_at >= last.pause)


class Reports:
    """The reports of one choice of searches; the worker process is started with the first and ended by `close`."""

    _numbers = itertools.count(1)

    def __init__(self, paths: Sequence[Path], worker: ReportWorker):
        self._paths = [str(path) for path in paths]
        self._worker = worker
        self._is_busy = False
        self.last: Report | None = None

    @property
    def is_busy(self) -> bool:
        """Whether one is being made."""
        return self._is_busy

    def look(self, versions: Sequence[int], running: bool, *, at_once: bool = False) -> None:
        """Has a report made if one is due; returns at once."""
        now = time.time()
        if self._is_busy or not (at_once or is_due(self.last, now, versions, running)):
            return
        # The first comes without the model, which takes nine tenths of the time.
        with_model = self.last is not None and self.last.problem is None
        self._is_busy = True

        def make() -> None:
            try:
                values = self._worker.ask(self._paths, with_model=with_model)
                self.last = Report(next(self._numbers), values, now, tuple(versions), running, with_model)
            finally:
                self._is_busy = False

        threading.Thread(target=make, daemon=True).start()


class ReportWorker:
    """The process that makes reports, one at a time; it ends with this one, whatever that is ended by."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._is_closed = False

    def ask(self, paths: Sequence[str], *, with_model: bool) -> dict[str, Any]:
        """The report of these paths, or `problem`, with the CPU `seconds` that it took; waits for it."""
        with self._lock:
            if self._is_closed:
                return {"problem": "the page is closed", "seconds": 0.0}
            if self._process is None or self._process.poll() is not None:
                self._process = _started()
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            try:
                request = {"paths": list(paths), "with_model": with_model}
                self._process.stdin.write(json.dumps(request) + "\n")
                self._process.stdin.flush()
                answer = self._process.stdout.readline()
            except (OSError, ValueError):
                answer = ""
            if not answer:
                status = self._process.wait()
                return {
                    "problem": f"the process that makes reports ended with status {status}",
                    "seconds": 0.0,
                }
            values: dict[str, Any] = json.loads(answer)
            return values

    @property
    def pid(self) -> int | None:
        """Of the process, if it was started."""
        return self._process.pid if self._process is not None else None

    def close(self) -> None:
        """Ends the process, also in the middle of a report."""
        self._is_closed = True
        process = self._process
        if process is not None:
            with suppress(OSError):
                process.kill()
            process.wait()


def _started() -> subprocess.Popen[str]:
    """A new worker, which imports what this process has imported, from wherever that came."""
    root = str(Path(wrn_search.__file__).resolve().parents[1])
    code = f"import sys; sys.path.insert(0, {root!r}); from wrn_search.live_page.report_worker import main; main()"
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env={**os.environ, **threads},
        start_new_session=True,  # Ctrl-C is for the server, which ends this one
    )
