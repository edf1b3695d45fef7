"""Which images an epoch shows: each once as ever, or each class equally often, from the given generator alone."""

from __future__ import annotations

import pytest
import torch

from wrn_search.images.order_of_an_epoch import epoch_order

LABELS = torch.tensor([0] * 70 + [1] * 9 + [3] * 21)  # class 2 has no training image


def order(sampling: str, drawn: int = 100, seed: int = 0) -> torch.Tensor:
    return epoch_order(LABELS, drawn, sampling, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("drawn", [100, 96])
def test_uniform_is_the_permutation_that_it_always_was(drawn: int) -> None:
    expected = torch.randperm(100, generator=torch.Generator().manual_seed(3))[:drawn]
    assert torch.equal(order("uniform", drawn, seed=3), expected)


@pytest.mark.parametrize("drawn", [100, 96, 2])
def test_balanced_shows_each_class_equally_often(drawn: int) -> None:
    chosen = order("balanced", drawn)
    assert len(chosen) == drawn
    counts = torch.bincount(LABELS[chosen], minlength=4).tolist()
    assert counts[2] == 0
    assert max(counts[0], counts[1], counts[3]) - min(counts[0], counts[1], counts[3]) <= 1
    for label in (0, 1, 3):  # and no image of a class once more than another
        shown = torch.bincount(chosen, minlength=100)[label == LABELS]
        assert int(shown.max() - shown.min()) <= 1


def test_all_images_of_a_large_class_are_shown_in_time_and_the_rest_of_a_division_moves_on() -> None:
    epochs = [order("balanced", seed=seed) for seed in range(40)]
    assert torch.unique(torch.cat(epochs)).tolist() == list(range(100))
    firsts = {int(torch.bincount(LABELS[each], minlength=4).argmax()) for each in epochs}
    assert firsts == {0, 1, 3}  # who gets the 100th image


def test_the_same_seed_draws_the_same_and_classes_come_mixed() -> None:
    assert torch.equal(order("balanced"), order("balanced"))
    assert not torch.equal(order("balanced"), order("balanced", seed=1))
    halves = LABELS[order("balanced")].split(50)
    assert all(set(half.tolist()) == {0, 1, 3} for half in halves)
