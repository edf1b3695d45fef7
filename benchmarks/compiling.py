"""What torch.compile gains on this machine, and what it costs to begin: compiled against plain, in turns.

python -m benchmarks.compiling [--rounds 5] [--json FILE]
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.images import write_parquet
from benchmarks.measuring import Variant, options, ratio, report, row, variants_in_turns
from benchmarks.our_training import VALIDATION, whole_path
from wrn_search.hardware.detected_cores_and_gpus import usable_cores
from wrn_search.images.prepared_data import prepare
from wrn_search.space.dataset_section import DatasetSettings

# image side, depth, widening factor, precision, steps of a round
CASES = (
    (8, 10, 1, "fp32", 0),
    (8, 16, 2, "fp32", 0),
    (32, 10, 1, "fp32", 24),
    (32, 16, 2, "fp32", 8),
    (32, 10, 1, "bf16", 24),
    (32, 16, 2, "bf16", 12),
    (32, 28, 2, "bf16", 8),
    (32, 16, 4, "bf16", 5),
)


def seconds_to_begin(cache: str, shape: dict[str, Any]) -> tuple[float, Variant]:
    """Until a compiled variant has done its first round, with the compile cache in that folder."""
    began = time.perf_counter()
    variant = Variant(whole_path, environment={"TORCHINDUCTOR_CACHE_DIR": cache}, compile="on", **shape)
    return time.perf_counter() - began, variant


def main() -> None:
    """Prints a table for each case."""
    chosen = options(__doc__, rounds=5).parse_args()
    lines: list[str] = []
    kept: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WRN_SEARCH_DATA"] = str(Path(folder) / "cache")
        root = write_parquet(Path(folder) / "images", 24 * 128 + VALIDATION)
        for number, (side, depth, widen_factor, precision, steps) in enumerate(CASES):
            coloured = DatasetSettings(
                name="parquet", root=str(root), validation=VALIDATION, train_images=steps * 128 or None
            )
            dataset = DatasetSettings(name="digits") if side == 8 else coloured
            prepare(dataset)
            shape: dict[str, Any] = {
                "dataset": dataset,
                "depth": depth,
                "widen_factor": widen_factor,
                "precision": precision,
                "batch_size": 128,
                "threads": usable_cores(),
            }
            cache = str(Path(folder) / f"compiled-{number}")
            began = time.perf_counter()
            plain = Variant(whole_path, **shape)
            start = time.perf_counter() - began
            cold, first = seconds_to_begin(cache, shape)
            with first:
                pass
            warm, compiled = seconds_to_begin(cache, shape)
            values = variants_in_turns({"plain": plain, "compiled": compiled}, chosen.rounds)
            gain = ratio(values, "compiled", "plain")
            name = f"WRN-{depth}-{widen_factor} at {side}x{side}, {precision}"
            kept[name] = {"images_per_second": values, "gain": gain, "start": [start, cold, warm]}
            lines += [name, *(row(way, rates, "images/s") for way, rates in values.items())]
            lines += [
                f"  compiled over plain: {gain:.2f}; to the first round {start:.0f} s plain, "
                f"{cold:.0f} s compiled with an empty cache, {warm:.0f} s with a full one"
            ]
            print(lines[-1], flush=True)
    report("compiling", lines, kept, chosen.json)


if __name__ == "__main__":
    main()
