"""A real search on digits in processes of its own, and what strikes it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

from wrn_search.results.results_directory import ResultsDirectory

ROOT = Path(__file__).resolve().parents[2]
HOOKS = Path(__file__).parent / "hooks"
DEADLINE = 900.0  # seconds of one session on a machine with much other work; a hang must not stop the tests
START_SECONDS = 12.0  # from the command to the first epoch, about
POLL_SECONDS = 0.01

SPACE: dict[str, Any] = {
    "name": "faults",
    "dataset": {"name": "digits"},
    "model": {
        "depth": {"choice": [10, 16]},
        "widen_factor": {"choice": [0.25, 0.5]},
        "dropout": {"uniform": [0.0, 0.3]},
    },
    "training": {"epochs": 10, "batch_size": 128, "weight_decay": {"loguniform": [1e-5, 1e-3]}},
}
# Proposals and stops follow from the order of the reports, which is fixed with one trial at a time.
ADAPTIVE = SPACE | {
    "search": {"trials": 10, "searcher": "tpe", "reduction_factor": 2, "retries": 1000},
    "resources": {"concurrent": 1, "cpus_per_trial": 1, "gpus_per_trial": 0},
}
# Trials know nothing of each other, so their tables are the same in whatever order they run, side by side too.
INDEPENDENT = SPACE | {
    "search": {"trials": 8, "searcher": "random", "scheduler": "none", "retries": 1000},
    "resources": {"concurrent": 2, "cpus_per_trial": 1, "gpus_per_trial": 0},
}

_SESSIONS: list[subprocess.Popen[str]] = []


@dataclass
class Search:
    """One search under test in a folder of its own; a session of it is a process and what that starts."""

    folder: Path
    document: dict[str, Any]
    options: Sequence[str] = ()
    name: str = "out"
    checkpoint_seconds: float = 0.0  # 0: after every epoch, so that a fault costs a trial one at most
    strikes: list[float] = field(default_factory=list)  # Unix seconds of what was done to it
    _session: subprocess.Popen[str] | None = None
    _began: float = 0.0  # monotonic seconds of the session, or of the last strike
    _lines: int = 0  # of the record at that time

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "space.yaml").write_text(yaml.safe_dump(self.document))

    @property
    def results(self) -> Path:
        """The results directory."""
        return self.folder / self.name

    @property
    def log(self) -> Path:
        """Where the processes note the epochs that they begin."""
        return self.folder / "begun.txt"

    @property
    def errors(self) -> str:
        """What the last session said on stderr."""
        return (self.folder / "stderr.txt").read_text()

    def lines(self) -> int:
        """Lines of the record."""
        try:
            return (self.results / "events.jsonl").read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0

    def start(self, *more: str) -> subprocess.Popen[str]:
        """Begins a session: a first one, or with `--resume` where a record is, as a user would."""
        command = [
            sys.executable,
            str(ROOT / "run_search.py"),
            "space.yaml",
            "--results",
            self.name,
            "--quiet",
        ]
        if ResultsDirectory(self.results).exists():
            command.append("--resume")
        self._began, self._lines = time.monotonic(), self.lines()
        with (self.folder / "stdout.txt").open("w") as out, (self.folder / "stderr.txt").open("w") as errors:
            self._session = subprocess.Popen(
                [*command, *self.options, *more],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                text=True,
                start_new_session=True,
                env=environment(self.log, self.checkpoint_seconds),
            )
        _SESSIONS.append(self._session)
        return self._session

    @property
    def session(self) -> subprocess.Popen[str]:
        """The process of the session that was begun last."""
        assert self._session is not None
        return self._session

    def wait_until(self, true: Callable[[], bool]) -> bool:
        """Waits for it; False if the session ended before."""
        while self.session.poll() is None:
            if true():
                return True
            assert time.monotonic() - self._began < DEADLINE, f"hangs: {self.errors}"
            time.sleep(POLL_SECONDS)
        return False

    def wait_for_moment(self, generator: random.Random, *, start: float = 0.2, most_events: int = 12) -> bool:
        """Waits for a random moment since the session began or was struck last: a share `start` of them falls into the
        seconds that processes take to start, the others among the epochs. False if the session ended before.
        """
        if generator.random() < start:
            moment = self._began + generator.uniform(0.0, START_SECONDS)
            return self.wait_until(lambda: time.monotonic() >= moment)
        wanted = self._lines + generator.randint(3, 3 + most_events)
        if not self.wait_until(lambda: self.lines() >= wanted):
            return False
        moment = time.monotonic() + generator.uniform(0.0, 0.3)
        return self.wait_until(lambda: time.monotonic() >= moment)

    def strike(self, processes: Sequence[psutil.Process], number: int) -> None:
        """Sends a signal to processes, all at once: none sees another one go."""
        for process in processes if number == signal.SIGKILL and len(processes) > 1 else ():
            _send(process, signal.SIGSTOP)
        for process in processes:
            _send(process, number)
        self.strikes.append(time.time())
        self._began, self._lines = time.monotonic(), self.lines()

    def end(self) -> int:
        """The exit status, once the session has ended by itself or by what was done to it."""
        return self.session.wait(max(1.0, DEADLINE - (time.monotonic() - self._began)))

    def start_until(self, true: Callable[[], bool]) -> None:
        """A session that has come as far as that, and runs."""
        self.start()
        while not self.wait_until(true):
            assert self.overloaded(), f"it ended before: {self.errors}"
            self.start()

    def finish(self) -> None:
        """A session without a fault, to the end of the search."""
        self.start()
        while self.end() == 1 and self.overloaded():
            self.start()
        assert self.end() == 0, self.errors
        assert "Traceback" not in self.errors

    def overloaded(self) -> bool:
        """Whether Ray did not come up within its 30 seconds, as on a machine with too much other work."""
        return "timed out during startup" in self.errors

    def tree(self) -> list[psutil.Process]:
        """The processes of the session: the driver, Ray's and the trials'."""
        try:
            driver = psutil.Process(self.session.pid)
            return [driver, *driver.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def trial_processes(self) -> list[psutil.Process]:
        """Those that train."""
        return [process for process in self.tree() if "Trainable" in _command_of(process)]

    def begun(self) -> list[tuple[float, int, str, int]]:
        """(Unix seconds, process, seed of the trial, epoch) of every epoch that was begun, the unfinished ones too."""
        if not self.log.exists():
            return []
        lines = [line.split() for line in self.log.read_text().splitlines()]
        return [(float(seconds), int(pid), seed, int(epoch)) for seconds, pid, seed, epoch in lines]

    def repeated(self) -> int:
        """Epochs of one trial that were begun once more after one strike, at most."""
        again: Counter[tuple[int, str]] = Counter()
        before: set[tuple[str, int]] = set()
        for seconds, _, seed, epoch in self.begun():
            if (seed, epoch) in before:
                again[sum(strike <= seconds for strike in self.strikes), seed] += 1
            before.add((seed, epoch))
        return max(again.values(), default=0)


def times(kills: int) -> int:
    """How often one search is struck by what `--kills` does not count: more than once where many are asked for."""
    return 1 if kills < 20 else 2


def made_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """A folder that the first process fills which asks for it; the others wait for it, and read it only."""
    made = folder.with_name(f"{folder.name}.made")
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of one that failed
            make(folder)
            made.touch()
    return folder


def end_all() -> None:
    """Ends what a test that failed has left running."""
    while _SESSIONS:
        session = _SESSIONS.pop()
        if session.poll() is None:
            session.kill()
            session.wait()


def environment(log: Path, checkpoint_seconds: float = 0.0) -> dict[str, str]:
    """Variables of a search's processes, which note there the epochs that they begin.

    Ray would let trials yield to all other work of the machine, and a busy one would then hardly train.
    """
    paths = [str(HOOKS), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = {"WRN_FAULTS_LOG": str(log), "PYTHONPATH": os.pathsep.join(paths), "RAY_worker_niceness": "0"}
    return os.environ | own | {"WRN_SEARCH_CHECKPOINT_SECONDS": f"{checkpoint_seconds:g}"}


def _send(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
