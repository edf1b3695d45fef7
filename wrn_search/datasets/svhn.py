"""Data set `svhn`: 32x32 photographs of house numbers, with torchvision's addresses, checksums and download code.

Each split is a file of its own; `dataset.extra`, the default, adds 531,131 simpler images to those that are trained on.
Images that validate come from the split `train`: an error on the easy ones says little of the test split's. torchvision
takes seconds to import, so only the functions do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wrn_search.datasets.dataset import (
    Dataset,
    DatasetFacts,
    Images,
    LabelledImages,
    Place,
    Presence,
    Source,
)
from wrn_search.errors import InputError

_MEGABYTES = {"train": 182, "extra": 1329, "test": 64}


def training_images(place: Place) -> Source:
    """The training split, with the extra images behind it if they are wanted, downloaded if not there."""
    from torchvision.datasets import SVHN

    from wrn_search.datasets.torchvision_downloads import obtain

    splits = _training_splits(place)
    for split in splits:
        try:
            obtain(_download(split), place.root)
        except InputError as error:
            if split != "extra":
                raise
            told = error.problems[0].text
            hint = "the paper trains on these images too; train without them by dataset.extra: false"
            raise InputError.of("dataset.extra", f"{told}; {hint}") from None
    parts = [SVHN(place.root, split) for split in splits]
    images = np.concatenate([_channels_last(part) for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    return Source(images, labels, tuple("0123456789"), extra_images=len(labels) - len(parts[0].labels))


def test_images(place: Place, class_names: tuple[str, ...]) -> LabelledImages:
    """The test split."""
    from torchvision.datasets import SVHN

    data: Any = SVHN(place.root, "test")
    return LabelledImages(np.ascontiguousarray(_channels_last(data)), np.asarray(data.labels, dtype=np.int64))


def _channels_last(data: Any) -> Images:
    """(N, C, H, W) -> (N, H, W, C)."""
    images: Images = data.data.transpose(0, 2, 3, 1)
    return images


def _presence(place: Place) -> Presence:
    from wrn_search.datasets.torchvision_downloads import presence_of

    return presence_of([_download(split) for split in _training_splits(place)], place.root)


def _check_test_images(place: Place, class_names: tuple[str, ...]) -> None:
    from wrn_search.datasets.torchvision_downloads import obtain

    obtain(_download("test"), place.root)


def _training_splits(place: Place) -> list[str]:
    return ["train", "extra"] if place.extra else ["train"]


def _download(split: str) -> Any:
    from torchvision.datasets import SVHN

    from wrn_search.datasets.torchvision_downloads import Download

    url, filename, md5 = SVHN.split_list[split]
    return Download(url, filename, md5, _MEGABYTES[split], ((filename, md5),), unpack=False)


SVHN_DATASET = Dataset(
    # As in the paper's section 3: divided by 255, no augmentation; its schedule is in `space/sections/recipes.py`.
    DatasetFacts(
        10,
        (32, 32, 3),
        73_257,
        preprocessing="divide255",
        augmentation="none",
        extra_images=531_131,
        extra=True,
    ),
    training_images,
    _presence,
    test_images,
    _check_test_images,
)
