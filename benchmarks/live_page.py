"""What a live page costs: CPU until it is open, seconds until a new epoch is on it, CPU while it follows a search.

    python -m benchmarks.live_page [--trials 1000] [--epochs 30] [--seconds 30]

Writes the record of a search that runs (one trial of it trains) by the program's own lines, starts `watch` in a process
of its own, and plays a browser by HTTP: the page, its scripts, then a question a second. Figures to reach: a new epoch
within 3 s, 2 s of CPU to open, under 1 % of a core while it follows (the driver of the search takes no part in it). The
process that makes reports is counted apart: it has the lowest priority, and the page is open before it begins.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.results.searches import proposed, reported, started
from wrn_search.report.html.document import SCRIPTS
from wrn_search.results.event_lines import to_line
from wrn_search.results.events import Completed, Event, SearchStarted, Stopped
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.results.table_writer import TableWriter

_TICKS = os.sysconf("SC_CLK_TCK")


def write_search(folder: Path, trials: int, epochs: int) -> int:
    """A search whose last trial trains: three of four others were stopped half-way. Gives the number of events."""
    space = {"name": "many", "search": {"trials": trials, "repeats": 1}}
    events: list[Event] = [SearchStarted("many", "0" * 32, epochs, 90.0, "digits", "split", space=space)]
    for number in range(trials):
        is_last = number == trials - 1
        last = 1 if is_last else epochs if number % 4 == 0 else epochs // 2
        events += [proposed(number, epochs=epochs), started(number)]
        events += [reported(number, epoch, val_error=60 / epoch + number % 7) for epoch in range(1, last + 1)]
        if not is_last:
            events.append(
                Completed(number) if last == epochs else Stopped(number, last, "others were better")
            )
    began = time.time() - len(events) / 10
    timed = [(began + place / 10, event) for place, event in enumerate(events)]
    with (folder / "events.jsonl").open("w") as file:
        file.writelines(to_line(event, seq, moment) + "\n" for seq, (moment, event) in enumerate(timed))
    TableWriter(ResultsDirectory(folder), fold(timed))
    return len(events)


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process so far."""
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / _TICKS


def children_of(pid: int) -> list[int]:
    """Its child processes, whichever thread started them."""
    texts = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(each) for text in texts for each in text.split()]


class Visitor:
    """A browser as far as a server sees one."""

    def __init__(self, told: dict[str, Any]):
        self._base, self._token = f"http://127.0.0.1:{told['port']}", told["token"]
        self._after: str | None = None

    def get(self, path: str, **query: str) -> bytes:
        """What an address answers."""
        asked = "&".join(f"{name}={value}" for name, value in {"token": self._token, **query}.items())
        with urllib.request.urlopen(f"{self._base}{path}?{asked}", timeout=600) as answer:
            body: bytes = answer.read()
        return body

    def open(self) -> None:
        """The page with its scripts, and how the search stands."""
        self.get("/")
        for name in ("plotly.js", *SCRIPTS, "live.js"):
            self.get(f"/files/{name}")
        self.look()

    def look(self) -> dict[str, Any]:
        """The question of each second."""
        known = {} if self._after is None else {"after": self._after}
        told: dict[str, Any] = json.loads(self.get("/live", **known))
        self._after = told["version"]
        return told


def main() -> None:
    """Measures and prints."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--trials", type=int, default=1000)
    options.add_argument("--epochs", type=int, default=30)
    options.add_argument("--seconds", type=int, default=30, help="that a search is followed")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seq = write_search(Path(folder), asked.trials, asked.epochs)
        command = [sys.executable, "-m", "wrn_search", "watch", folder, "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                line = ""
                while not line.endswith("}\n"):
                    line += process.stdout.readline()
                visitor = Visitor(json.loads(line))
                visitor.open()
                print(f"record: {asked.trials:,} trials, {seq:,} events")
                print(f"open: {cpu_seconds(process.pid):.2f} CPU s of the server, from its start on")
                follow(visitor, process.pid, Path(folder), seq, asked)
            finally:
                process.terminate()


def follow(visitor: Visitor, pid: int, folder: Path, seq: int, asked: argparse.Namespace) -> None:
    """An epoch a second for a while, by a search that waits for nobody; prints delays and CPU."""
    while json.loads(visitor.get("/report"))["report"] is None:
        time.sleep(0.1)
    (worker,) = children_of(pid)
    print(f"first report, without the curve model: {cpu_seconds(worker):.2f} CPU s of its own process")
    before, began = cpu_seconds(pid), time.monotonic()
    delays: list[float] = []
    number = asked.trials - 1
    with (folder / "events.jsonl").open("a") as file:
        for place in range(asked.seconds):
            epoch = 2 + place
            file.write(to_line(reported(number, epoch), seq + place, time.time()) + "\n")
            file.flush()
            written = time.monotonic()
            while True:
                time.sleep(1.0)  # as the page's script
                rows = visitor.look()["rows"]
                if any(row["points"] and row["points"][-1][0] == epoch for row in rows):
                    break
            delays.append(time.monotonic() - written)
    share = (cpu_seconds(pid) - before) / (time.monotonic() - began)
    delays.sort()
    median = delays[len(delays) // 2]
    print(f"a new epoch is told after {median:.2f} s (median of {len(delays)}; most {delays[-1]:.2f} s)")
    print(f"following: {100 * share:.2f} % of a core by the server, at an epoch and a question a second")


if __name__ == "__main__":
    main()
