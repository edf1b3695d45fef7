"""Batches whose shapes depend on no draw, against those that are cut and flipped by slices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.images.test_batches import seeded, stored
from wrn_search.images.augmentation import AUGMENTATIONS
from wrn_search.images.batches import TrainBatches
from wrn_search.images.static_batches import StaticBatches


@pytest.mark.parametrize(
    "augmentation", [name for name, each in sorted(AUGMENTATIONS.items()) if each.policy is None]
)
@pytest.mark.parametrize(("count", "keeps"), [(12, False), (14, False), (14, True)])
def test_every_epoch_is_the_same_to_the_bit(
    tmp_path: Path, augmentation: str, count: int, keeps: bool
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 6, 3), dtype=np.uint8)
    data = stored(tmp_path, images, augmentation)
    source = TrainBatches(data, batch_size=4, augmentation=augmentation, keeps_last_batch=keeps)
    static, plain, other = StaticBatches(source), seeded(), seeded()
    for _ in range(3):
        expected = list(source.epoch(plain))
        found = [static.take() for _ in range(static.begin(other))] + list(static.rest())
        assert [len(labels) for _, labels in found] == [len(labels) for _, labels in expected]
        for (inputs, labels), (others, answers) in zip(found, expected, strict=True):
            assert torch.equal(inputs, others)
            assert inputs.stride() == others.stride()
            assert torch.equal(labels, answers)
    assert torch.equal(plain.get_state(), other.get_state())
