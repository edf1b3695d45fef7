"""The data sets of torchvision that are read here, each with its facts, layout and defaults.

Digits, letters and traffic signs are never mirrored. Where images have many sizes, all are made one (`image_size`).
`docs/data-sets.md` has sources, licences and citations.
"""

from __future__ import annotations

from string import ascii_uppercase, digits

from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.datasets.torchvision_sets.array_layouts import IdxLayout, Stl10Layout
from wrn_search.datasets.torchvision_sets.class_names import CLOTHES, FLOWERS, SIGNS
from wrn_search.datasets.torchvision_sets.file_layouts import (
    EurosatLayout,
    Flowers102Layout,
    Food101Layout,
    GtsrbLayout,
)
from wrn_search.datasets.torchvision_sets.torchvision_set import TorchvisionSet

_T10K = {"train": "train", "test": "t10k"}
_BALANCED = {"train": "emnist-balanced-train", "test": "emnist-balanced-test"}
_LETTERS = (*digits, *ascii_uppercase, *"abdefghnqrt")  # lower case where its shape is another one

STL10 = TorchvisionSet(
    "STL10",
    DatasetFacts(10, (96, 96, 3), 5000, validation=500),
    Stl10Layout(),
    "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
    2640,
).dataset()
MNIST = TorchvisionSet(
    "MNIST",
    DatasetFacts(10, (28, 28, 1), 60_000, augmentation="crop"),
    IdxLayout("MNIST", _T10K, tuple(digits)),
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    12,
).dataset()
FASHION_MNIST = TorchvisionSet(
    "FashionMNIST",
    DatasetFacts(10, (28, 28, 1), 60_000),
    IdxLayout("FashionMNIST", _T10K, CLOTHES),
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    31,
).dataset()
EMNIST = (
    TorchvisionSet(  # its split `balanced`: 47 classes of equal size, letters that look alike in one class
        "EMNIST",
        DatasetFacts(47, (28, 28, 1), 112_800, validation=9400, augmentation="crop"),
        IdxLayout("EMNIST", _BALANCED, _LETTERS, transposed=True),
        "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
        562,
        {"split": "balanced"},
    ).dataset()
)
GTSRB = TorchvisionSet(  # frames of one track are nearly equal: they stay on one side of the split
    "GTSRB",
    DatasetFacts(
        43,
        (32, 32, 3),
        26_640,
        validation=2640,
        augmentation="crop",
        image_size=32,
        group_by="([0-9]+/[0-9]+)_",
    ),
    GtsrbLayout(SIGNS),
    "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/",
    187,
    by_split=True,
).dataset()
EUROSAT = TorchvisionSet(
    "EuroSAT",
    DatasetFacts(10, (64, 64, 3), 21_600, validation=2700),
    EurosatLayout(),
    "https://huggingface.co/datasets/torchgeo/eurosat",
    94,
).dataset()
FLOWERS102 = TorchvisionSet(
    "Flowers102",
    DatasetFacts(102, (64, 64, 3), 1020, validation=204, validation_images=1020, image_size=64),
    Flowers102Layout(FLOWERS),
    "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
    345,
    by_split=True,
).dataset()
FOOD101 = TorchvisionSet(
    "Food101",
    DatasetFacts(101, (64, 64, 3), 75_750, validation=5050, image_size=64),
    Food101Layout(),
    "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
    4996,
    by_split=True,
).dataset()
