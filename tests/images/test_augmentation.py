"""Padding, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from tests.datasets.image_data import random_images
from wrn_search.images.augmentation import AUGMENTATIONS, pad_images, padding_problems


def test_flip_crop_reflects_without_repeating_the_edge() -> None:
    row = np.arange(6, dtype=np.uint8)
    images = np.broadcast_to(row[None, None, :, None], (1, 6, 6, 1))
    padded = pad_images(images, AUGMENTATIONS["flip_crop"])
    assert padded.shape == (1, 14, 14, 1)
    assert padded[0, 0, :, 0].tolist() == [4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 4, 3, 2, 1]


def test_shift_pads_with_black_and_none_with_nothing() -> None:
    images = random_images(2)
    padded = pad_images(images, AUGMENTATIONS["shift"])
    np.testing.assert_array_equal(padded[:, 1:-1, 1:-1], images)
    padded[:, 1:-1, 1:-1] = 0
    assert not padded.any()
    np.testing.assert_array_equal(pad_images(images, AUGMENTATIONS["none"]), images)


@pytest.mark.parametrize(
    ("shape", "augmentation", "message"),
    [
        ((5, 5, 3), "flip_crop", None),
        ((4, 9, 3), "flip_crop", "reflects 4 pixels and needs images of at least 5x5, but got 4x9"),
        ((1, 1, 1), "shift", None),
        ((1, 1, 1), "none", None),
    ],
)
def test_reflection_needs_pixels_to_reflect(
    shape: tuple[int, int, int], augmentation: str, message: str | None
) -> None:
    problems = [str(problem) for problem in padding_problems(shape, augmentation)]
    assert problems == ([f"dataset.augmentation: {augmentation} {message}"] if message else [])
