"""The data sets of `dataset.name`, a line each: the space file's names, defaults and rules come from here."""

from __future__ import annotations

from wrn_search.datasets.cifar import CIFAR10_DATASET, CIFAR100_DATASET
from wrn_search.datasets.dataset import Dataset
from wrn_search.datasets.digits import DIGITS
from wrn_search.datasets.image_folder import FOLDER
from wrn_search.datasets.imagenet.imagenet_folder import IMAGENET
from wrn_search.datasets.parquet_files import HUGGINGFACE, PARQUET
from wrn_search.datasets.svhn import SVHN_DATASET
from wrn_search.datasets.torchvision_sets.torchvision_table import (
    EMNIST,
    EUROSAT,
    FASHION_MNIST,
    FLOWERS102,
    FOOD101,
    GTSRB,
    MNIST,
    STL10,
)
from wrn_search.plugins import plugged

DATASETS: dict[str, Dataset] = {
    "digits": DIGITS,
    "cifar10": CIFAR10_DATASET,
    "cifar100": CIFAR100_DATASET,
    "svhn": SVHN_DATASET,
    "folder": FOLDER,
    "parquet": PARQUET,
    "huggingface": HUGGINGFACE,
    "imagenet": IMAGENET,
    "stl10": STL10,
    "mnist": MNIST,
    "fashion_mnist": FASHION_MNIST,
    "emnist": EMNIST,
    "gtsrb": GTSRB,
    "eurosat": EUROSAT,
    "flowers102": FLOWERS102,
    "food101": FOOD101,
}
DATASETS |= plugged("datasets", Dataset, DATASETS)
