"""What the last layer in fp32 costs an epoch in bf16: WRN-16-2, 32x32 images, batches of 128, one thread.

CPU seconds. Both trainings in one process, an epoch of each in turns, so that a busy minute hits both alike.

    python -m benchmarks.linear_precision [--rounds 7] [--json FILE]
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.images import write_parquet
from benchmarks.measuring import in_turns, options, ratio, report, row
from benchmarks.our_training import VALIDATION, config_of, training_of
from wrn_search.images.prepared_data import prepare
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.training.training_loop import Training

STEPS, BATCH_SIZE = 8, 128


def epoch_seconds(training: Training) -> float:
    """CPU seconds of the next epoch, without its validation."""
    began = time.process_time()
    training._train(2)
    return time.process_time() - began


def main() -> None:
    """Prints both, and the ratio round by round."""
    chosen = options(__doc__, rounds=7).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WRN_SEARCH_DATA"] = str(Path(folder) / "cache")
        root = write_parquet(Path(folder) / "images", STEPS * BATCH_SIZE + VALIDATION)
        dataset = DatasetSettings(name="parquet", root=str(root), validation=VALIDATION)
        prepare(dataset)
        sides = {}
        for linear in ("same", "fp32"):
            config = replace(config_of(dataset, 16, 2, "bf16", BATCH_SIZE), linear_precision=linear)
            training = training_of(config, threads=1)
            training.run_epoch()  # warm
            sides[f"last layer: {linear}"] = partial(epoch_seconds, training)
        seconds = in_turns(sides, chosen.rounds)
    first, second = seconds
    over = ratio(seconds, second, first)
    lines = [f"WRN-16-2 in bf16, {STEPS} steps of {BATCH_SIZE} images, one thread"]
    lines += [row(side, values, "CPU-s") for side, values in seconds.items()]
    lines += [f"  in fp32 over in bf16: {over:.3f}"]
    report("linear_precision", lines, {"cpu_seconds": seconds, "ratio": over}, chosen.json)


if __name__ == "__main__":
    main()
