"""What a search costs over its trainings.

Wall time: 16 trials of WRN-16-2 on digits, 27 epochs each, no scheduler, two at a time with one thread each, against
the same trainings in two bare processes; both sides import torch and prepare nothing anew. Ray's start is measured
apart.

Driver: CPU seconds of the search's own process when trials do nothing, for growing numbers of trials, and the exponent
with which the total grows from the first number to the last.

    python -m benchmarks.search_overhead [--rounds 1] [--driver random:100,1000,5000;tpe:100,1000,5000] [--json FILE]
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import in_turns, options, ratio, report, row
from wrn_search.ray_tune.ray_authentication import token_of_our_own
from wrn_search.seeds import derived_seed
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_from_mapping

PROCESSES = 2
DRIVER = "random:100,1000,5000;tpe:100,1000,5000"
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
    from wrn_search.images.prepared_data import prepare
    from wrn_search.memory.keeping_freed_memory import keep_freed_memory
    from wrn_search.training.training_loop import Training

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


def search_seconds(trials: int, epochs: int, ray_starts: list[float]) -> float:
    """Wall seconds of a search in a Ray that runs already; those of that Ray's start are appended."""
    import ray

    import wrn_search

    with token_of_our_own():  # none stays in the home
        began = time.perf_counter()
        ray.init(num_cpus=PROCESSES, include_dashboard=False, log_to_driver=False)
        ray_starts.append(time.perf_counter() - began)
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            result = wrn_search.run(space(trials, epochs), results=Path(folder) / "results", quiet=True)
            seconds = time.perf_counter() - began
        ray.shutdown()
    completed = sum(trial.status == "completed" for trial in result.state.trials.values())
    assert completed == trials, f"{completed} of {trials} trials completed"
    return seconds


def driver_cpu_seconds(searcher: str, trials: int) -> float:
    """Of one search of idle trials, in a new process."""
    command = [sys.executable, "-m", "benchmarks.driver_cpu", str(trials), searcher]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[0])


def main() -> None:
    """Prints both tables."""
    parser = options(__doc__, rounds=1)
    parser.add_argument("--trials", type=int, default=16, help="of the search that is timed; 0 for none")
    parser.add_argument("--epochs", type=int, default=27)
    parser.add_argument(
        "--driver", default=DRIVER, help=f"SEARCHER:TRIALS,...;... (default {DRIVER}); '' for none"
    )
    chosen = parser.parse_args()
    kept: dict[str, object] = {}
    lines: list[str] = []
    if chosen.trials:
        from wrn_search.images.prepared_data import prepare

        prepare(space(chosen.trials, chosen.epochs).dataset)
        ray_starts: list[float] = []
        sides = {
            "bare processes": lambda: bare_seconds(chosen.trials, chosen.epochs),
            "search": lambda: search_seconds(chosen.trials, chosen.epochs, ray_starts),
        }
        seconds = in_turns(sides, chosen.rounds)
        over = ratio(seconds, "search", "bare processes")
        kept["wall"] = {"seconds": seconds, "ray_start_seconds": ray_starts, "ratio": over}
        lines += [f"{chosen.trials} trials of WRN-16-2 on digits x {chosen.epochs} epochs, two at a time"]
        lines += [row(side, values, "s") for side, values in seconds.items()]
        lines += [row("Ray's start, not counted", ray_starts, "s"), f"  search over bare: {over:.2f}"]
    for part in filter(None, chosen.driver.split(";")):
        searcher, _, numbers = part.partition(":")
        counts = [int(number) for number in numbers.split(",")]
        totals = [driver_cpu_seconds(searcher, count) for count in counts]
        exponent = math.log(totals[-1] / totals[0]) / math.log(counts[-1] / counts[0])
        kept[f"driver {searcher}"] = {"trials": counts, "cpu_seconds": totals, "growth_exponent": exponent}
        lines += [f"Driver's CPU with idle trials, searcher {searcher}"]
        for count, total in zip(counts, totals, strict=True):
            lines += [f"  {count:>6,} trials{total:>10.1f} s in all{1000 * total / count:>10.1f} ms a trial"]
        lines += [f"  the total grows with the power {exponent:.2f}"]
    report("search_overhead", lines, kept, chosen.json)


if __name__ == "__main__":
    main()
