"""Weights by hand and against scikit-learn's, and what they do to a training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from tests.images.test_batches import stored
from tests.training.trainings import config_of, new_training
from wrn_search.images.prepared_data import PreparedData
from wrn_search.training.class_weights import balanced_weights, scaled_weights, weights_of_classes

LABELS = np.array([0] * 6 + [1] * 3 + [2])
CPU = torch.device("cpu")


@pytest.fixture
def data(tmp_path: Path) -> PreparedData:
    made = stored(tmp_path, np.zeros((10, 8, 8, 3), dtype=np.uint8), "none")
    np.save(tmp_path / "train_labels.npy", LABELS)
    return replace(made, num_classes=3)


def test_balanced_weights_are_scikit_learns() -> None:
    theirs = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    np.testing.assert_allclose(balanced_weights(np.bincount(LABELS)), theirs)


def test_a_class_without_images_has_no_part_in_it() -> None:
    assert balanced_weights(np.array([2, 0, 6])).tolist() == pytest.approx([2.0, 0.0, 2 / 3])


def test_the_mean_weight_of_an_image_is_1() -> None:
    weights = scaled_weights(np.array([1.0, 2.0, 10.0]), np.bincount(LABELS))
    assert weights[LABELS].mean() == pytest.approx(1)
    assert weights / weights[0] == pytest.approx([1, 2, 10])


@pytest.mark.parametrize(
    ("asked", "weights"),
    [("none", None), ("balanced", [10 / 18, 10 / 9, 10 / 3]), ("[1, 2, 10]", [10 / 22, 20 / 22, 100 / 22])],
)
def test_what_the_file_asks_for(asked: str, weights: list[float] | None, data: PreparedData) -> None:
    found = weights_of_classes(asked, data, CPU)
    assert (found if found is None else found.tolist()) == (
        weights if weights is None else pytest.approx(weights)
    )


def test_a_heavy_class_is_answered_more_often() -> None:
    """One epoch on digits, of which sevens count a thousand times as much as any other."""
    weights = "[" + ", ".join("1000" if digit == 7 else "1" for digit in range(10)) + "]"
    answers = []
    for asked in ("none", weights):
        training = new_training(config_of(class_weights=asked, widen_factor=1, dropout=0.0))
        training.run_epoch()
        training.network.eval()
        with torch.inference_mode():
            inputs = torch.cat([inputs for inputs, _ in training.val_batches or ()])
            answers.append(int((training.network(inputs).argmax(1) == 7).sum()))
    assert answers[0] < 60 < answers[1]


def test_where_epochs_show_all_classes_equally_often_balanced_weights_are_all_1(data: PreparedData) -> None:
    """And those of a list have a mean of 1 over what is shown, not over what is stored."""
    weights = weights_of_classes("balanced", data, CPU, "balanced")
    assert weights is not None
    assert weights.tolist() == pytest.approx([1, 1, 1])
    listed = weights_of_classes("[1, 2, 3]", data, CPU, "balanced")
    assert listed is not None
    assert listed.tolist() == pytest.approx([0.5, 1.0, 1.5])
