"""How far trackers are behind the record, and whether a row is lost or doubled when searches and trackers are killed.

    python -m benchmarks.trackers_behind --trackers csv,mlflow,wandb --kills 20
    python -m benchmarks.trackers_behind --trackers csv,mlflow --kills 0 --trials 40

A driver without Ray writes made-up epochs to a real record, with the trackers of a real session beside it. It is
killed, or one of its trackers is, at random moments, and a killed driver is started again as `--resume` would. For
mlflow a real MLflow server is started on loopback, with its files in a folder of its own.

A row is a metric of an epoch; what a tracker shows is held against the fold of the record, after `track` has been run,
as the search asks for where a tracker has not come to its end within 30 s. Behind is the time from an
epoch's line in the record until its row is seen, which is looked for twice a second, without kills.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from benchmarks.tracker_rows import Row, mlflow_rows, wandb_rows
from tests.results.searches import proposed, reported, started
from tests.trackers.mlflow_server import mlflow_server
from wrn_search.results.events import Completed, SearchEnded, SearchResumed, SearchStarted
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.trackers.record_tail import RecordTail
from wrn_search.trackers.trackers_of_a_session import finish_trackers, start_trackers

AT_ONCE = 4  # trials
EPOCHS = 10
SECONDS_OF_AN_EPOCH = 1.0  # 4 epochs a second, as in the quickstart
SECONDS_BEFORE = (
    20.0  # that Ray and its first trial take to start on a busy machine; a tracker's process starts meanwhile
)


def drive(results: Path, names: Sequence[str], trials: int, seconds_before: float = 0.0) -> None:
    """One session: goes on where the record stands, to the end; its first epoch comes after so many seconds."""
    directory = ResultsDirectory(results)
    if directory.exists():
        record = Record.open(directory.events)
        state = fold(record.events)
        record.append(SearchResumed())
    else:
        results.mkdir(exist_ok=True)
        directory.events.unlink(missing_ok=True)
        record, state = Record.create(directory.events), SearchState()
        record.append(SearchStarted("behind", "0123456789abcdef0123", EPOCHS, 90.0, "digits", "split"))
    trackers = start_trackers(directory, names)
    time.sleep(seconds_before)
    done = {number: trial.epochs_done for number, trial in state.trials.items()}
    ended = {number for number, trial in state.trials.items() if trial.status == "completed"}
    while len(ended) < trials:
        running = [number for number in range(trials) if number not in ended][:AT_ONCE]
        for number in running:
            if number not in done:
                record.append(proposed(number))
                done[number] = 0
            if done[number] == 0 or number in state.trials:
                record.append(started(number))
                state.trials.pop(number, None)
            done[number] += 1
            record.append(reported(number, done[number]))
            if done[number] == EPOCHS:
                record.append(Completed(number))
                ended.add(number)
        trackers.look()
        time.sleep(SECONDS_OF_AN_EPOCH)
    record.append(SearchEnded("finished"))
    record.close()
    finish_trackers()


@dataclass
class Found:
    """What came of one tracker."""

    lost: int
    doubled: int
    rows: int
    late: int = 0  # rows that were not there yet when the search had ended
    behind: list[float] = field(default_factory=list)  # seconds, of each epoch that was seen to come


def measure(names: Sequence[str], kills: int, trials: int, seed: int, folder: Path) -> dict[str, Found]:
    """Runs the search to its end among so many kills.

    Raises:
        subprocess.CalledProcessError: the driver failed by itself.
    """
    results, generator = folder / "behind", random.Random(seed)
    with ExitStack() as stack:
        uri = stack.enter_context(mlflow_server(folder)) if "mlflow" in names else ""
        environment = os.environ | {"MLFLOW_TRACKING_URI": uri, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "benchmarks.trackers_behind", "--drive", str(results)]
        command += ["--trackers", ",".join(names), "--trials", str(trials)]
        command += [] if kills else ["--seconds-before", str(SECONDS_BEFORE)]

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(command, env=environment)

        driver, seen = start(), _Seen(results, names, uri)
        for _ in range(kills):
            time.sleep(generator.uniform(1.0, 5.0))
            if driver.poll() is not None:
                break  # it was sooner at its end
            children = [each for each in psutil.Process(driver.pid).children() if each.is_running()]
            if children and generator.random() < 0.5:
                os.kill(generator.choice(children).pid, signal.SIGKILL)
            else:
                driver.kill()
                driver.wait()
                driver = start()
        while driver.poll() is None:
            if not kills:
                seen.look()
            time.sleep(0.5)
        if driver.returncode:
            raise subprocess.CalledProcessError(driver.returncode, command)
        state = fold(read_events(results / "events.jsonl"))
        at_the_end = {name: _compared(name, state, results, uri, seen) for name in names}
        # What a starved tracker had not brought over when the search ended, the command that it names then does.
        track = [sys.executable, "-m", "wrn_search", "track", str(results)]
        for name in names:
            subprocess.run([*track, "--to", name], env=environment, check=True, stdout=subprocess.DEVNULL)
        found = {name: _compared(name, state, results, uri, seen) for name in names}
        return {name: replace(each, late=at_the_end[name].lost) for name, each in found.items()}


def _compared(name: str, state: SearchState, results: Path, uri: str, seen: _Seen) -> Found:
    if name == "csv":
        rows = list(csv_rows(results))
        expected = {
            (trial.number, each.epoch, "val_error", each.val_error)
            for trial in state.trials.values()
            for _, each in trial.reports
        }
    else:
        rows = list(mlflow_rows(uri) if name == "mlflow" else wandb_rows(results))
        names = ({row[2] for row in rows} | {"val_error"}) - {"best_val_error"}
        expected = {
            (trial.number, each.epoch, metric, getattr(each, metric))
            for trial in state.trials.values()
            for _, each in trial.reports
            for metric in names
        }
    counted = Counter(rows)
    doubled = sum(count - 1 for count in counted.values()) + len(counted.keys() - expected)
    return Found(len(expected - counted.keys()), doubled, len(rows), behind=seen.behind[name])


def csv_rows(results: Path) -> Iterator[Row]:
    """(trial, epoch, metric, value) of `csv/epochs.csv`."""
    with (results / "csv" / "epochs.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            yield (
                int(row["trial_id"].rpartition("_")[2]),
                int(row["epoch"]),
                "val_error",
                float(row["val_error"]),
            )


class _Seen:
    """Looks at what the trackers show while the search runs."""

    def __init__(self, results: Path, names: Sequence[str], uri: str):
        self._results, self._uri = results, uri
        self._tail = RecordTail(results / "events.jsonl")
        self._reported: dict[tuple[int, int], float] = {}
        self._waits: dict[str, set[tuple[int, int]]] = {name: set() for name in names if name != "wandb"}
        self.behind: dict[str, list[float]] = {name: [] for name in names}

    def look(self) -> None:
        """Notes what is new in the record, and what of it is seen."""
        if not (self._results / "events.jsonl").exists():
            return
        for moment, event in self._tail.new_events():
            if metrics := getattr(event, "metrics", None):
                key = (event.number, metrics.epoch)  # type: ignore[union-attr]
                self._reported[key] = moment
                for waits in self._waits.values():
                    waits.add(key)
        for name, waits in self._waits.items():
            shown = self._shown(name)
            now = time.time()
            for key in [key for key in waits if key[1] <= shown.get(key[0], 0)]:
                waits.discard(key)
                self.behind[name].append(now - self._reported[key])

    def _shown(self, name: str) -> dict[int, int]:
        """Trial -> the last epoch that the tracker shows."""
        if name == "csv":
            if not (self._results / "csv" / "epochs.csv").exists():
                return {}
            return _latest(csv_rows(self._results))
        return _latest(mlflow_rows(self._uri, only_latest=True))


def _latest(rows: Iterator[Row]) -> dict[int, int]:
    latest: dict[int, int] = {}
    for number, epoch, *_ in rows:
        latest[number] = max(epoch, latest.get(number, 0))
    return latest


@contextmanager
def _folder(asked: str | None) -> Iterator[Path]:
    if asked is not None:
        yield Path(asked)
        return
    with tempfile.TemporaryDirectory(prefix="wrn-search-trackers-") as folder:
        yield Path(folder)


def main() -> None:
    """Prints a line a tracker."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--trackers", default="csv,mlflow,wandb")
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--trials", type=int, default=40)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--folder", help="where to work (default: a temporary folder)")
    options.add_argument("--seconds-before", type=float, default=0.0, help=argparse.SUPPRESS)
    options.add_argument("--drive", help=argparse.SUPPRESS)
    asked = options.parse_args()
    names = asked.trackers.split(",")
    if asked.drive:
        drive(Path(asked.drive), names, asked.trials, asked.seconds_before)
        return
    with _folder(asked.folder) as folder:
        for name, found in measure(names, asked.kills, asked.trials, asked.seed, folder).items():
            text = (
                f"{name}: {found.rows} rows, {found.lost} lost, {found.doubled} doubled ({asked.kills} kills)"
            )
            if found.late:
                text += f"; {found.late} came by `track` after the end"
            if found.behind:
                median, most = statistics.median(found.behind), max(found.behind)
                text += (
                    f"; behind by {median:.1f} s (median), {most:.1f} s (most) of {len(found.behind)} epochs"
                )
            print(text)


if __name__ == "__main__":
    main()
