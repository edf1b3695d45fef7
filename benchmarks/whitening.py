"""What it takes to whiten a data set, and how near the result is to what its regularisation predicts.

`python -m benchmarks.whitening [--root FOLDER] [--images 50000]`: fits global contrast normalisation and ZCA to the
training images and stores all of them, as `prepare` does once a node. CPU seconds are user and system time of all
threads. Whitened images have the covariance C (C + 0.1 I)^-1, C being that of the contrast-normalised ones: the largest
difference of any entry is told. Without --root, a folder of Parquet files, the images are drawn: smooth noise.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wrn_search.datasets.dataset import Images, Place
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.images.augmentation import AUGMENTATIONS, pad_images
from wrn_search.images.cached_arrays import write_array
from wrn_search.images.normalisation_and_zca import GCN_SCALE, ZCA_FILTER_BIAS, zca

_CHUNK = 2000  # images


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", help="folder with train*.parquet (default: images that are drawn)")
    parser.add_argument("--images", type=int, default=50_000)
    options = parser.parse_args()
    images = read(Path(options.root), options.images) if options.root else drawn(options.images)
    before = peak_gigabytes()
    with tempfile.TemporaryDirectory() as folder:
        whitening, fitting = timed(lambda: zca(images))
        _, storing = timed(lambda: stored(Path(folder) / "images.npy", images, whitening.store))
    peak = peak_gigabytes()
    told = {
        "images": len(images),
        "source": options.root or "drawn",
        "cpu_seconds": {"fit": fitting, "store": storing, "both": fitting + storing},
        "peak_gigabytes": peak,
        "peak_gigabytes_before": before,
        "largest_difference_of_covariance": largest_difference(images, whitening.store),
    }
    print(json.dumps(told, indent=2))


def read(root: Path, most: int) -> Images:
    """The first training images of a folder of Parquet files."""
    return DATASETS["parquet"].read_training_images(Place(root)).images[:most]


def drawn(number: int) -> Images:
    """(number, 32, 32, 3): noise, each pixel the mean of four neighbours', so that whitening has something to do."""
    generator = np.random.default_rng(0)
    images = np.empty((number, 32, 32, 3), dtype=np.uint8)
    for start in range(0, number, _CHUNK):
        noise = generator.integers(0, 256, (len(images[start : start + _CHUNK]), 33, 33, 3)).astype(
            np.float32
        )
        rows = noise[:, 1:] + noise[:, :-1]
        images[start : start + _CHUNK] = (rows[:, :, 1:] + rows[:, :, :-1]) / 4
    return images


def stored(path: Path, images: Images, store: Callable[[Images], Any]) -> None:
    """Writes the images as `prepare` does: whitened, padded, chunk by chunk."""
    padded = AUGMENTATIONS["flip_crop"]
    height, width = (side + 2 * padded.padding for side in images.shape[1:3])
    parts = (
        pad_images(store(images[start : start + _CHUNK]), padded) for start in range(0, len(images), _CHUNK)
    )
    write_array(path, (len(images), height, width, images.shape[3]), "float32", parts)


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    """What it returns, and the CPU seconds of this process that it took."""
    before = time.process_time()
    found = act()
    return found, time.process_time() - before


def peak_gigabytes() -> float:
    """The high-water mark of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def largest_difference(images: Images, store: Callable[[Images], Any]) -> float:
    """Of the whitened images' covariance from C (C + 0.1 I)^-1, by a solver and not by eigenvectors."""
    before = covariance(images, lambda chunk: contrast_normalised(chunk))
    after = covariance(images, store)
    predicted = np.linalg.solve(before + ZCA_FILTER_BIAS * np.eye(len(before)), before)
    return float(np.abs(after - predicted).max())


def contrast_normalised(images: Images) -> npt.NDArray[np.float32]:
    """(n, H W C): each image less its mean, of a Euclidean norm of 55."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    flat *= GCN_SCALE / np.where(norms < 1e-6, GCN_SCALE, norms)
    return flat


def covariance(images: Images, of: Callable[[Images], Any]) -> npt.NDArray[np.float64]:
    """(H W C, H W C): population covariance, summed in float64."""
    size = int(np.prod(images.shape[1:]))
    total, products = np.zeros(size), np.zeros((size, size))
    for start in range(0, len(images), _CHUNK):
        values = of(images[start : start + _CHUNK]).reshape(-1, size)
        total += values.sum(axis=0, dtype=np.float64)
        products += values.T @ values
    mean = total / len(images)
    covariance: npt.NDArray[np.float64] = products / len(images) - np.outer(mean, mean)
    return covariance


if __name__ == "__main__":
    main()
