"""A training whose images are decoded meanwhile: the same bits when it is restored, and no process left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.datasets.imagenet.imagenet_data import write_imagenet
from tests.images.streamed.test_streamed_batches import children
from tests.training.trainings import NAMES_OF_MEASUREMENTS, config_of, new_training
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings
from wrn_search.space.trial_config import TrialConfig


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> DatasetSettings:
    root = write_imagenet(tmp_path_factory.mktemp("imagenet"), train_each=20)
    return DatasetSettings(name="imagenet", root=str(root), image_size=16, validation=16)


def config(dataset: DatasetSettings, **changes: Any) -> TrialConfig:
    """With dropout, which draws from another stream than the images do."""
    return config_of(dataset=dataset, batch_size=12, last_batch="keep", epochs=3, **changes)


def seen(history: list[EpochMetrics]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in vars(metrics).items() if name not in NAMES_OF_MEASUREMENTS}
        for metrics in history
    ]


def test_a_restored_training_goes_on_bit_by_bit_and_leaves_no_process(
    dataset: DatasetSettings, tmp_path: Path
) -> None:
    before = children()
    training = new_training(config(dataset))
    for epoch in (1, 2, 3):
        training.run_epoch()
        if epoch == 1:
            training.save(tmp_path / "x.pt")
    assert len(children() - before) == 1
    training.close()
    assert children() <= before
    restored = new_training(config(dataset))
    restored.restore(tmp_path / "x.pt")
    restored.run_epoch()
    restored.run_epoch()
    assert seen(restored.history) == seen(training.history)
    assert len({metrics.train_loss for metrics in training.history}) == 3


def test_all_images_are_trained_on_where_none_validates(dataset: DatasetSettings) -> None:
    training = new_training(config(JoinedSettings.of(dataset)))
    metrics = training.run_epoch()
    assert (metrics.val_error, training.train_batches.num_images) == (None, 80)
    training.close()
