"""What packing trials on one GPU would give for the networks of the paper's table 4: arithmetic, nothing is measured.

The shares are those that a search would give (predicted memory and work, `decisions/gpu_packing.py`), the order too;
beside them those of memory alone, as they were before. Times are a model:

- a step is that of `memory/work_on_gpu.py`, which says what it assumes;
- trials that share the GPU slow each other down only when their kernels together need more than all of its time.
  Without NVIDIA's multi-process service kernels of two processes take turns, so KERNEL_SECONDS counts; with it they
  overlap.

python -m benchmarks.packing_plan [--gpu-gb 141] [--tflops 790] [--tb-per-second 4.3] [--cores 16] [--seeds 3]
    [--epochs 30] [--networks 40-1,28-10] [--json FILE]
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import report
from wrn_search.decisions.gpu_packing import Asked, Places
from wrn_search.decisions.trial_queue import WaitingTrials
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.hardware.machine import Node
from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.memory.work_on_gpu import Rates, gain, step_of
from wrn_search.networks.architecture import Architecture

TABLE_4 = "40-1,40-2,40-4,40-8,28-10,28-12,22-8,22-10,16-8,16-10"
IMAGES, BATCH_SIZE = 45_000, 128
STORED_BYTES = IMAGES * (40 * 40 * 3 + 8) + 5_000 * (32 * 32 * 3 + 8)


@dataclass(frozen=True)
class Device:
    """A GPU and the cores beside it."""

    gpu_bytes: int
    rates: Rates  # in bf16
    cores: int


def search_seconds(
    trials: list[tuple[Workload, float]], device: Device, mps: bool, packed: bool, by_work: bool = True
) -> float:
    """Wall seconds of trials (each with its steps) on the device, packed by what they need or one at a time."""
    allotment = Allotment(device.cores, 1, 1 / 8, by_memory=packed, cpus_follow_share=packed)
    places = Places([Node(device.cores, 1, device.gpu_bytes)], allotment, by_work=by_work)
    steps = [step_of(workload, device.rates) for workload, _ in trials]
    waiting = WaitingTrials(longest_first=True)
    for number, (_, count) in enumerate(trials):
        waiting.append(number, count * steps[number].alone())
    left: dict[int, float] = {}  # steps of the trials that train
    now = 0.0
    while waiting or left:
        for number in waiting.in_order():
            if (packed or not left) and places.take(number, Asked(trials[number][0])) is not None:
                waiting.remove(number)
                left[number] = trials[number][1]
        load = sum(steps[number].busy(mps and packed) / steps[number].alone() for number in left)
        pace = {number: 1 / (steps[number].alone() * max(1.0, load)) for number in left}  # steps a second
        passed = min(count / pace[number] for number, count in left.items())
        now += passed
        for number in list(left):
            left[number] -= passed * pace[number]
            if left[number] <= 1e-6:
                del left[number]
                places.leave(number)
    return now


def row_of(workload: Workload, device: Device) -> dict[str, Any]:
    """One network: its memory, its share, and what as many of it as fit would train at once."""
    grant = Places([Node(device.cores, 1, device.gpu_bytes)], Allotment(99, 1, 1 / 8, by_memory=True)).take(
        0, Asked(workload)
    )
    assert grant is not None
    step, many = step_of(workload, device.rates), int(min(1 / grant.gpu_fraction, device.cores))
    gains = {mps: gain(step.busy(mps) / step.alone(), many) for mps in (False, True)}
    return {
        "memory_bytes": trial_memory(workload).total_bytes,
        "share": grant.gpu_fraction,
        "milliseconds_a_step_alone": 1000 * step.alone(),
        "busy_alone": step.busy(False) / step.alone(),
        "gain_taking_turns": gains[False],
        "gain_with_mps": gains[True],
    }


def main() -> None:
    """Prints the table and the search."""
    chosen = _options()
    rates = Rates(chosen.tflops * 1e12, chosen.tb_per_second * 1e12)
    device = Device(int(chosen.gpu_gb * 1e9), rates, chosen.cores)
    workloads = {}
    for network in chosen.networks.split(","):
        depth, _, width = network.partition("-")
        workloads[f"WRN-{network}"] = Workload(
            Architecture.of(int(depth), float(width)),
            batch_size=BATCH_SIZE,
            precision="bf16",
            train_images=IMAGES,
            data_bytes=STORED_BYTES,
        )
    rows = {name: row_of(workload, device) for name, workload in workloads.items()}
    count = chosen.epochs * (IMAGES // BATCH_SIZE)
    trials = [(workload, float(count)) for workload in workloads.values() for _ in range(chosen.seeds)]
    seconds = {
        "one after the other": search_seconds(trials, device, mps=False, packed=False),
        "packed, taking turns": search_seconds(trials, device, mps=False, packed=True),
        "  by memory alone": search_seconds(trials, device, mps=False, packed=True, by_work=False),
        "packed, with MPS": search_seconds(trials, device, mps=True, packed=True),
        "  by memory alone, too": search_seconds(trials, device, mps=True, packed=True, by_work=False),
    }
    lines = [
        f"Modelled, not measured: a GPU of {chosen.gpu_gb:g} GB, {chosen.tflops:g} TFLOP/s, "
        f"{chosen.tb_per_second:g} TB/s, {chosen.cores} cores; bf16, batch size {BATCH_SIZE}",
        f"{'network':<12}{'GB':>6}{'share':>7}{'ms a step':>11}{'busy alone':>12}{'gain':>7}{'with MPS':>10}",
    ]
    for name, row in rows.items():
        lines.append(
            f"{name:<12}{row['memory_bytes'] / 1e9:>6.1f}{row['share']:>7g}{row['milliseconds_a_step_alone']:>11.1f}"
            f"{row['busy_alone']:>12.0%}{row['gain_taking_turns']:>7.1f}{row['gain_with_mps']:>10.1f}"
        )
    lines.append(f"{len(trials)} trials of {chosen.epochs} epochs over {IMAGES:,} images:")
    alone = seconds["one after the other"]
    lines += [
        f"  {name:<22}{value / 60:>8.1f} min{alone / value:>7.2f} times" for name, value in seconds.items()
    ]
    kept = {"device": asdict(device), "networks": rows, "search_seconds": seconds}
    report("packing_plan", lines, kept, chosen.json)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gpu-gb", type=float, default=141.0)
    parser.add_argument("--tflops", type=float, default=790.0)
    parser.add_argument("--tb-per-second", type=float, default=4.3)
    parser.add_argument("--cores", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--networks", default=TABLE_4, help=f"depth-width each (default {TABLE_4})")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
