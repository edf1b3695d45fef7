"""Which images validate: those of validation files, whole groups, shares; and what is told of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.datasets.image_data import encode, random_images, write_folder, write_parquet
from wrn_search.datasets.stratified_split import stratified_split
from wrn_search.errors import InputError
from wrn_search.images.prepared_data import PreparedData, check_presence, prepare, present_images, remarks_on
from wrn_search.images.split_of_images import Sides, grouped_split, split_of
from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings


def labels_of(data: PreparedData, name: str) -> list[int]:
    found: list[int] = np.load(data.directory / f"{name}_labels.npy").tolist()
    return found


def drawn(groups: int, images: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.integers(0, classes, images), generator.integers(0, groups, images)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("train_images", [None, 50])
def test_no_group_is_on_both_sides_and_classes_keep_their_shares(seed: int, train_images: int | None) -> None:
    labels, groups = drawn(200, 2000, 4, seed)
    split = grouped_split(labels, groups, 400, train_images)
    assert not set(groups[split.train]) & set(groups[split.validation])
    assert not set(split.train) & set(split.validation)
    assert len(split.train) == (train_images or 2000 - len(split.validation))
    held, all_of_them = np.bincount(labels[split.validation], minlength=4), np.bincount(labels)
    np.testing.assert_allclose(held, 400 * all_of_them / 2000, atol=12)  # a group has ten images
    for indices in (split.train, split.validation):
        assert (np.diff(indices) > 0).all()


def test_groups_of_one_image_are_held_out_as_images_are() -> None:
    """In number and in shares; which of them is another draw."""
    labels, _ = drawn(1, 300, 3, 0)
    grouped, alone = grouped_split(labels, np.arange(300), 60), stratified_split(labels, 60)
    np.testing.assert_array_equal(
        np.bincount(labels[grouped.validation]), np.bincount(labels[alone.validation])
    )


def test_the_same_groups_give_the_same_split_whatever_they_are_called() -> None:
    labels, groups = drawn(30, 300, 3, 1)
    first, again = grouped_split(labels, groups, 60), grouped_split(labels, groups * 7 + 5, 60)
    np.testing.assert_array_equal(first.validation, again.validation)
    assert first.validation[:5].tolist() == FIRST_HELD_OUT  # may never move: searches are compared by it


FIRST_HELD_OUT = [12, 14, 15, 17, 21]


def test_groups_that_are_too_large_are_held_out_as_nearly_as_can_be() -> None:
    labels = np.array([0, 1] * 30)
    groups = np.repeat([0, 1, 2], [20, 16, 24])
    assert grouped_split(labels, groups, 6).validation.tolist() == list(range(20, 36))


def test_groups_that_cannot_be_parted() -> None:
    labels = np.array([0, 0, 1, 1])
    with pytest.raises(InputError, match=r"dataset\.group_by: some group must leave each class .* 2 groups"):
        grouped_split(labels, labels, 2)


def grouped_folder(root: Path) -> DatasetSettings:
    for number, pixels in enumerate(random_images(60)):
        path = root / "train" / f"class_{number % 3}" / f"patient{number // 6}_{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(pixels))
    return DatasetSettings(name="folder", root=str(root), validation=0.2, group_by="(patient[0-9]+)_")


def test_a_folder_is_split_by_the_groups_in_its_names(tmp_path: Path) -> None:
    dataset = grouped_folder(tmp_path)
    data = prepare(dataset)
    assert (data.train_images, data.validation_images) == (48, 12)
    alone = prepare(dataset.model_copy(update={"group_by": None}))
    assert (alone.validation_images, alone.split_hash != data.split_hash) == (12, True)
    assert data.split_hash.partition("-")[2] == alone.split_hash.partition("-")[2]  # the same images
    joined = prepare(JoinedSettings.of(dataset))
    assert (joined.train_images, joined.validation_images) == (60, 0)


@pytest.mark.parametrize("way", ["column", "path"])
def test_a_parquet_file_is_split_by_a_column_or_by_the_paths_in_it(way: str, tmp_path: Path) -> None:
    patients = [f"patient{number // 6}" for number in range(60)]
    images = [
        {"bytes": encode(pixels), "path": f"{who}_{number}.png"}
        for number, (pixels, who) in enumerate(zip(random_images(60), patients, strict=True))
    ]
    table = pa.table({"img": images, "label": [number % 3 for number in range(60)], "who": patients})
    pq.write_table(table, tmp_path / "train.parquet")
    by = {"column": "who", "path": "^(patient[0-9]+)_"}[way]
    settings = DatasetSettings(name="parquet", root=str(tmp_path), validation=0.2, group_by=by)
    data = prepare(settings)
    split = split_of(np.arange(60) % 3, settings, Sides(groups=np.unique(patients, return_inverse=True)[1]))
    assert labels_of(data, "validation") == (split.validation % 3).tolist()
    assert len({patients[index] for index in split.validation}) == 2
    with pytest.raises(
        InputError, match=r"must be a column, or a pattern .* but got 'scene' \(columns img, label, who"
    ):
        check_presence(settings.model_copy(update={"group_by": "scene"}))


def with_validation_files(kind: str, root: Path) -> DatasetSettings:
    images, labels = random_images(50), [number % 4 for number in range(40)]
    if kind == "folder":
        write_folder(root, images[:40], labels)
        write_folder(root, images[40:], [3, 1] * 5, split="val")
    else:
        encoded = [encode(each) for each in images]
        write_parquet(root / "train-00000.parquet", encoded[:40], labels)
        write_parquet(root / "validation-00000.parquet", encoded[40:], [3, 1] * 5)
    return DatasetSettings(name=kind, root=str(root))


@pytest.mark.parametrize("kind", ["folder", "parquet"])
def test_validation_files_validate(kind: str, tmp_path: Path) -> None:
    """Though dataset.validation, by default, asks for more images than there are."""
    dataset = with_validation_files(kind, tmp_path)
    assert "40 images of 4 classes" in check_presence(dataset)
    data = prepare(dataset)
    assert (data.train_images, data.validation_images) == (40, 10)
    assert sorted(labels_of(data, "validation")) == [1] * 5 + [3] * 5
    assert data.chance_error == 50
    (told,) = data.warnings
    assert told.startswith("no validation image of ")
    fewer = prepare(dataset.model_copy(update={"train_images": 8}))
    assert (fewer.train_images, fewer.validation_images) == (8, 10)
    assert sorted(labels_of(fewer, "train")) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert prepare(JoinedSettings.of(dataset)).train_images == 50
    held_out = prepare(dataset.model_copy(update={"validation_files": False, "validation": 0.1}))
    assert (held_out.train_images, held_out.validation_images) == (36, 4)
    assert len({data.split_hash, fewer.split_hash, held_out.split_hash}) == 3


def test_a_changed_validation_image_is_another_split(tmp_path: Path) -> None:
    dataset = with_validation_files("folder", tmp_path)
    before = prepare(dataset).split_hash
    path = next((tmp_path / "val").rglob("*.png"))
    path.write_bytes(encode(np.zeros((8, 8, 3), dtype=np.uint8)))
    assert prepare(dataset).split_hash != before


def test_a_group_in_training_and_validation_files_at_once_is_refused(tmp_path: Path) -> None:
    dataset = grouped_folder(tmp_path)
    path = tmp_path / "val" / "class_0" / "patient3_x.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(encode(random_images(1, 8, 8)[0]))
    with pytest.raises(
        InputError, match=r"no group of dataset\.group_by may be in training and validation files"
    ):
        prepare(dataset)


def test_a_stray_label_in_validation_files_is_refused(tmp_path: Path) -> None:
    with_validation_files("parquet", tmp_path)
    write_parquet(tmp_path / "validation-00000.parquet", [encode(random_images(1)[0])], [4])
    with pytest.raises(InputError, match=r"with labels of the training images, .* but got label 4"):
        check_presence(DatasetSettings(name="parquet", root=str(tmp_path)))


@pytest.mark.parametrize("kind", ["folder", "parquet"])
def test_all_images_are_trained_on_where_none_validates_wherever_they_lie(kind: str, tmp_path: Path) -> None:
    """With `protocol: test_each`."""
    dataset = with_validation_files(kind, tmp_path)
    whole = JoinedSettings.whole(dataset)
    told, facts = present_images(whole)
    assert "40 images of 4 classes" in told
    assert [line.split(" are ", 1)[1] for line in remarks_on(whole)] == ["trained on, too, as none validates"]
    assert (whole.trained_on(facts), whole.held_out(facts)) == (50, 0)
    data = prepare(whole)
    assert (data.train_images, data.validation_images) == (50, 0)
    few = JoinedSettings.whole(dataset.model_copy(update={"train_images": 45}))  # more than lie in train
    assert check_presence(few)
    assert prepare(few).train_images == 45
    with pytest.raises(InputError, match=r"dataset\.train_images: must be at most 50 .* but got 51"):
        check_presence(JoinedSettings.whole(dataset.model_copy(update={"train_images": 51})))


def test_groups_do_not_matter_where_no_image_validates(tmp_path: Path) -> None:
    data = prepare(JoinedSettings.whole(grouped_folder(tmp_path)))
    assert (data.train_images, data.validation_images, data.warnings) == (60, 0, ())


def test_extra_images_do_not_count_towards_a_share_of_those_that_may_validate() -> None:
    labels = np.arange(150) % 3
    settings = DatasetSettings(name="folder", root="images", validation=0.2)
    split = split_of(labels, settings, Sides(), extra_images=90)
    assert (len(split.validation), len(split.train), split.validation.max() < 60) == (12, 138, True)
