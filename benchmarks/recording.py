"""What the record costs: the way back into a large search, and recording's share of the quickstart's wall time.

Resume: a finished search of 5,000 trials with 30 epochs each, proposed by the real conductor and recorded with all its
tables and TensorBoard runs, only its epochs made up. Seconds from `run_search.py --resume --trials 5002` to the first
new trial in training, Ray's start in them; the same for a small search, to tell what is the start's.

Share: the quickstart, with a clock around all that is done for the record: each append with the observers that it calls
(state, scheduler, searcher, progress, tables, TensorBoard, checkpoints kept), their opening and their end.

    python -m benchmarks.recording [--trials 5000] [--epochs 30] [--searcher tpe] [--rounds 1] [--quickstart 1]
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from benchmarks.measuring import in_turns, options, report, row
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.hardware.machine import Node
from wrn_search.images.prepared_data import prepare
from wrn_search.results.events_jsonl import Record
from wrn_search.session.files_from_the_record import Observers
from wrn_search.session.search_request import allotment_of, request_of
from wrn_search.session.start_of_a_session import Arithmetic, end_session, facts_of, opened_record

ROOT = Path(__file__).resolve().parents[1]
QUICKSTART = ROOT / "search_spaces" / "digits_quickstart.yaml"
NODE = Node(cpus=2)
ARITHMETIC = Arithmetic(precision="fp32", compile="off")
SECONDS_FOR_RESUME = 600.0
SMALL = 20  # trials


def document(trials: int, epochs: int, searcher: str) -> dict[str, Any]:
    """The space of the large search."""
    return {
        "name": "recording",
        "dataset": {"name": "digits"},
        "model": {"depth": {"choice": [10, 16, 22, 28]}, "dropout": {"uniform": [0.0, 0.5]}},
        "training": {"epochs": epochs, "weight_decay": {"loguniform": [1e-5, 1e-3]}},
        "search": {"trials": trials, "searcher": searcher, "scheduler": "none"},
        "resources": {"concurrent": 2, "cpus_per_trial": 1, "gpus_per_trial": 0},
    }


def record_search(folder: Path, trials: int, epochs: int, searcher: str) -> None:
    """A finished search in `folder`/results, its space file beside it."""
    (folder / "space.yaml").write_text(yaml.safe_dump(document(trials, epochs, searcher)))
    request = request_of(folder / "space.yaml", [], folder / "results")
    data = prepare(request.space.dataset)
    facts = facts_of(data)
    allotment = allotment_of(request, [NODE])
    # Random draws of the same domains: what a searcher would have proposed does not matter, and takes long.
    drawn = request_of(document(trials, epochs, "random"), [], None).space
    with opened_record(request, data, [NODE], allotment, ARITHMETIC, begun=None) as record:
        conductor = Conductor(drawn, facts, allotment, record, **vars(ARITHMETIC))
        while isinstance(assignment := conductor.next_trial(), Assignment):
            conductor.started(assignment.number)
            for metrics in curve(assignment, epochs):
                conductor.reported(assignment.number, metrics, "node", "cpu")
    with Record.open(request.directory.events) as record:
        conductor = Conductor(request.space, facts, allotment, record, **vars(ARITHMETIC))
        end_session(conductor, record, Observers(request.directory, record, conductor), "finished")


def curve(assignment: Assignment, epochs: int) -> Iterator[EpochMetrics]:
    """Epochs of a trial, with as many digits as real ones have."""
    generator = random.Random(assignment.config.seed)
    last = generator.uniform(2.0, 40.0)
    for epoch in range(1, epochs + 1):
        error = last + (90.0 - last) * math.exp(-6.0 * epoch / epochs)
        seconds = generator.uniform(0.9, 1.1)
        yield EpochMetrics(
            epoch=epoch,
            learning_rate=0.1,
            train_loss=error / 40.0,
            train_error=error * 1.1,
            val_loss=error / 35.0,
            val_error=error,
            seconds=seconds,
            images_per_second=1152 / seconds,
            memory_bytes=900_000_000 + epoch,
        )


def resume_seconds(folder: Path, trials: int) -> float:
    """From the command to the first new trial that trains; the session is killed then."""
    record = folder / "results" / "events.jsonl"
    size = record.stat().st_size
    command = [
        sys.executable,
        ROOT / "run_search.py",
        "space.yaml",
        "--results",
        "results",
        "--resume",
        "--quiet",
    ]
    began = time.perf_counter()
    with (folder / "stderr.txt").open("w") as errors:
        session = subprocess.Popen(
            [*map(str, command), "--trials", str(trials)], cwd=folder, stderr=errors, start_new_session=True
        )
    try:
        while time.perf_counter() - began < SECONDS_FOR_RESUME and session.poll() is None:
            with record.open("rb") as file:
                file.seek(size)
                if b'"started"' in file.read():
                    return time.perf_counter() - began
            time.sleep(0.02)
        raise RuntimeError(f"no new trial: {(folder / 'stderr.txt').read_text()}")
    finally:
        os.killpg(session.pid, signal.SIGKILL)
        session.wait()


@contextlib.contextmanager
def clock_around(owner: type, name: str, spent: dict[str, float]) -> Iterator[None]:
    """Adds the wall seconds of each call of a method to `spent`."""
    plain = getattr(owner, name)

    def measured(*arguments: Any, **keywords: Any) -> Any:
        began = time.perf_counter()
        try:
            return plain(*arguments, **keywords)
        finally:
            key = f"{owner.__name__}.{name}"
            spent[key] = spent.get(key, 0.0) + time.perf_counter() - began

    setattr(owner, name, measured)
    try:
        yield
    finally:
        setattr(owner, name, plain)


def quickstart_seconds(folder: Path) -> tuple[float, dict[str, float]]:
    """Wall seconds of the quickstart, and those of its recording by part."""
    import wrn_search

    spent: dict[str, float] = {}
    with contextlib.ExitStack() as stack:
        for owner, name in ((Record, "append"), (Observers, "__init__"), (Observers, "finish")):
            stack.enter_context(clock_around(owner, name, spent))
        began = time.perf_counter()
        result = wrn_search.run(QUICKSTART, results=folder / "quickstart", quiet=True)
        seconds = time.perf_counter() - began
    assert result.reason == "finished", result.reason
    return seconds, spent


def main() -> None:
    """Prints both figures."""
    parser = options(__doc__, rounds=1)
    parser.add_argument("--trials", type=int, default=5000, help="of the large search")
    parser.add_argument("--epochs", type=int, default=30, help="of each of its trials")
    parser.add_argument("--searcher", default="tpe", help="of the large search (default tpe)")
    parser.add_argument("--quickstart", type=int, default=1, help="rounds of the quickstart (default 1)")
    chosen = parser.parse_args()
    kept: dict[str, Any] = {}
    lines: list[str] = []
    if chosen.trials:
        kept["resume"], more = resumes(chosen.trials, chosen.epochs, chosen.searcher, chosen.rounds)
        lines += more
    if chosen.quickstart:
        kept["quickstart"], more = shares(chosen.quickstart)
        lines += more
    report("recording", lines, kept, chosen.json)


def resumes(trials: int, epochs: int, searcher: str, rounds: int) -> tuple[dict[str, Any], list[str]]:
    """Values and lines of the large search against the small one."""
    with tempfile.TemporaryDirectory() as large, tempfile.TemporaryDirectory() as small:
        folders = {f"{trials} trials": (Path(large), trials), f"{SMALL} trials": (Path(small), SMALL)}
        for folder, count in folders.values():
            record_search(folder, count, epochs, searcher)
        size = (Path(large) / "results" / "events.jsonl").stat().st_size
        asked = {name: iter(range(count + 2, count + 2 + rounds)) for name, (_, count) in folders.items()}
        seconds = in_turns(
            # Each round asks for a trial more: it goes on with the one that was killed before, or begins the next.
            {name: partial(resume_next, folder, asked[name]) for name, (folder, _) in folders.items()},
            rounds,
        )
    lines = [f"resume, {searcher}, {epochs} epochs a trial; the large record has {size:,} bytes"]
    lines += [row(f"to the first new trial, {name}", values, "s") for name, values in seconds.items()]
    return {
        "trials": trials,
        "epochs": epochs,
        "searcher": searcher,
        "bytes": size,
        "seconds": seconds,
    }, lines


def resume_next(folder: Path, trials: Iterator[int]) -> float:
    """Seconds of one resume, to the next number of trials."""
    return resume_seconds(folder, next(trials))


def shares(rounds: int) -> tuple[dict[str, Any], list[str]]:
    """Values and lines of recording's share of the quickstart."""
    percents, runs, lines = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            wall, spent = quickstart_seconds(Path(name))
        percents.append(100 * sum(spent.values()) / wall)
        runs.append({"seconds": wall, "recording": spent})
        lines += [
            f"quickstart {wall:.1f} s, of them " + ", ".join(f"{k} {s:.2f} s" for k, s in spent.items())
        ]
    lines += [row("recording of the wall time", percents, "%")]
    return {"percent": statistics.median(percents), "runs": runs}, lines


if __name__ == "__main__":
    main()
