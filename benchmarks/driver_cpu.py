"""CPU seconds of the driver in a search whose trials do nothing; `search_overhead.py` runs it in new processes.

python -m benchmarks.driver_cpu TRIALS SEARCHER [EPOCHS]

With several epochs a trial: WRN_SEARCH_STEP_SECONDS=0 makes each a step of Ray, else all of them are one.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.hardware.machine import Node
from wrn_search.images.prepared_data import prepare
from wrn_search.ray_tune.hand_to_tune import hand_to_tune
from wrn_search.ray_tune.private_ray import own_ray
from wrn_search.ray_tune.trainable import WideResNetTrainable
from wrn_search.session.files_from_the_record import Observers
from wrn_search.session.search_request import allotment_of, request_of
from wrn_search.session.start_of_a_session import Arithmetic, end_session, facts_of, opened_record

NODE = Node(cpus=2)
ARITHMETIC = Arithmetic(precision="fp32", compile="off")


class Idle(WideResNetTrainable):
    """Reports epochs without training them."""

    def _one_epoch(self) -> dict[str, Any]:
        """The error follows from the number, so that searchers have something to learn."""
        self._reported += 1
        error = float(self._assignment["number"] * 7919 % 97)
        losses = {"train_loss": 1.0, "train_error": error, "val_loss": 1.0, "val_error": error}
        costs = {"seconds": 0.1, "images_per_second": 1000.0, "memory_bytes": 10**8}
        return {
            "epoch": {"epoch": self._reported, "learning_rate": 0.1, **losses, **costs},
            "node": "node",
            "device": "cpu",
        }


def driver_seconds(trials: int, searcher: str, folder: Path, epochs: int = 1) -> tuple[float, float]:
    """(CPU, wall) seconds of a search's driver, from the first proposal to the last table; Ray runs already."""
    document = {
        "name": "driver",
        "dataset": {"name": "digits"},
        "model": {"depth": {"choice": [10, 16, 22, 28]}, "dropout": {"uniform": [0.0, 0.5]}},
        "training": {"epochs": epochs, "weight_decay": {"loguniform": [1e-5, 1e-3]}},
        "search": {"trials": trials, "searcher": searcher, "scheduler": "none"},
        "resources": {"concurrent": 2, "cpus_per_trial": 1, "gpus_per_trial": 0},
    }
    request = request_of(document, [], folder / "results")
    data = prepare(request.space.dataset)
    allotment = allotment_of(request, [NODE])
    facts = facts_of(data)
    with own_ray(NODE), opened_record(request, data, [NODE], allotment, ARITHMETIC, begun=None) as record:
        cpu, wall = time.process_time(), time.perf_counter()
        conductor = Conductor(request.space, facts, allotment, record)
        observers = Observers(request.directory, record, conductor)
        hand_to_tune(request.directory, conductor, None, trainable=Idle)
        end_session(conductor, record, observers, conductor.end_reason or "failed")
        seconds = time.process_time() - cpu, time.perf_counter() - wall
    assert sum(trial.status == "completed" for trial in conductor.state.trials.values()) == trials
    return seconds


def main() -> None:
    """Prints both numbers."""
    with tempfile.TemporaryDirectory() as folder:
        # Trial processes import nothing from where we work, but what PYTHONPATH names elsewhere.
        Path(folder, "benchmarks").symlink_to(Path(__file__).resolve().parent, target_is_directory=True)
        os.environ["PYTHONPATH"] = folder
        print(*driver_seconds(int(sys.argv[1]), sys.argv[2], Path(folder), *map(int, sys.argv[3:])))


if __name__ == "__main__":
    # The trainable must have an importable name in the trial processes.
    from benchmarks.driver_cpu import main as imported_main

    imported_main()
