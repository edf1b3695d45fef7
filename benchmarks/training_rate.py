"""Images/s of the whole training path against the plain loop that everybody copies, and its share of the ceiling.

Same network, batch 128, 32x32 images; ours in fp32 and bf16 with the data path, ours on one batch over and over (so
what the data path costs), and the convolution ceiling, all in turns.

    python -m benchmarks.training_rate [--rounds 5] [--networks 10-1,16-2,16-4,28-2] [--json FILE]
"""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.ceiling import PRECISIONS, ceiling, ceiling_variants
from benchmarks.images import CLASSES, write_parquet
from benchmarks.measuring import Variant, options, ratio, report, row, variants_in_turns
from benchmarks.our_training import VALIDATION, step_alone, whole_path
from benchmarks.plain_loop import plain_training
from wrn_search.hardware.detected_cores_and_gpus import usable_cores
from wrn_search.images.prepared_data import prepare
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import macs
from wrn_search.space.dataset_section import DatasetSettings

BATCH_SIZE = 128
STEPS = {"10-1": 48, "16-2": 12, "16-4": 5, "28-2": 8}  # of a round: seconds, whatever the network
CEILING_WIDTHS = (32, 64, 160)


def measure(network: str, root: Path, rounds: int, threads: int) -> dict[str, list[float]]:
    """Images/s of each way and GFLOP/s of convolutions, round by round."""
    depth, widen_factor = (int(number) for number in network.split("-"))
    steps = STEPS.get(network, 8)
    dataset = DatasetSettings(
        name="parquet", root=str(root), validation=VALIDATION, train_images=steps * BATCH_SIZE
    )
    prepare(dataset)
    shape: dict[str, Any] = {
        "depth": depth,
        "widen_factor": widen_factor,
        "batch_size": BATCH_SIZE,
        "threads": threads,
    }
    ours = partial(Variant, dataset=dataset, **shape)
    variants = {"plain": Variant(plain_training, steps=steps, **shape)}
    for precision in PRECISIONS:
        variants[f"ours {precision}"] = ours(whole_path, precision=precision)
        variants[f"step alone {precision}"] = ours(step_alone, precision=precision)
    variants |= ceiling_variants(threads, CEILING_WIDTHS)
    return variants_in_turns(variants, rounds)


def summary(network: str, values: dict[str, list[float]]) -> dict[str, float]:
    """Ratios over the plain loop and over the step alone, and shares of the ceiling."""
    depth, widen_factor = (int(number) for number in network.split("-"))
    flops = 6 * macs(
        Architecture.of(depth, widen_factor, "B(3,3)"), CLASSES, 3, (32, 32)
    )  # forward and backward
    found = {}
    for precision in PRECISIONS:
        rates = sorted(values[f"ours {precision}"])
        found[f"{precision} over plain"] = ratio(values, f"ours {precision}", "plain")
        found[f"{precision} over step alone"] = ratio(values, f"ours {precision}", f"step alone {precision}")
        found[f"{precision} share of ceiling"] = (
            rates[len(rates) // 2] * flops / 1e9 / ceiling(values, precision)
        )
    return found


def main() -> None:
    """Prints a table for each network."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--networks", default=",".join(STEPS), help="DEPTH-WIDTH, separated by commas")
    chosen = parser.parse_args()
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the plain loop and the ceiling are a CPU's, so all must be
    threads = usable_cores()
    lines: list[str] = []
    kept: dict[str, Any] = {"threads": threads, "batch_size": BATCH_SIZE, "networks": {}}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WRN_SEARCH_DATA"] = str(Path(folder) / "cache")
        root = write_parquet(Path(folder) / "images", (max(STEPS.values()) + 2) * BATCH_SIZE + VALIDATION)
        for network in chosen.networks.split(","):
            values = measure(network, root, chosen.rounds, threads)
            found = summary(network, values)
            kept["networks"][network] = {"values": values, "summary": found}
            lines += [f"WRN-{network}, batch {BATCH_SIZE}, 32x32, {threads} threads"]
            lines += [
                row(name, rates, "GFLOP/s" if "channels" in name else "images/s")
                for name, rates in values.items()
            ]
            lines += [f"  {name:<34}{value:>12.2f}" for name, value in found.items()]
    report("training_rate", lines, kept, chosen.json)


if __name__ == "__main__":
    main()
