"""Data set `digits`: scikit-learn's 1,797 scanned digits of 8x8 pixels, which nobody has to download.

They come in one file without a test split of its own: 300 test images are cut off by a fixed stratified split, and
1,497 are left to train and validate on.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wrn_search.datasets.dataset import (
    Dataset,
    DatasetFacts,
    Images,
    LabelledImages,
    Labels,
    Place,
    Presence,
    Source,
)
from wrn_search.datasets.stratified_split import stratified_split

TEST_IMAGES = 300


def training_images(place: Place) -> Source:
    """All but the test images."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    labels = digits.target.astype(np.int64)
    ours = stratified_split(labels, TEST_IMAGES).train
    names = tuple(str(name) for name in digits.target_names)
    return Source(_scaled(digits.images[ours]), labels[ours], names)


def test_images(place: Place, class_names: tuple[str, ...]) -> LabelledImages:
    """The 300 that no search trains on or chooses by."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    labels: Labels = digits.target.astype(np.int64)
    ours = stratified_split(labels, TEST_IMAGES).validation
    return LabelledImages(_scaled(digits.images[ours]), labels[ours])


def _scaled(scans: npt.NDArray[np.float64]) -> Images:
    """scikit-learn's (n, 8, 8) of 0 to 16 -> (n, 8, 8, 1) of 0 to 255."""
    images: Images = np.rint(scans[..., None] * (255 / 16)).astype(np.uint8)
    return images


def _presence(place: Place) -> Presence:
    return Presence("ships with scikit-learn")


def _check_test_images(place: Place, class_names: tuple[str, ...]) -> None:
    """They ship with scikit-learn."""


DIGITS = Dataset(
    DatasetFacts(10, (8, 8, 1), 1497, validation=300, augmentation="shift"),
    training_images,
    _presence,
    test_images,
    _check_test_images,
)
