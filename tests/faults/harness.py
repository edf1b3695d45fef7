"""A real search on digits in processes of its own, what strikes it, and how its tables compare with an unbroken one."""

from __future__ import annotations

import os
import random
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
import pyarrow as pa
import yaml

from wrn_search.results.directory import ResultsDirectory
from wrn_search.results.events import Reported
from wrn_search.results.reader import read_tables
from wrn_search.results.record import read_events

ROOT = Path(__file__).resolve().parents[2]
HOOKS = Path(__file__).parent / "hooks"
DEADLINE = 300.0  # seconds of one session; a hang must not stop the tests
START_SECONDS = 12.0  # from the command to the first epoch, about
POLL_SECONDS = 0.01

# What two runs of the same search do not share.
TIMES = {
    *("train_seconds", "images_per_second", "peak_memory_bytes", "started_at", "finished_at"),
    *("seconds", "memory_bytes", "reported_at"),
}
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


@dataclass
class Search:
    """One search under test in a folder of its own; a session of it is a process and what that starts."""

    folder: Path
    document: dict[str, Any]
    options: Sequence[str] = ()
    name: str = "out"
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
        command = [sys.executable, str(ROOT / "run_search.py"), "space.yaml", "--results", self.name, "--quiet"]
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
                env=environment(self.log),
            )
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

    def finish(self) -> None:
        """A session without a fault, to the end of the search."""
        self.start()
        assert self.end() == 0, self.errors
        assert "Traceback" not in self.errors

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


def environment(log: Path) -> dict[str, str]:
    """Variables of a search's processes, which note there the epochs that they begin."""
    paths = [str(HOOKS), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"WRN_FAULTS_LOG": str(log), "PYTHONPATH": os.pathsep.join(paths)}


@dataclass(frozen=True)
class Verdict:
    """A row of the summary: one fault, how often it struck, and what came of it."""

    fault: str
    strikes: int
    lost: int  # rows of either table that the unbroken search has
    doubled: int  # rows that stand twice, configurations under two names
    differing: int  # rows that say something else, or that the unbroken search has not
    repeated: int  # epochs of a trial trained once more after one strike, at most
    left: int  # files that nobody needs any more, runs of no trial
    may_repeat: int = 1

    @property
    def held(self) -> bool:
        """Whether all was kept that is promised."""
        return self.repeated <= self.may_repeat and not (
            self.lost or self.doubled or self.differing or self.left
        )

    @property
    def word(self) -> str:
        """The verdict in a word."""
        return "held" if self.held else "BROKEN"


def verdict(
    fault: str, whole: Path, searches: Sequence[Search], may_repeat: int = 1, *, best_stays: bool = True
) -> Verdict:
    """What faults did to searches, against the unbroken one in `whole`; `best_stays`: its checkpoint must be there."""
    lost = doubled = differing = left = 0
    for search in searches:
        for ours, theirs in zip(_rows(search.results), _rows(whole), strict=True):
            mine, other = dict(ours), dict(theirs)
            lost += len(other.keys() - mine.keys())
            doubled += len(ours) - len(mine)
            differing += sum(row != other.get(key) for key, row in mine.items())
        doubled += len(same_configurations(search.results))
        left += len(leftovers(search.results, best_stays))
    repeated = max(search.repeated() for search in searches)
    strikes = sum(len(search.strikes) for search in searches)
    return Verdict(fault, strikes, lost, doubled, differing, repeated, left, may_repeat)


def same_configurations(results: Path) -> list[str]:
    """Trials with the hyperparameters and the seed of another one."""
    trials, _ = read_tables(results)
    names = [name for name in trials.column_names if name in ("depth", "widen_factor", "dropout", "weight_decay", "seed")]
    seen = Counter(tuple(row.values()) for row in trials.select(names).to_pylist())
    return [str(values) for values, count in seen.items() if count > 1]


def leftovers(results: Path, best_stays: bool) -> list[str]:
    """Files of an ended search that nobody needs: its checkpoints but the best one's, runs of no trial, parts, remains."""
    trials, _ = read_tables(results)
    completed = [row for row in trials.to_pylist() if row["status"] == "completed"]
    best = min(completed, key=lambda row: (row["val_error"], row["number"]))
    kept = {f"{best['trial_id']}.pt"}
    found = [path.name for path in (results / "checkpoints").iterdir() if path.name not in kept]
    found += [path.name for path in (results / "epochs").iterdir() if path.name != "part-000000.parquet"]
    found += [path.name for path in results.iterdir() if path.name.startswith(".")]
    runs = [path.name for path in (results / "tensorboard").iterdir() if path.is_dir()]
    numbers = Counter(int(run.partition("_")[0]) for run in runs)
    found += [f"run {number}" for number, count in numbers.items() if count > 1 or number >= len(trials)]
    assert (results / "checkpoints" / kept.pop()).exists() or not best_stays, "the best network stays"
    return found


def check_readable(results: Path) -> None:
    """The tables can be read at any moment, and say nothing that the record does not."""
    if not (results / "trials.parquet").exists():
        return
    trials, epochs = read_tables(results)
    rows = list(zip(epochs["trial_id"].to_pylist(), epochs["epoch"].to_pylist(), strict=True))
    assert len(rows) == len(set(rows))
    ids = trials["trial_id"].to_pylist()
    events = [event for _, event in read_events(results / "events.jsonl")]
    recorded = {(event.number, event.metrics.epoch) for event in events if isinstance(event, Reported)}
    assert {(int(trial_id[:5]), epoch) for trial_id, epoch in rows} <= recorded
    assert [int(trial_id[:5]) for trial_id in ids] == list(range(len(ids)))


def _rows(results: Path) -> list[list[tuple[Any, dict[str, Any]]]]:
    """(key, row without times) of all rows of the trials, then of the epochs."""
    trials, epochs = (_without_times(table).to_pylist() for table in read_tables(results))
    return [
        [(row["trial_id"], row) for row in trials],
        [((row["trial_id"], row["epoch"]), row) for row in epochs],
    ]


def _without_times(table: pa.Table) -> pa.Table:
    return table.select([name for name in table.column_names if name not in TIMES])


def _send(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        pass


def _command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
