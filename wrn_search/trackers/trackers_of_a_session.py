"""The trackers of a running session: a process each, which the driver starts, starts again, and lets go at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from wrn_search.lines_on_stderr import tell
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.shell_commands import ours
from wrn_search.trackers.tracker_table import TRACKERS, what_is_missing

SECONDS_TO_FINISH = 30.0
_SECONDS_BEFORE_A_RESTART = 2.0
_LONGEST_BEFORE_A_RESTART = 60.0
_PACKAGE = Path(__file__).resolve().parents[1]
# This very package, wherever it lies, and nothing that lies beside it or where the user works.
_PROGRAM = f"""
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location(
    {_PACKAGE.name!r}, {str(_PACKAGE / "__init__.py")!r}, submodule_search_locations=[{str(_PACKAGE)!r}]
)
sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from wrn_search.trackers.tracker_process import main
os._exit(main(*sys.argv[1:]))
"""
_running: list[SessionTrackers] = []  # of this process, until they are finished


class SessionTrackers:
    """The trackers of one session."""

    def __init__(self, directory: ResultsDirectory, names: Sequence[str]):
        self._directory = directory
        self._processes = [_Process(directory, name) for name in names if _is_there(name)]

    def look(self) -> None:
        """Some times a second: passes on what they say, and starts again what has died."""
        for process in self._processes:
            process.look()

    def finish(self, seconds: float) -> None:
        """Lets them bring over the rest, and waits for it; who takes longer is ended, and told with what mends it."""
        for process in self._processes:
            process.let_go()
        end = time.monotonic() + seconds
        for process in self._processes:
            if not process.has_brought_all(end):
                again = ours("track", self._directory.path, "--to", process.name)
                tell(
                    f"{process.name}: not all of the record is there; when it can be: {again}", kind="warning"
                )
        self._processes = []


class _Process:
    """The process of one tracker."""

    def __init__(self, directory: ResultsDirectory, name: str):
        self.name = name
        self._path = str(directory.path.absolute())
        self._said = b""
        self._deaths = 0
        self._due = 0.0  # monotonic seconds of the next start
        self._process: subprocess.Popen[bytes] | None = None
        self._start()

    def _start(self) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        self._process = None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, self._path, self.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,  # Ctrl-C is for the search
            )
            assert self._process.stdout is not None
            os.set_blocking(self._process.stdout.fileno(), False)
        except OSError as error:
            self._has_died(f"could not be started: {error}")

    def look(self) -> None:
        """See `SessionTrackers.look`."""
        for line in self._lines():
            tell(f"{self.name}: {line}; the search goes on", kind="warning")
        if self._process is None:
            if time.monotonic() >= self._due:
                self._start()
        elif (status := self._process.poll()) is not None:
            self._close()
            self._has_died(f"its process ended with status {status}, and is started again")

    def let_go(self) -> None:
        """It brings over the rest and ends."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def has_brought_all(self, end: float) -> bool:
        """Whether all is there, at the monotonic second `end` at the latest."""
        if self._process is None:
            return False
        try:
            status = self._process.wait(max(0.0, end - time.monotonic()))
        except BaseException as error:  # a second Ctrl-C too
            self._process.kill()
            self._close()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return False
        for line in self._lines():
            tell(f"{self.name}: {line}", kind="warning")
        self._close()
        return status == 0

    def _has_died(self, text: str) -> None:
        self._deaths += 1
        pause = _SECONDS_BEFORE_A_RESTART * 2 ** min(self._deaths - 1, 10)
        self._process, self._due = None, time.monotonic() + min(pause, _LONGEST_BEFORE_A_RESTART)
        if self._deaths == 1:
            tell(f"{self.name}: {text}; the search goes on", kind="warning")

    def _lines(self) -> Iterator[str]:
        """What it has said since the last look."""
        if self._process is None or self._process.stdout is None:
            return
        with suppress(OSError):  # nothing
            while said := os.read(self._process.stdout.fileno(), 4096):
                self._said += said
        *lines, self._said = self._said.split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "backslashreplace")

    def _close(self) -> None:
        if self._process is not None:
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()
            self._process.wait()
            self._process = None


def start_trackers(directory: ResultsDirectory, names: Sequence[str]) -> SessionTrackers:
    """Starts the trackers of a session; who starts one calls `finish_trackers` when all is written."""
    trackers = SessionTrackers(directory, names)
    _running.append(trackers)
    return trackers


def finish_trackers() -> None:
    """Waits until the trackers that this process has started have brought over the rest."""
    while _running:
        _running.pop().finish(SECONDS_TO_FINISH)


def _is_there(name: str) -> bool:
    if (missing := what_is_missing(name)) is not None:
        tell(f"{name}: {missing}; the search goes on without it", kind="warning")
    return name in TRACKERS and missing is None
