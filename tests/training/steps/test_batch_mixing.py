"""Cutout, mixup and CutMix against a loop over images, their draws against the distributions that the papers name."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from tests.training.test_training_on_streamed_images import dataset as dataset  # a fixture
from tests.training.trainings import config_of, learned, new_training, run_to_the_end
from wrn_search.images.prepared_data import prepare
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.training.loss import Targets
from wrn_search.training.several_gpus.part_of_batches import PartOfBatches
from wrn_search.training.several_gpus.replica import Replica
from wrn_search.training.steps.batch_mixing import (
    BatchMixing,
    Mixture,
    boxed,
    drawn_mixtures,
    mixed,
    without_squares,
)

ALL_ON: dict[str, Any] = {
    "label_smoothing": 0.1,
    "mixup": 0.2,
    "cutmix": 1.0,
    "cutout": 3,
    "class_weights": "balanced",
    "last_batch": "keep",
}
SIDES = (8, 6)


def images(count: int = 6) -> Tensor:
    shape = (count, *SIDES, 3)
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).permute(0, 3, 1, 2)


def draws(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def batches_of(**changes: Any) -> list[tuple[Tensor, Targets]]:
    """The first epoch of a training, as its network gets it."""
    training = new_training(config_of(**changes))
    return list(training._mixing.epoch(training.train_batches, training.randomness, 1))


def test_mixup_is_a_weighted_mean_of_two_images() -> None:
    inputs, others = images(), torch.tensor([3, 1, 0, 5, 4, 2])
    ours = mixed(inputs, others, Mixture(0.7))
    for place, other in enumerate(others):
        torch.testing.assert_close(ours[place], 0.7 * inputs[place] + 0.3 * inputs[other])
    assert ours.is_contiguous(memory_format=torch.channels_last)


def test_cutmix_takes_a_rectangle_from_the_other_image_and_leaves_the_batch_alone() -> None:
    inputs, others = images(), torch.tensor([3, 1, 0, 5, 4, 2])
    before = inputs.clone()
    ours = mixed(inputs, others, Mixture(0.75, (slice(2, 6), slice(1, 4))))
    for place, other in enumerate(others):
        expected = inputs[place].clone()
        expected[:, 2:6, 1:4] = inputs[other, :, 2:6, 1:4]
        assert torch.equal(ours[place], expected)
    assert ours.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(inputs, before)


@pytest.mark.parametrize("side", [1, 3, 4])
def test_cutout_blanks_a_square_as_far_as_it_lies_on_the_image(side: int) -> None:
    inputs = images()
    corners = torch.tensor([[-2, 0, 3, 7, 5, -1], [4, -3, 2, 5, 0, 5]], dtype=torch.int32)
    ours = without_squares(inputs, corners, side)
    for place, (top, left) in enumerate(corners.T.tolist()):
        expected = inputs[place].clone()
        expected[:, max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = 0
        assert torch.equal(ours[place], expected)
    assert ours.is_contiguous(memory_format=torch.channels_last)


def test_the_share_of_a_rectangle_is_the_area_that_is_left() -> None:
    generator = draws()
    for _ in range(200):
        share, middle = generator.random(), generator.integers(SIDES)
        mixture = boxed(share, middle, SIDES)
        assert mixture.box is not None
        own = np.ones(SIDES)
        own[mixture.box] = 0
        assert mixture.share == pytest.approx(own.mean())
        assert mixture.share >= share - 1e-9  # whole pixels and the edge make it smaller, never larger
    inner = boxed(0.75, np.array([4, 3]), SIDES)  # half of each side
    assert inner.box == (slice(2, 6), slice(2, 4))


def test_the_rectangle_is_torchvisions() -> None:
    """Their middle is drawn as column and row from the same share."""
    theirs = v2.CutMix(num_classes=2)
    image = torch.zeros(2, 1, 20, 24)
    for seed in range(20):
        torch.manual_seed(seed)
        given = theirs.make_params([image])
        torch.manual_seed(seed)
        share = float(theirs._dist.sample(()))
        column, row = (int(torch.randint(side, (1,))) for side in (24, 20))
        ours = boxed(share, np.array([row, column]), (20, 24))
        left, top, right, bottom = given["box"]
        assert ours.box == (slice(top, bottom), slice(left, right))
        assert ours.share == pytest.approx(given["lam_adjusted"])


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_are_of_the_beta_distribution(alpha: float) -> None:
    shares = np.array([mixture.share for mixture in drawn_mixtures(alpha, 0.0, 20_000, SIDES, draws())])
    deviation = math.sqrt(1 / (4 * (2 * alpha + 1)))  # of Beta(alpha, alpha)
    assert shares.mean() == pytest.approx(0.5, abs=5 * deviation / 20_000**0.5)
    assert shares.std() == pytest.approx(deviation, rel=0.03)


def test_with_both_on_each_batch_has_one_of_the_two_with_equal_chance() -> None:
    mixtures = drawn_mixtures(0.2, 1.0, 10_000, SIDES, draws())
    cut = sum(mixture.box is not None for mixture in mixtures)
    assert abs(cut - 5000) < 5 * 50
    assert drawn_mixtures(0.0, 0.0, 10, SIDES, draws()) == []
    assert all(mixture.box is None for mixture in drawn_mixtures(0.2, 0.0, 10, SIDES, draws()))
    assert all(mixture.box is not None for mixture in drawn_mixtures(0.0, 1.0, 10, SIDES, draws()))


def partners(blend: Tensor, inputs: Tensor, share: float) -> Tensor:
    """(B,) of each mixture: which of the inputs is in it beside its own, told by what is left without that."""
    rest = (blend - share * inputs) / (1 - share)
    distances = torch.cdist(rest.flatten(1), inputs.flatten(1))
    assert float(distances.amin(1).max()) < 0.1 < float(distances.median())
    return distances.argmin(1)


def test_a_training_sees_the_images_it_would_see_without_mixed_in_pairs() -> None:
    plain, mixtures = batches_of(last_batch="keep"), batches_of(last_batch="keep", mixup=1.0)
    assert plain[-1][1].others is None
    assert len({told.share for _, told in mixtures}) == len(plain) == len(mixtures)
    for (inputs, targets), (blend, told) in zip(plain, mixtures, strict=True):
        found = partners(blend, inputs, told.share)
        assert torch.equal(told.labels, targets.labels)
        assert told.others is not None
        assert torch.equal(targets.labels[found], told.others)
        assert sorted(found.tolist()) == list(range(len(targets)))  # each is mixed into one other


def test_the_middle_of_a_square_is_any_pixel_for_each_image() -> None:
    mixing = BatchMixing(config_of(cutout=3, batch_size=100), (*SIDES, 3), torch.device("cpu"))
    middles = mixing._drawn_corners(96, draws()) + 1
    places, counts = torch.unique(middles[0] * SIDES[1] + middles[1], return_counts=True)
    assert places.tolist() == list(range(48))
    assert int((counts - 200).abs().max()) < 5 * 200**0.5
    inputs, _ = batches_of(cutout=8)[0]
    assert bool((inputs == 0).all(1).flatten(1).any(1).all())


@pytest.mark.parametrize("rank", [0, 1])
def test_a_part_of_a_batch_has_the_squares_and_mixtures_of_the_whole(rank: int) -> None:
    config = config_of(cutout=3, mixup=0.4, last_batch="keep")
    cut = batches_of(cutout=3, last_batch="keep")
    shares = [targets.share for _, targets in batches_of(cutout=3, mixup=0.4, last_batch="keep")]
    data, training = prepare(config.dataset), new_training(config)
    part = PartOfBatches(training.train_batches, config.batch_size, rank, 2)  # type: ignore[arg-type]
    mixing = BatchMixing(config, data.image_shape, training.device, Replica(rank, 2))
    found = list(mixing.epoch(part, training.randomness, 1))
    assert len(found) == len(cut) == 7
    for (inputs, targets), (all_inputs, all_targets), share in zip(found, cut, shares, strict=True):
        own = slice(rank, 2 * len(targets), 2)
        assert targets.share == share
        assert torch.equal(targets.labels, all_targets.labels[own])
        assert targets.others is not None
        if share < 0.999:
            pairs = partners(inputs, all_inputs[own], share)
            assert torch.equal(targets.labels[pairs], targets.others)


def test_all_of_it_at_once_trains_to_the_same_bits_and_goes_on_after_any_epoch(tmp_path: Path) -> None:
    config = config_of(**ALL_ON, dropout=0.0, widen_factor=1)
    straight = new_training(config)
    epochs = []
    for epoch in range(1, config.epochs + 1):
        epochs.append(learned(straight.run_epoch()))
        straight.save(tmp_path / f"{epoch}.pt")
    again = new_training(config)
    assert [learned(metrics) for metrics in run_to_the_end(again)] == epochs
    for epoch in range(1, config.epochs):
        restored = new_training(config)
        restored.restore(tmp_path / f"{epoch}.pt")
        assert [learned(metrics) for metrics in run_to_the_end(restored)] == epochs[epoch:]
    assert all(0 < metrics["train_error"] <= 100 for metrics in epochs)


@pytest.mark.parametrize("changes", [{name: value} for name, value in ALL_ON.items() if name != "last_batch"])
def test_each_changes_what_is_learned_and_leaves_validation_alone(changes: dict[str, Any]) -> None:
    plain, changed = new_training(config_of()), new_training(config_of(**changes))
    for (inputs, labels), (same, same_labels) in zip(
        plain.val_batches or (), changed.val_batches or (), strict=True
    ):
        assert torch.equal(inputs, same)
        assert torch.equal(labels, same_labels)
    assert plain.evaluate(plain.val_batches, 1, "x") == changed.evaluate(changed.val_batches, 1, "x")  # type: ignore[arg-type]
    before, after = plain.run_epoch(), changed.run_epoch()
    assert before.train_loss != after.train_loss
    assert before.val_loss != after.val_loss


def test_streamed_images_are_cut_and_mixed_too(dataset: DatasetSettings) -> None:
    changes = {**ALL_ON, "dataset": dataset, "batch_size": 12, "epochs": 1}
    training = new_training(config_of(**changes))
    batches = list(training._mixing.epoch(training.train_batches, training.randomness, 1))
    training.close()
    assert [len(targets) for _, targets in batches] == [12] * 5 + [4]
    for inputs, targets in batches:
        assert inputs.is_contiguous(memory_format=torch.channels_last)
        assert targets.others is not None
