"""Padding, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from tests.datasets.image_data import random_images
from wrn_search.images.augmentation import AUGMENTATIONS, augmentation_problems, pad_images, stored_with
from wrn_search.space.dataset_section import DatasetSettings


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
    ("shape", "augmentation", "padding", "message"),
    [
        ((5, 5, 3), "flip_crop", 4, None),
        ((4, 9, 3), "flip_crop", 4, "reflects 4 pixels and needs images of at least 5x5, but got 4x9"),
        ((4, 9, 3), "flip_crop", "auto", None),
        ((1, 1, 1), "crop", "auto", "reflects 1 pixels and needs images of at least 2x2, but got 1x1"),
        ((1, 1, 1), "shift", 4, None),
        ((1, 1, 1), "none", 4, None),
        ((9, 9, 1), "trivial", "auto", None),
        ((9, 9, 4), "randaugment", "auto", "needs images of 1 or 3 channels, but got 4"),
        ((4, 9, 3), "color_jitter", 4, "reflects 4 pixels and needs images of at least 5x5, but got 4x9"),
    ],
)
def test_images_must_have_the_pixels_and_channels_that_are_changed(
    shape: tuple[int, int, int], augmentation: str, padding: int | str, message: str | None
) -> None:
    dataset = DatasetSettings(name="folder", augmentation=augmentation, crop_padding=padding)
    problems = [str(problem) for problem in augmentation_problems(shape, dataset)]
    assert problems == ([f"dataset.augmentation: {augmentation} {message}"] if message else [])


@pytest.mark.parametrize(
    ("shape", "pixels"),
    [
        ((32, 32, 3), 4),
        ((28, 28, 1), 4),
        ((8, 8, 1), 1),
        ((2, 2, 3), 1),
        ((64, 64, 3), 8),
        ((96, 200, 3), 12),
    ],
)
@pytest.mark.parametrize("augmentation", ["flip_crop", "flip_crop_batch", "crop"])
def test_a_crop_moves_by_an_eighth_of_the_shorter_side(
    shape: tuple[int, int, int], pixels: int, augmentation: str
) -> None:
    dataset = DatasetSettings(name="folder", augmentation=augmentation)
    assert stored_with(dataset, shape).padding == pixels
    assert stored_with(dataset.model_copy(update={"crop_padding": 3}), shape).padding == 3


@pytest.mark.parametrize(("augmentation", "pixels"), [("shift", 1), ("flip", 0), ("none", 0)])
def test_what_does_not_crop_has_a_padding_of_its_own(augmentation: str, pixels: int) -> None:
    dataset = DatasetSettings(name="folder", augmentation=augmentation, crop_padding=5)
    assert stored_with(dataset, (64, 64, 3)).padding == pixels
