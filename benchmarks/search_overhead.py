"""What a search costs over its trainings: wall time of a search against the same trainings in bare processes.

16 trials of WRN-16-2 on digits, 27 epochs each, no scheduler, two at a time with one thread each; both sides import
torch and prepare nothing anew. Ray's start is measured apart. The sides alternate; the medians and their ratio are
printed, with all values beside them in JSON.

    python -m benchmarks.search_overhead [--rounds 3] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from wrn_search.search.seeds import derived_seed
from wrn_search.space.definition import Space
from wrn_search.space.reader import space_from_mapping

PROCESSES = 2
_BARE = """
import sys
from benchmarks.search_overhead import train_bare
trials, epochs, *repeats = map(int, sys.argv[1:])
train_bare(repeats, trials, epochs)
"""


def space(trials: int, epochs: int) -> Space:
    """One network, as many seeds as trials."""
    return space_from_mapping(
        {
            "name": "overhead",
            "dataset": {"name": "digits"},
            "model": {"depth": 16, "widen_factor": 2},
            "training": {"epochs": epochs},
            "search": {"searcher": "grid", "scheduler": "none", "repeats": trials},
            "resources": {"concurrent": PROCESSES, "cpus_per_trial": 1, "gpus_per_trial": 0},
        }
    )


def train_bare(repeats: list[int], trials: int, epochs: int) -> None:
    """The trainings of these repeats one after the other, in this process, without Ray."""
    from wrn_search.training.allocator import keep_freed_memory
    from wrn_search.training.loop import Training
    from wrn_search.training.preparation import prepare

    keep_freed_memory()
    asked = space(trials, epochs)
    for repeat in repeats:
        seed = derived_seed(asked.search.seed, "trial", 0, repeat)
        config = asked.trial_config({}, seed, precision="fp32", compile="off")
        training = Training(config, prepare(config.dataset), threads=1)
        for _ in range(epochs):
            training.run_epoch()
        training.close()


def bare_seconds(trials: int, epochs: int) -> float:
    """Wall seconds of two bare processes that share the trainings."""
    began = time.perf_counter()
    shares = [[str(n) for n in range(first, trials, PROCESSES)] for first in range(PROCESSES)]
    processes = [
        subprocess.Popen([sys.executable, "-c", _BARE, str(trials), str(epochs), *share]) for share in shares
    ]
    statuses = [process.wait() for process in processes]
    assert statuses == [0] * PROCESSES, statuses
    return time.perf_counter() - began


def search_seconds(trials: int, epochs: int) -> tuple[float, float]:
    """Wall seconds of a search in a Ray that runs already, and of that Ray's start."""
    import ray

    import wrn_search

    began = time.perf_counter()
    ray.init(num_cpus=PROCESSES, include_dashboard=False, log_to_driver=False)
    ray_start = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        result = wrn_search.run(space(trials, epochs), results=Path(folder) / "results", quiet=True)
        seconds = time.perf_counter() - began
    ray.shutdown()
    completed = sum(trial.status == "completed" for trial in result.state.trials.values())
    assert completed == trials, f"{completed} of {trials} trials completed"
    return seconds, ray_start


def measure(rounds: int, trials: int, epochs: int) -> dict[str, Any]:
    """Both sides in turn, `rounds` times."""
    from wrn_search.results.manifest import hardware
    from wrn_search.search.sizing import usable_cores
    from wrn_search.training.preparation import prepare

    prepare(space(trials, epochs).dataset)
    search, bare, ray_start = [], [], []
    for _ in range(rounds):
        bare.append(bare_seconds(trials, epochs))
        seconds, start = search_seconds(trials, epochs)
        search.append(seconds)
        ray_start.append(start)
    return {
        "trials": trials,
        "epochs": epochs,
        "search_seconds": search,
        "bare_seconds": bare,
        "ray_start_seconds": ray_start,
        "ratio": statistics.median(one / other for one, other in zip(search, bare, strict=True)),
        "hardware": hardware(usable_cores()),
        "versions": {name: version(name) for name in ("torch", "ray", "optuna")}
        | {"python": platform.python_version()},
    }


def main() -> None:
    """Prints a table; `--json` keeps the values."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--trials", type=int, default=16)
    options.add_argument("--epochs", type=int, default=27)
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    measured = measure(chosen.rounds, chosen.trials, chosen.epochs)
    for name in ("search_seconds", "bare_seconds", "ray_start_seconds"):
        values = measured[name]
        shown = f"median {statistics.median(values):6.1f}   from {min(values):.1f} to {max(values):.1f}"
        print(f"{name:<20}{shown}   n={len(values)}")
    print(
        f"search over bare    {measured['ratio']:.2f}   ({measured['trials']} trials x {measured['epochs']} epochs)"
    )
    print(f"{measured['hardware']}")
    if chosen.json:
        chosen.json.write_text(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
