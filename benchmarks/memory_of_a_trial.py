"""Predicted against measured memory of a process that trains on a CPU, made of its own pages (shared ones left out).

Each training of two steps and an evaluation has a fresh process. What is its own is the most resident bytes (VmHWM)
less what is mapped from files when it ends: libraries and images, whose pages all trials share. Nothing is timed.

python -m benchmarks.memory_of_a_trial [--networks 16-4,28-4] [--batch-size 128] [--dropout 0] [--precisions fp32,bf16]
    [--threads 1] [--json FILE]
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measuring import report
from benchmarks.memory_prediction import config_of, made_up_dataset, workload_of

NETWORKS = "10-0.5,16-2,16-4,28-4"


def own_bytes(leaves: dict[str, Any], batch_size: int, threads: int, folder: str, answer: Any) -> None:
    """In a fresh process: (measured, predicted) bytes into the queue `answer`."""
    import ray.tune  # noqa: F401 - a trial's process holds it

    from wrn_search.images.prepared_data import prepare
    from wrn_search.memory.keeping_freed_memory import keep_freed_memory
    from wrn_search.memory.trial_on_cpu import trial_bytes_on_cpu
    from wrn_search.training.training_loop import Training

    os.environ["WRN_SEARCH_DATA"] = str(Path(folder) / "cache")
    keep_freed_memory()
    config = config_of(made_up_dataset(Path(folder) / "images", batch_size), batch_size=batch_size, **leaves)
    data = prepare(config.dataset)
    training = Training(config, data, threads=threads)
    training.run_epoch()
    status = Path("/proc/self/status").read_text()
    kept = {name: int(size) * 1024 for name, size in re.findall(r"^(\w+):\s+(\d+) kB$", status, re.MULTILINE)}
    answer.put((kept["VmHWM"] - kept["RssFile"], trial_bytes_on_cpu(workload_of(config, data))))


def measured(leaves: dict[str, Any], batch_size: int, threads: int) -> tuple[int, int]:
    """(measured, predicted) bytes of one training."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=own_bytes, args=(leaves, batch_size, threads, folder, answer))
        process.start()
        process.join()
    if process.exitcode:
        raise SystemExit(f"the training ended with status {process.exitcode}")
    found: tuple[int, int] = answer.get()
    return found


def main() -> None:
    """Prints the table."""
    chosen = _options()
    lines = [
        f"Memory of a process in MB, batch size {chosen.batch_size}, 32x32 images, dropout {chosen.dropout:g}",
        f"{'network':<12}{'precision':<11}{'measured':>9}{'predicted':>11}{'ratio':>8}",
    ]
    kept: dict[str, Any] = {}
    for network, precision in itertools.product(chosen.networks.split(","), chosen.precisions.split(",")):
        depth, _, width = network.partition("-")
        leaves = {"depth": int(depth), "widen_factor": float(width), "dropout": chosen.dropout}
        took, predicted = measured({**leaves, "precision": precision}, chosen.batch_size, chosen.threads)
        kept[f"WRN-{network} {precision}"] = {"measured_bytes": took, "predicted_bytes": predicted}
        lines.append(
            f"{'WRN-' + network:<12}{precision:<11}{took / 1e6:>9,.1f}{predicted / 1e6:>11,.1f}{predicted / took:>8.3f}"
        )
    report("memory_of_a_trial", lines, {"networks": kept}, chosen.json)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", default=NETWORKS, help=f"depth-width each (default {NETWORKS})")
    parser.add_argument("--precisions", default="fp32,bf16")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
