"""What a report costs: CPU and wall seconds of `python -m wrn_search report`, and the size of its page.

Searches that never ran, as a search would have left them: `tests/analysis/planted.py`, random, all hyperparameters,
asha; half of the trials get to the end. Figures to reach: 1,000 trials x 30 epochs in 20 s and 15 MB, 10,000 in 30 MB.

    python -m benchmarks.report_size [--rounds 1] [--sizes 1000x30,10000x30] [--json FILE]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import options, report, row
from tests.analysis.planted import Plan, plant

SIZES = "1000x30,10000x30"


def planted(path: Path, trials: int, epochs: int) -> Path:
    """A search of so many trials over depth, width, dropout and weight decay."""
    model = {
        "depth": {"choice": [10, 16, 22, 28, 34, 40]},
        "widen_factor": {"choice": [1, 2, 4, 6, 8, 10]},
        "dropout": {"uniform": [0.0, 0.5]},
    }
    training = {"epochs": epochs, "weight_decay": {"loguniform": [1e-5, 5e-3]}}
    search = {"searcher": "random", "scheduler": "asha", "reduction_factor": 2, "trials": trials}
    ends = {number: ("failed", f"RuntimeError: {number % 7}") for number in range(5, trials, 50)}
    return plant(path, Plan(model=model, training=training, search=search, ends=ends))


def measured(results: Path) -> dict[str, float]:
    """One run of the command in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [sys.executable, "-m", "wrn_search", "report", str(results)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "wall_seconds": wall,
        "megabytes": (results / "report.html").stat().st_size / 1e6,
    }


def main() -> None:
    """Measures and prints."""
    parser = options(__doc__, rounds=1)
    parser.add_argument("--sizes", default=SIZES, help=f"trials x epochs (default {SIZES})")
    chosen = parser.parse_args()
    lines = ["report: the command in a process of its own, page written"]
    values: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in chosen.sizes.split(","):
            trials, epochs = map(int, size.split("x"))
            results = planted(Path(folder) / size, trials, epochs)
            runs = [measured(results) for _ in range(chosen.rounds)]
            values[size] = {name: [run[name] for run in runs] for name in runs[0]}
            units = {"cpu_seconds": "CPU s", "wall_seconds": "s", "megabytes": "MB"}
            lines += [row(f"{size} {name}", values[size][name], unit) for name, unit in units.items()]
    report("report_size", lines, {"sizes": values}, chosen.json)


if __name__ == "__main__":
    main()
