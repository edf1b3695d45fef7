"""What images that are decoded for every batch anew cannot have, and what only they can have."""

from __future__ import annotations

import pytest

from tests.space.spaces import complaints, space

# Data sets whose images are made another size.
OF_OWN_FILES = (
    "folder, parquet, huggingface, imagenet, stl10, mnist, fashion_mnist, emnist, gtsrb, eurosat, flowers102 and "
    "food101"
)
IMAGENET = "dataset:\n  name: imagenet\n  root: /data\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            f"{IMAGENET}  augmentation: flip_crop\n",
            "s.yaml:4: dataset.augmentation: augmentation must be one of resized_crop_colour, resized_crop, none with "
            "dataset.name: imagenet, whose images are decoded for every batch, but got flip_crop",
        ),
        (
            "dataset:\n  name: folder\n  augmentation: resized_crop\n",
            "s.yaml:3: dataset.augmentation: augmentation must be one of flip_crop, flip_crop_batch, crop, flip, "
            "shift, none, trivial, randaugment, color_jitter, shift_trivial, shift_randaugment, shift_color_jitter "
            "with dataset.name: folder, whose images are all decoded beforehand, but got resized_crop; imagenet has "
            "random resized crops",
        ),
        (
            f"{IMAGENET}  preprocessing: meanstd\n",
            "s.yaml:4: dataset.preprocessing: preprocessing: meanstd is fitted to all training images, which imagenet "
            "never decodes at once: write meanstd_imagenet or divide255",
        ),
        (
            f"{IMAGENET}  preprocessing: zca\n",
            "s.yaml:4: dataset.preprocessing: preprocessing: zca is fitted to all training images, which imagenet "
            "never decodes at once: write meanstd_imagenet or divide255",
        ),
        (
            f"{IMAGENET}  validation_files: false\n",
            "s.yaml:4: dataset.validation_files: only images of folder, parquet, huggingface and flowers102 may lie in "
            "validation files, but got dataset.name: imagenet",
        ),
        (
            f"{IMAGENET}  group_by: '(n[0-9]+)_'\n",
            "s.yaml:4: dataset.group_by: only images of folder, parquet, huggingface, gtsrb, eurosat, flowers102 and "
            "food101 can be grouped, but got dataset.name: imagenet",
        ),
        (
            "dataset: {name: digits, preprocessing: meanstd_imagenet}\n",
            "s.yaml:1: dataset.preprocessing: preprocessing: meanstd_imagenet is for images of 3 colours, but digits "
            "has images of 1",
        ),
        (
            "dataset: {name: cifar10, image_size: 64}\n",
            f"s.yaml:1: dataset.image_size: only images of {OF_OWN_FILES} are made another size, but got "
            "dataset.name: cifar10",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_the_way_out(text: str, told: str) -> None:
    assert complaints(text) == [told]


def test_what_fits_is_taken() -> None:
    dataset = space(
        f"{IMAGENET}  image_size: 96\n  image_fit: crop\n  background: black\n  preprocessing: divide255\n"
    )
    assert dataset.dataset.facts.image_shape == (96, 96, 3)
    assert (
        space("dataset: {name: folder, root: x, image_fit: centre, image_size: 64}").dataset.image_fit
        == "centre"
    )
    assert space(f"{IMAGENET}  image_size: null\n").dataset.image_size == 224
