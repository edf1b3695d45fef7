"""The data sets, as tables: how the training split is read, how it is looked for, which files are the user's.

A new data set is a function `DatasetSettings -> Source`, one that looks, a line in `DATASETS` and `PRESENCE`,
and its facts in `space/datasets.py`. None of these functions opens a file of a test split.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wrn_search.space.datasets import DATASET_FACTS, DatasetSettings
from wrn_search.training.image_folder import folder_files, folder_presence, read_folder
from wrn_search.training.parquet_files import parquet_files, parquet_presence, read_parquet
from wrn_search.training.source import Images, Presence, Source
from wrn_search.training.split import stratified_split

DIGITS_TEST_IMAGES = 300


def _read_digits(dataset: DatasetSettings) -> Source:
    """scikit-learn's 1,797 scanned digits less 300 test images, cut off by a fixed stratified split.

    They come in one file without a test split of its own; 1,497 are left to train and validate on.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    labels = digits.target.astype(np.int64)
    ours = stratified_split(labels, DIGITS_TEST_IMAGES).train
    return Source(
        digits_as_images(digits.images[ours]), labels[ours], tuple(str(name) for name in digits.target_names)
    )


def digits_as_images(scans: npt.NDArray[np.float64]) -> Images:
    """scikit-learn's (n, 8, 8) of 0 to 16 -> (n, 8, 8, 1) of 0 to 255."""
    images: Images = np.rint(scans[..., None] * (255 / 16)).astype(np.uint8)
    return images


def _digits_presence(dataset: DatasetSettings) -> Presence:
    return Presence("ships with scikit-learn")


def _read_torchvision(dataset: DatasetSettings) -> Source:
    from wrn_search.training.torchvision_sources import read_torchvision  # imports torch: seconds

    return read_torchvision(dataset)


def _torchvision_presence(dataset: DatasetSettings) -> Presence:
    from wrn_search.training.torchvision_sources import torchvision_presence

    return torchvision_presence(dataset)


DATASETS: dict[str, Callable[[DatasetSettings], Source]] = {
    "digits": _read_digits,
    "cifar10": _read_torchvision,
    "cifar100": _read_torchvision,
    "svhn": _read_torchvision,
    "folder": read_folder,
    "parquet": read_parquet,
}
PRESENCE: dict[str, Callable[[DatasetSettings], Presence]] = {
    "digits": _digits_presence,
    "cifar10": _torchvision_presence,
    "cifar100": _torchvision_presence,
    "svhn": _torchvision_presence,
    "folder": folder_presence,
    "parquet": parquet_presence,
}
# The files behind data sets that a user may change; the others are fixed by their checksums.
USER_FILES: dict[str, Callable[[DatasetSettings], list[Path]]] = {
    "folder": folder_files,
    "parquet": parquet_files,
}
assert set(DATASETS) == set(PRESENCE) == set(DATASET_FACTS)
