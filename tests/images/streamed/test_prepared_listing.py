"""The prepared listing: which images are on which side, what a record knows them by, and when it is made anew."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.imagenet.imagenet_data import WNIDS, write_imagenet
from wrn_search.datasets.dataset import ListedImages, Place
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.errors import InputError
from wrn_search.images.held_out_test_images import batches_of_test_split, checked_test_split
from wrn_search.images.prepared_data import (
    PreparedData,
    fitted_preprocessing,
    prepare,
    present_images,
    raw_validation,
)
from wrn_search.images.streamed.decoding_pace import seconds_to_decode
from wrn_search.images.streamed.prepared_listing import Listing
from wrn_search.session.start_of_a_session import facts_of
from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_imagenet(tmp_path / "imagenet", train_each=6, val_each=2)


def settings(root: Path, **changes: object) -> DatasetSettings:
    values = {"name": "imagenet", "root": str(root), "image_size": 16, "validation": 8}
    return DatasetSettings.model_validate(values | changes)


def names(data: PreparedData, part: str) -> list[str]:
    listing = Listing.of_split(data.directory, part)
    return [listing.name(index) for index in range(len(listing))]


def test_validation_images_are_held_out_of_train_and_joined_again(root: Path) -> None:
    data = prepare(settings(root))
    assert (data.num_classes, data.class_names, data.image_shape) == (4, WNIDS, (16, 16, 3))
    assert (data.train_images, data.validation_images, data.chance_error) == (16, 8, 75.0)
    train, validation = names(data, "train"), names(data, "validation")
    assert len({*train, *validation}) == 24
    assert all(name.startswith("train/") for name in (*train, *validation))
    classes = [name.split("/")[1] for name in validation]
    assert [classes.count(wnid) for wnid in WNIDS] == [2, 2, 2, 2]
    both = prepare(JoinedSettings.of(settings(root)))
    assert (both.train_images, both.validation_images) == (24, 0)
    few = prepare(settings(root, train_images=4))
    assert (few.train_images, names(few, "validation")) == (4, validation)
    assert facts_of(data).stored_bytes == 0  # no device holds a copy
    assert facts_of(data).is_streamed


def test_no_image_is_decoded_and_nothing_is_listed_twice(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(settings(root))

    def listed(place: Place) -> ListedImages:
        raise AssertionError("listed again")

    kind = DATASETS["imagenet"]
    assert kind.streamed is not None
    again = replace(kind, streamed=replace(kind.streamed, list_training_images=listed))
    monkeypatch.setitem(DATASETS, "imagenet", again)
    assert prepare(settings(root)).train_images == 16


def test_constants_are_fitted_to_nothing(root: Path) -> None:
    data = prepare(settings(root))
    assert data.mean == pytest.approx((123.675, 116.28, 103.53))
    assert data.std == pytest.approx((58.395, 57.12, 57.375))
    assert fitted_preprocessing(settings(root)).mean == data.mean
    assert prepare(settings(root, preprocessing="divide255")).std == (255.0,) * 3


def test_a_record_knows_names_sizes_and_labels_wherever_they_lie(root: Path, tmp_path: Path) -> None:
    data = prepare(settings(root))
    moved = Path(shutil.copytree(root, tmp_path / "elsewhere"))
    assert prepare(settings(moved)).split_hash == data.split_hash
    path = moved / names(data, "train")[0]
    path.write_bytes(path.read_bytes() + b"\0")
    assert prepare(settings(moved)).split_hash != data.split_hash
    assert not prepare(settings(moved)).has_split(data.split_hash)


def test_files_that_are_half_there_are_told_by_the_key(root: Path) -> None:
    shutil.rmtree(root / "train")
    for look in (present_images, prepare):
        with pytest.raises(
            InputError, match=r"dataset\.root: must be a folder that holds train/<class>/, but got no"
        ):
            look(settings(root))
    with pytest.raises(InputError, match="must be a folder that holds train"):
        prepare(settings(root.parent / "nowhere"))


def test_a_share_validates_and_too_many_are_refused(root: Path) -> None:
    assert prepare(settings(root, validation=0.25)).validation_images == 6
    with pytest.raises(InputError, match=r"dataset\.validation: must be at most 20, .*but got 50000"):
        prepare(settings(root, validation=None))


def test_test_images_are_those_of_val(root: Path) -> None:
    dataset = settings(root)
    data = prepare(dataset)
    assert checked_test_split(dataset, data) == []
    batches = batches_of_test_split(dataset, data, 5, workers=0)
    labels = np.concatenate([labels.numpy() for _, labels in batches])
    assert (batches.num_images, labels.tolist()) == (8, [0, 0, 1, 1, 2, 2, 3, 3])
    broken = next((root / "val").rglob("*.JPEG"))
    broken.write_bytes(broken.read_bytes()[:100])
    with pytest.raises(InputError, match="every file must be a whole image"):
        checked_test_split(dataset, data)


def test_raw_images_for_an_export_are_the_first_that_validate(root: Path) -> None:
    raw = raw_validation(settings(root), most=3)
    assert (raw.images.shape, raw.images.dtype, len(raw.labels)) == ((3, 16, 16, 3), np.uint8, 3)
    data = prepare(settings(root))
    assert data.files is not None
    np.testing.assert_array_equal(raw.images[2], data.files.evaluated(names(data, "validation")[2]))
    trained_on = raw_validation(JoinedSettings.of(settings(root)))
    assert len(trained_on.images) == 24


def test_the_time_of_a_core_is_measured_or_not_known(root: Path) -> None:
    assert 0 < seconds_to_decode(settings(root)) < 1
    assert seconds_to_decode(settings(root / "nowhere")) == 0
    assert seconds_to_decode(DatasetSettings(name="digits")) == 0
