"""Item 3: what trainings take of a GPU, beside what is predicted; each in a process of its own, several at once.

    python -m benchmarks.gpu.memory_of_ways [--networks 16-1,28-10] [--at-once 8] [--json FILE]
    python -m benchmarks.gpu.memory_of_ways --again benchmarks/results/nvidia-h200/gpu_memory.json

What torch's allocator reserves at most is measured after the first epoch, as in a trial. Nothing is timed. `--again`
holds today's prediction against what was measured before.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.made_up_data import config_of, device_here, made_up_data, workload_of
from benchmarks.gpu.rates_of_ways import FLOORS, WAYS
from benchmarks.images import CLASSES
from wrn_search.memory.measured_peak import high_water_mark_bytes
from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.memory.workload_of_training import workload_of_training
from wrn_search.training.training_loop import Training

SHAPE = (32, 32, 3)
_NAME = re.compile(r"(\S+) (.+) (\S+) (\d+)")
STEPS = 6  # of an epoch: some as they are, then the captured one
VALIDATION = 1000


def memory_of(folder: Path, network: str, batch_size: int, way: str, precision: str) -> dict[str, Any]:
    """Bytes reserved, allocated and predicted; and what is left of the allocator's when the training is closed."""
    device = device_here()
    data = made_up_data(folder / str(batch_size), STEPS * batch_size, VALIDATION)
    config = config_of(network, batch_size, precision, **WAYS[way])
    training = Training(config, data, device=device)
    losses = [training.run_epoch().train_loss for _ in range(2)]
    reserved = high_water_mark_bytes(training.device)
    on_gpu = device == "cuda"
    allocated = torch.cuda.max_memory_allocated() if on_gpu else 0
    training.close()
    return {
        "reserved": reserved,
        "allocated": allocated,
        "predicted": trial_memory(workload_of(config, data)).allocated_bytes,
        "left": torch.cuda.memory_allocated() if on_gpu else 0,
        "data": workload_of(config, data).data_bytes,
        "evaluated_at_once": training.evaluated_at_once,
        "losses": losses,
    }


def memories(
    folder: Path,
    networks: Sequence[str],
    batch_sizes: Sequence[int],
    ways: Sequence[str],
    precision: str,
    at_once: int,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, what `memory_of` tells) of each network, way and batch size, as they come; `failed` where one did not."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["wrn_search.training.training_loop"])  # torch is imported once
    for size in batch_sizes:
        made_up_data(folder / str(size), STEPS * size, VALIDATION)
    with ProcessPoolExecutor(at_once, mp_context=context, max_tasks_per_child=1) as pool:
        waiting = {
            pool.submit(
                memory_of, folder, network, size, way, precision
            ): f"{network} {way} {precision} {size}"
            for way, network, size in itertools.product(ways, networks, batch_sizes)
        }
        for done in as_completed(waiting):
            try:
                yield waiting[done], done.result()
            except Exception as error:  # one that fails costs no other
                yield waiting[done], {"failed": f"{type(error).__name__}: {error}"}


def predicted_again(measured: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What was measured, with what is predicted now."""
    found = {}
    for name, told in measured.items():
        network, way, precision, batch_size = _NAME.fullmatch(name).groups()  # type: ignore[union-attr]
        workload = workload_of_training(
            config_of(network, int(batch_size), precision, **WAYS[way]),
            CLASSES,
            SHAPE,
            device="cuda",
            train_images=STEPS * int(batch_size),
            validation_images=VALIDATION,
            data_bytes=told["data"],
        )
        found[name] = told | {"predicted": trial_memory(workload).allocated_bytes}
    return found


def line_of(name: str, told: dict[str, Any]) -> str:
    """A line for people."""
    if "failed" in told:
        return f"{name:<38}{told['failed']}"
    ratio = told["predicted"] / told["reserved"]
    line = f"{name:<38}{told['reserved'] / 1e6:>9,.0f} MB reserved, predicted {ratio:.3f} times as much"
    if " eager " not in name or not told["allocated"]:  # what a graph keeps does not count as allocated
        return line
    return f"{line}, {told['reserved'] / told['allocated']:.2f} times its tensors"


def main() -> None:
    """Measures all of them, prints a line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--networks", default=",".join(FLOORS), help="default all eight")
    add("--batch-sizes", default="128,512", help="default 128,512")
    add("--ways", default="eager,captured,compiled and captured", help="of " + ", ".join(WAYS))
    add("--precision", default="bf16", help="default bf16")
    add("--at-once", type=int, default=8, help="processes")
    add("--json", type=Path, help="where the values go")
    add("--again", type=Path, help="a JSON file of before, whose trainings are predicted anew")
    asked = parser.parse_args()
    if asked.again:
        before = predicted_again(json.loads(asked.again.read_text())["memory"])
        print("\n".join(line_of(*each) for each in sorted(before.items())))
        return
    sizes = [int(size) for size in asked.batch_sizes.split(",")]
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        each = memories(
            Path(folder),
            asked.networks.split(","),
            sizes,
            asked.ways.split(","),
            asked.precision,
            asked.at_once,
        )
        for name, told in each:
            found[name] = told
            print(line_of(name, told), flush=True)
            if asked.json:
                asked.json.write_text(json.dumps({"device": device, "memory": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
