"""What is done to images and labels must fit them: told by their names at once, by their files before a search."""

from __future__ import annotations

import pytest

from tests.space.spaces import complaints, space
from wrn_search.errors import InputError
from wrn_search.space.rules.across_keys.rules_of_augmentation import check_training_of_images

TRAINING = "name: s\ntraining:\n  "


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "cutout: 33",
            "training.cutout: cutout must be at most 32, the shorter side of images of 32x32 pixels, but got 33",
        ),
        (
            "cutout: {choice: [0, 16, 40]}",
            "training.cutout: cutout must be at most 32, the shorter side of images of 32x32 pixels, but got 40",
        ),
        (
            "cutout: {int: [0, 48, 16]}",
            "training.cutout: cutout must be at most 32, the shorter side of images of 32x32 pixels, but got 48",
        ),
        (
            "class_weights: [1, 2, 3]",
            "training.class_weights: class_weights must have a weight for each of the 10 classes, but got 3: [1, 2, 3]",
        ),
        (
            "class_weights: {choice: [balanced, [1, 2]]}",
            "training.class_weights: class_weights must have a weight for each of the 10 classes, but got 2: [1, 2]",
        ),
        (
            "label_smoothing: 1",
            "training.label_smoothing: must be a number at least 0 and below 1, but got 1",
        ),
        ("mixup: -0.2", "training.mixup: must be a number at least 0 and at most 100, but got -0.2"),
        ("cutmix: true", "training.cutmix: must be a number, but got true"),
        ("cutout: 2.5", "training.cutout: must be a whole number, but got 2.5"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_line(line: str, told: str) -> None:
    assert complaints(TRAINING + line) == [f"s.yaml:3: {told}"]


@pytest.mark.parametrize("augmentation", ["trivial", "randaugment", "color_jitter", "shift_trivial"])
def test_whitened_images_have_no_levels_to_change(augmentation: str) -> None:
    text = f"dataset:\n  preprocessing: zca\n  augmentation: {augmentation}\n"
    assert complaints(text) == [
        f"s.yaml:3: dataset.augmentation: augmentation: {augmentation} changes images of 8 bits a channel, and zca "
        "whitens them before: write meanstd or divide255"
    ]
    assert space(text, "dataset.preprocessing=divide255").dataset.augmentation == augmentation


@pytest.mark.parametrize(
    "line",
    [
        "cutout: 32",
        "cutout: {int: [0, 32, 8]}",
        "class_weights: [1, 1, 1, 1, 1, 1, 1, 1, 1, 2]",
        "label_smoothing: {uniform: [0, 0.2]}",
        "mixup: {choice: [0, 0.2, 1]}",
        "mixup: {loguniform: [0.05, 2]}\n  cutmix: 1",
    ],
)
def test_what_fits_is_taken(line: str) -> None:
    assert space(TRAINING + line)


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = complaints(TRAINING + "cutout: 50\n  class_weights: [1, 1]\n  mixup: 101")
    keys = ("cutout", "class_weights", "mixup")
    assert [line.split(": ")[:2] for line in found] == [
        [f"s.yaml:{number}", f"training.{key}"] for number, key in enumerate(keys, start=3)
    ]


def test_images_that_only_their_files_tell_of_are_checked_once_they_are_known() -> None:
    own = space("dataset:\n  name: folder\ntraining:\n  cutout: 20\n  class_weights: [1, 2, 3]\n")
    check_training_of_images(own, 3, (20, 40, 3))
    check_training_of_images(own, None, None)
    with pytest.raises(InputError) as caught:
        check_training_of_images(own, 4, (40, 16, 3))
    assert [str(problem) for problem in caught.value.problems] == [
        "training.cutout: cutout must be at most 16, the shorter side of images of 40x16 pixels, but got 20",
        "training.class_weights: class_weights must have a weight for each of the 4 classes, but got 3: [1, 2, 3]",
    ]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("smoothing", "write training.label_smoothing"),
        ("mixup_alpha", "write training.mixup: 0.2, its alpha"),
        ("randaugment", "write dataset.augmentation: trivial, randaugment or color_jitter"),
    ],
)
def test_other_names_are_told_ours(key: str, told: str) -> None:
    assert complaints(f"{TRAINING}{key}: 1") == [f"s.yaml:3: training.{key}: unknown key: {told}"]
