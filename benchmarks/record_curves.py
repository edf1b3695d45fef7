"""Records the table of learning curves that `benchmarks/tables/wrn_cifar10_16px` holds: whole trainings of small WRNs.

CIFAR-10's training images reduced to 16x16 by the mean of each 2x2 square; 4,000 of them train, 5,000 validate. Depth,
widening factor, dropout, weight decay and learning rate are drawn at random, every network is trained to its end: 160
configurations with one seed and 32 with three. Two searches with `scheduler: none`; called again, they go on where they
were stopped.

    python -m benchmarks.record_curves --root DIR [--work results/record_curves] [--set KEY=VALUE]...

`--root` holds CIFAR-10 as Parquet files (`train*.parquet`, Hugging Face's layout) or as torchvision unpacks it. Two
hours and a half of two quiet cores with fast bf16; the images and the searches stay in `--work`.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

import wrn_search
from benchmarks.curve_table import TABLES, write_table
from wrn_search.datasets.dataset import Place
from wrn_search.datasets.dataset_table import DATASETS

NAME = "wrn_cifar10_16px"
SEARCHES = {
    "singles": {"trials": 160, "repeats": 1, "seed": 0},
    "repeated": {"trials": 32, "repeats": 3, "seed": 1},
}


def reduced(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(N, H, W, C) to (N, H / 2, W / 2, C): the mean of each 2x2 square, rounded."""
    n, height, width, channels = images.shape
    squares = images.reshape(n, height // 2, 2, width // 2, 2, channels)
    return np.rint(squares.mean(axis=(2, 4), dtype=np.float32)).astype(np.uint8)


def write_images(root: Path, folder: Path) -> None:
    """The reduced training images of CIFAR-10 below `root` as a data set `parquet` in `folder`, unless it is there."""
    file = folder / "train.parquet"
    if file.exists():
        return
    dataset = DATASETS["parquet" if list(root.glob("**/train*.parquet")) else "cifar10"]
    source = dataset.read_training_images(Place(root))
    rows = {
        "img": [{"bytes": _png(image)} for image in reduced(source.images)],
        "label": source.labels.tolist(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(rows), file)


def _png(image: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def space(images: Path, name: str) -> dict[str, Any]:
    """The space of one of the two searches."""
    return {
        "name": f"{NAME}_{name}",
        "dataset": {"name": "parquet", "root": str(images), "train_images": 4000, "validation": 5000},
        "model": {
            "depth": {"choice": [10, 16, 22]},
            "widen_factor": {"choice": [1, 2, 3]},
            "dropout": {"uniform": [0.0, 0.5]},
        },
        "training": {
            "epochs": 15,
            "batch_size": 128,
            "learning_rate": {"loguniform": [0.02, 0.5]},
            "weight_decay": {"loguniform": [1.0e-5, 1.0e-2]},
            "precision": "bf16",
        },
        "search": {"searcher": "random", "scheduler": "none", **SEARCHES[name]},
        "resources": {"concurrent": 2, "cpus_per_trial": 1, "gpus_per_trial": 0},
    }


def main() -> None:
    """Trains what is still to be trained, then writes the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, help="CIFAR-10")
    parser.add_argument("--work", type=Path, default=Path("results/record_curves"))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for shorter trials")
    parser.add_argument("--output", type=Path, default=TABLES / NAME, help="folder of the table")
    chosen = parser.parse_args()
    write_images(chosen.root, chosen.work / "images")
    results = {name: chosen.work / name for name in SEARCHES}
    for name, directory in results.items():
        result = wrn_search.run(
            space(chosen.work / "images", name),
            overrides=chosen.set,
            results=directory,
            resume=directory.exists(),
        )
        if result.exit_status:
            sys.exit(result.exit_status)  # the same command goes on
    print(write_table(list(results.values()), chosen.output))


if __name__ == "__main__":
    main()
