"""Two trials with one thread each against one trial with two threads: throughput of two cores.

Digits in batches of 64, as `digits_quickstart.yaml` trains them; 32x32 images in batches of 128.

python -m benchmarks.packing [--rounds 7] [--json FILE]
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.images import write_parquet
from benchmarks.measuring import Variant, in_turns, options, report, row
from benchmarks.our_training import VALIDATION, wall_path
from wrn_search.images.prepared_data import prepare
from wrn_search.space.dataset_section import DatasetSettings

STEPS = 12  # of a round at 32x32
IMAGES = {8: 10_000, 32: STEPS * 128}  # of a round and trial
BATCH_SIZES = {8: 64, 32: 128}
CASES = ((8, 10, 1), (8, 16, 2), (32, 10, 1), (32, 16, 2))  # image side, depth, widening factor


def measure(
    dataset: DatasetSettings, side: int, depth: int, widen_factor: int, rounds: int
) -> dict[str, list[float]]:
    """Images/s of two cores, both ways in turns."""
    shape: dict[str, Any] = {
        "dataset": dataset,
        "depth": depth,
        "widen_factor": widen_factor,
        "precision": "fp32",
        "batch_size": BATCH_SIZES[side],
        "images": IMAGES[side],
    }
    with ExitStack() as stack:
        alone = stack.enter_context(Variant(wall_path, threads=2, **shape))
        pair = [stack.enter_context(Variant(wall_path, threads=1, **shape)) for _ in range(2)]

        def rate(variants: list[Variant]) -> float:
            """Images/s from the common start to the last end."""
            began = time.perf_counter()
            for variant in variants:
                variant.start()
            return sum(variant.wait() for variant in variants) / (time.perf_counter() - began)

        ways = {"1 trial x 2 threads": lambda: rate([alone]), "2 trials x 1 thread": lambda: rate(pair)}
        return in_turns(ways, rounds)


def main() -> None:
    """Prints a table for each case."""
    chosen = options(__doc__, rounds=7).parse_args()
    lines: list[str] = []
    kept: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WRN_SEARCH_DATA"] = str(Path(folder) / "cache")
        root = write_parquet(Path(folder) / "images", STEPS * 128 + VALIDATION)
        coloured = DatasetSettings(name="parquet", root=str(root), validation=VALIDATION)
        for side, depth, widen_factor in CASES:
            dataset = DatasetSettings(name="digits") if side == 8 else coloured
            prepare(dataset)
            values = measure(dataset, side, depth, widen_factor, chosen.rounds)
            one, two = values.values()
            gain = statistics.median(pair / alone for alone, pair in zip(one, two, strict=True))
            name = f"WRN-{depth}-{widen_factor} at {side}x{side}"
            kept[name] = {"images_per_second": values, "ratio": gain}
            lines += [f"{name}, batch {BATCH_SIZES[side]}, fp32"]
            lines += [row(way, rates, "images/s") for way, rates in values.items()]
            lines += [f"  two trials over one: {gain:.2f}"]
    report("packing", lines, kept, chosen.json)


if __name__ == "__main__":
    main()
