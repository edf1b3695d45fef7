"""CPU seconds of `status`, `--help` and one frame of the live display, for a record of many trials.

    python -m benchmarks.status_of_many_trials --trials 5000 --epochs 20

Writes the record to a folder of its own by the program's own lines, and runs each command in a process of its own.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.results.searches import START, proposed, reported, started
from wrn_search.progress.search_progress import Progress
from wrn_search.progress.terminal_lines import terminal_lines
from wrn_search.results.event_lines import to_line
from wrn_search.results.events import Completed, Event, SearchEnded, SearchStarted, Stopped

_RUNS = 3


def write_record(folder: Path, trials: int, epochs: int) -> Path:
    """A search of so many trials: three of four are stopped half-way."""
    path = folder / "events.jsonl"
    space = {"name": "many", "search": {"trials": trials, "repeats": 1}}
    events: list[Event] = [SearchStarted("many", "0" * 32, epochs, 90.0, "digits", "split", space=space)]
    for number in range(trials):
        last = epochs if number % 4 == 0 else epochs // 2
        events += [proposed(number, epochs=epochs), started(number)]
        events += [reported(number, epoch) for epoch in range(1, last + 1)]
        events.append(Completed(number) if last == epochs else Stopped(number, last, "others were better"))
    events.append(SearchEnded("finished"))
    with path.open("w") as file:
        for seq, event in enumerate(events):
            file.write(to_line(event, seq, START + seq / 10) + "\n")
    return path


def cpu_seconds(*arguments: str) -> float:
    """The least of three runs, user and system."""
    taken = []
    for _ in range(_RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "wrn_search", *arguments], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


def frame_milliseconds(running: int) -> float:
    """CPU milliseconds of the lines of a frame with so many running trials, 120 x 50."""
    progress = Progress(running, 60, START, search="many")
    for number in range(running):
        for event in (proposed(number, epochs=60), started(number), reported(number, 1 + number % 50)):
            progress.apply(START + number, event)
    began = time.process_time()
    for _ in range(50):
        terminal_lines(progress, START + 5000, 120, 50)
    return 1000 * (time.process_time() - began) / 50


def main() -> None:
    """Prints the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trials", type=int, default=5000)
    options.add_argument("--epochs", type=int, default=20)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = write_record(Path(folder), asked.trials, asked.epochs)
        size = path.stat().st_size / 1e6
        print(f"record: {asked.trials:,} trials, {size:.1f} MB")
        print(f"status: {cpu_seconds('status', folder):.2f} CPU s")
    print(f"--help: {cpu_seconds('--help'):.2f} CPU s")
    print(f"a frame with 1,000 running trials: {frame_milliseconds(1000):.2f} CPU ms")


if __name__ == "__main__":
    main()
