"""A value that can never act is refused with the key and what leaves it idle; presets and records keep theirs."""

from __future__ import annotations

import pytest

from tests.space.spaces import complaints, space
from wrn_search.space.space_file import space_from_mapping

FACTOR = "lr_drop_factor acts at the drops of lr_schedule: step"
MOMENTUM = "momentum_at_drops acts at the drops of lr_schedule: step"


@pytest.mark.parametrize("schedule", ["cosine", "linear", "onecycle", "wsd"])
@pytest.mark.parametrize(
    ("training", "line"),
    [
        ("lr_drops: [0.5]", "training.lr_drops: lr_drops is of lr_schedule: step, but got [0.5]"),
        ("lr_drop_factor: 0.1", f"training.lr_drop_factor: {FACTOR}, but got 0.1"),
        (
            "lr_drop_factor: {uniform: [0.1, 0.5]}",
            f"training.lr_drop_factor: {FACTOR}, but got {{uniform: [0.1, 0.5]}}",
        ),
        ("momentum_at_drops: restart", f"training.momentum_at_drops: {MOMENTUM}, but got 'restart'"),
    ],
)
def test_drops_under_a_schedule_without_them(schedule: str, training: str, line: str) -> None:
    (told,) = complaints(f"training:\n  lr_schedule: {schedule}\n  {training}\n")
    assert told == f"s.yaml:3: {line} with lr_schedule: {schedule}, which has no drops"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "training: {lr_drops: [], lr_drop_factor: 0.5}",
            f"training.lr_drop_factor: {FACTOR}, but got 0.5 with lr_drops: []",
        ),
        (
            "training: {lr_by: step}",
            "training.lr_by: lr_by acts where the rate changes within an epoch, but got 'step' with lr_schedule: step "
            "and no warmup_epochs",
        ),
        (
            "dataset: {augmentation: none, crop_padding: 7}",
            "dataset.crop_padding: crop_padding is of an augmentation that crops (flip_crop, flip_crop_batch, crop, "
            "trivial, randaugment, color_jitter), but got 7 with augmentation: none",
        ),
        (
            "dataset: {name: folder, root: x, image_fit: pad}",
            "dataset.image_fit: image_fit says how image_size is reached, but got pad without image_size",
        ),
    ],
)
def test_other_values_that_never_act(text: str, line: str) -> None:
    assert complaints(text) == [f"s.yaml:1: {line}"]


def test_of_a_list_of_points_each_is_looked_at() -> None:
    points = "[{lr_drop_factor: 0.2}, {lr_drop_factor: 0.1}]"
    (told,) = complaints(f"training: {{lr_schedule: cosine}}\nsearch:\n  points: {points}\n")
    assert told.startswith(f"s.yaml:3: search.points: {FACTOR}, but got 0.1 with lr_schedule: cosine")


@pytest.mark.parametrize("recipe", ["paper_cifar", "paper_svhn", "paper_imagenet"])
def test_what_a_preset_fills_in_may_rest(recipe: str) -> None:
    made = space(f"recipe: {recipe}\ntraining: {{lr_schedule: cosine}}\n")
    assert made.training.lr_schedule == "cosine"
    assert space_from_mapping(made.to_document()) == made, "as written down, and read again"


def test_a_data_sets_own_schedule_may_rest() -> None:
    assert space("dataset: {name: svhn}\ntraining: {lr_schedule: linear}\n").training.lr_drop_factor == 0.1


def test_a_record_of_before_this_rule_keeps_its_meaning() -> None:
    document = {"name": "s", "training": {"lr_schedule": "cosine", "lr_drop_factor": 0.1, "lr_drops": [0.5]}}
    assert space_from_mapping(document, on_record=True).training.lr_drop_factor == 0.1


def test_who_says_that_there_are_no_drops_is_right() -> None:
    assert space("training: {lr_schedule: cosine, lr_drops: []}\n").training.lr_drops == ()
