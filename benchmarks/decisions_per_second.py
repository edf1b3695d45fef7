"""How many decisions a second a search takes without Ray and without training: CPU seconds of its conductor alone.

Made-up curves are played to the real conductor, an epoch each, on a clock of its own, with an unwritten record; a
decision is a proposal, or the answer to a reported epoch. ASHA stops at geometric rungs.

    python -m benchmarks.decisions_per_second [--plays random:100000x60@1000,tpe:1000x27@4] [--rounds 1] [--json FILE]
"""

from __future__ import annotations

import heapq
import multiprocessing
import random
import re
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.measuring import options, report, row
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.results.events import Event, SearchStarted
from wrn_search.results.events_jsonl import Record
from wrn_search.space.space_file import space_from_mapping

PLAYS = "random:100000x60@1000,tpe:1000x27@4,tpe:5000x27@4"  # SEARCHER:TRIALSxEPOCHS@WORKERS
_PLAY = re.compile(r"([a-z]+):(\d+)x(\d+)@(\d+)")
FACTS = DataFacts(num_classes=10, image_shape=(8, 8, 1), validation_images=360, chance_error=89.7)


class _Unwritten(Record):
    """A record that is no file."""

    def __init__(self, first: Event):
        super().__init__(Path(), -1, lambda: 0.0)
        self.events = [(0.0, first)]

    def append(self, event: Event) -> None:
        for subscriber in self._subscribers:
            subscriber(0.0, event)


def play(searcher: str, trials: int, epochs: int, workers: int) -> int:
    """Decisions of one search that is played to its end."""
    space = space_from_mapping(
        {
            "name": "played",
            "dataset": {"name": "digits"},
            "model": {"depth": {"choice": [10, 16, 22, 28]}, "dropout": {"uniform": [0.0, 0.5]}},
            "training": {"epochs": epochs, "weight_decay": {"loguniform": [1e-5, 1e-3]}},
            "search": {"trials": trials, "searcher": searcher, "scheduler": "asha", "rungs": "geometric"},
        }
    )
    record = _Unwritten(SearchStarted(space.name, "played", epochs, FACTS.chance_error, "", ""))
    conductor = Conductor(space, FACTS, Allotment(workers, 1, 0.0), record)
    generator = random.Random(0)
    running: list[tuple[float, int, int]] = []  # (when its epoch ends, trial, epoch)
    ends: dict[int, tuple[float, float]] = {}  # trial -> (error at the end in percent, seconds of an epoch)
    now, decisions = 0.0, 0
    while True:
        while isinstance(answer := conductor.next_trial(), Assignment):
            conductor.started(answer.number)
            end = 5 + 30 * abs(answer.config.dropout - 0.2) + generator.uniform(0, 5)
            ends[answer.number] = end, generator.uniform(0.5, 1.5)
            heapq.heappush(running, (now + ends[answer.number][1], answer.number, 1))
            decisions += 1
        if not running:
            break
        now, number, epoch = heapq.heappop(running)
        end, pace = ends[number]
        error = end + 40 * (1 - epoch / epochs) + generator.uniform(0, 3)
        metrics = EpochMetrics(epoch, 0.1, 1.0, error, 1.0, error, pace, 1.0, 0)
        decisions += 1
        if conductor.reported(number, metrics, "", "") and epoch < epochs:
            heapq.heappush(running, (now + pace, number, epoch + 1))
    assert len(conductor.state.trials) == trials
    return decisions


def main() -> None:
    """Prints decisions a second of each play, every one in a process of its own."""
    parser = options(__doc__, rounds=1)
    parser.add_argument(
        "--plays", default=PLAYS, help=f"SEARCHER:TRIALSxEPOCHS@WORKERS,... (default {PLAYS})"
    )
    chosen = parser.parse_args()
    kept: dict[str, object] = {}
    lines = ["Decisions of the conductor, asha at geometric rungs, without Ray and training"]
    for name in chosen.plays.split(","):
        if (found := _PLAY.fullmatch(name)) is None:
            parser.error(f"--plays must be like {PLAYS}, but got '{name}'")
        runs = [_in_its_own_process(name) for _ in range(chosen.rounds)]
        seconds, decisions = [run[0] for run in runs], int(runs[0][1])
        rates = [decisions / each for each in seconds]
        kept[name] = {"cpu_seconds": seconds, "decisions": decisions, "decisions_per_second": rates}
        searcher, trials, epochs, workers = found.groups()
        lines += [
            f"{searcher}, {int(trials):,} trials x {epochs} epochs, {workers} workers: {decisions:,} decisions"
        ]
        lines += [row("CPU", seconds, "s"), row("decisions a second", rates, "")]
    report("decisions_per_second", lines, kept, chosen.json)


def _in_its_own_process(name: str) -> tuple[float, float]:
    """(CPU seconds, decisions) of one play; what an earlier one left in memory costs it nothing."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(timed, name).result()


def timed(name: str) -> tuple[float, float]:
    """(CPU seconds, decisions) of one play, given as SEARCHER:TRIALSxEPOCHS@WORKERS."""
    found = _PLAY.fullmatch(name)
    assert found is not None, name
    searcher, *numbers = found.groups()
    play(searcher, 20, 9, 2)  # imports
    began = time.process_time()
    decisions = play(searcher, *map(int, numbers))
    return time.process_time() - began, decisions


if __name__ == "__main__":
    main()
