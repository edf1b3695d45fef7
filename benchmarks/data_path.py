"""Images/s of the data path alone: shuffle, crop, flip and normalise 32x32 images, one core.

Ours against PIL transforms in a DataLoader without workers.

    python -m benchmarks.data_path [--rounds 5] [--json FILE]
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from benchmarks.images import write_parquet
from benchmarks.measuring import Variant, options, ratio, report, row, variants_in_turns
from benchmarks.our_training import VALIDATION
from benchmarks.plain_loop import Images
from wrn_search.images.batches import TrainBatches
from wrn_search.images.prepared_data import prepare
from wrn_search.memory.keeping_freed_memory import keep_freed_memory
from wrn_search.space.dataset_section import DatasetSettings

BATCH_SIZE = 128
IMAGES = 10_240


def ours(dataset: DatasetSettings) -> Callable[[], float]:
    """Two epochs of our batches."""
    keep_freed_memory()
    torch.set_num_threads(1)
    batches = TrainBatches(prepare(dataset), batch_size=BATCH_SIZE, augmentation=dataset.augmentation)
    generator = torch.Generator()

    def epochs() -> float:
        began = time.perf_counter()
        for _ in range(2):
            for _ in batches.epoch(generator):
                pass
        return 2 * batches.num_images / (time.perf_counter() - began)

    return epochs


def pil() -> Callable[[], float]:
    """A quarter of an epoch of a DataLoader in its own process."""
    torch.set_num_threads(1)
    loader = DataLoader(Images(IMAGES // 4), batch_size=BATCH_SIZE, shuffle=True, num_workers=0)

    def epoch() -> float:
        began = time.perf_counter()
        images = sum(len(labels) for _, labels in loader)
        return images / (time.perf_counter() - began)

    return epoch


def main() -> None:
    """Prints the table."""
    chosen = options(__doc__, rounds=5).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WRN_SEARCH_DATA"] = str(Path(folder) / "cache")
        root = write_parquet(Path(folder) / "images", IMAGES + VALIDATION)
        dataset = DatasetSettings(name="parquet", root=str(root), validation=VALIDATION)
        prepare(dataset)
        variants = {"ours": Variant(ours, dataset=dataset), "PIL, no workers": Variant(pil)}
        values = variants_in_turns(variants, chosen.rounds)
    lines = ["Data path, batch 128 of 32x32, crop and flip, one core"]
    lines += [row(name, rates, "images/s") for name, rates in values.items()]
    lines += [f"  ours over PIL: {ratio(values, 'ours', 'PIL, no workers'):.1f}"]
    report("data_path", lines, {"images_per_second": values}, chosen.json)


if __name__ == "__main__":
    main()
