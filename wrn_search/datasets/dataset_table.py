"""The data sets of `dataset.name`, a line each: the space file's names, defaults and rules come from here."""

from __future__ import annotations

from wrn_search.datasets.cifar import CIFAR10_DATASET, CIFAR100_DATASET
from wrn_search.datasets.dataset import Dataset
from wrn_search.datasets.digits import DIGITS
from wrn_search.datasets.image_folder import FOLDER
from wrn_search.datasets.parquet_files import PARQUET
from wrn_search.datasets.svhn import SVHN_DATASET

DATASETS: dict[str, Dataset] = {
    "digits": DIGITS,
    "cifar10": CIFAR10_DATASET,
    "cifar100": CIFAR100_DATASET,
    "svhn": SVHN_DATASET,
    "folder": FOLDER,
    "parquet": PARQUET,
}
