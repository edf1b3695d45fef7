"""Training on training and validation images together: which images those are, and what an epoch then tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.trainings import config_of, new_training, run_to_the_end
from wrn_search.errors import InputError
from wrn_search.images.prepared_data import PreparedData, prepare
from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings
from wrn_search.space.sections.recorded_dataset import dataset_settings
from wrn_search.space.space_file import space_from_mapping
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.checkpoints.checkpoint_file import CheckpointError

DIGITS = DatasetSettings(name="digits", train_images=200, validation=100, augmentation="none")


def images_of(data: PreparedData, split: str) -> list[bytes]:
    return sorted(image.tobytes() for image in np.load(data.directory / f"{split}_images.npy"))


def test_the_joined_images_are_those_that_the_search_trained_on_and_chose_by() -> None:
    split, joined = prepare(DIGITS), prepare(JoinedSettings.of(DIGITS))
    assert images_of(joined, "train") == sorted(images_of(split, "train") + images_of(split, "validation"))
    assert (joined.train_images, joined.validation_images) == (300, 0)
    assert not (joined.directory / "validation_images.npy").exists()
    assert joined.split_hash != split.split_hash
    assert joined.directory != split.directory
    stored = np.load(joined.directory / "train_images.npy").astype(float)
    assert joined.mean[0] == pytest.approx(stored.mean())  # of all 300
    assert joined.mean != split.mean


def test_a_space_file_cannot_ask_for_it() -> None:
    with pytest.raises(InputError, match=r"dataset.joined: unknown key"):
        space_from_mapping({"name": "x", "dataset": {"name": "digits", "joined": True}})
    with pytest.raises(InputError, match=r"dataset.validation: must be a whole number from 1"):
        space_from_mapping({"name": "x", "dataset": {"name": "digits", "validation": 0}})


def test_the_config_keeps_it_and_a_search_s_config_reads_as_before() -> None:
    for dataset in (DIGITS, JoinedSettings.of(DIGITS)):
        config = config_of(dataset=dataset)
        assert TrialConfig.from_dict(config.to_dict()) == config
        assert type(dataset_settings(dataset.model_dump())) is type(dataset)
    assert "joined" not in config_of(dataset=DIGITS).to_dict()["dataset"]


def test_an_epoch_without_held_out_images_has_no_validation_error_and_restores(tmp_path: Path) -> None:
    config = config_of(dataset=JoinedSettings.of(DIGITS), epochs=2)
    training = new_training(config)
    first = training.run_epoch()
    assert (first.val_loss, first.val_error) == (None, None)
    assert first.train_loss > 0
    training.save(tmp_path / "one.pt")
    again = new_training(config)
    again.restore(tmp_path / "one.pt")
    assert [metrics.val_error for metrics in run_to_the_end(again)] == [None]
    with pytest.raises(CheckpointError, match="of another training"):
        new_training(config_of(dataset=DIGITS, epochs=2)).restore(tmp_path / "one.pt")
