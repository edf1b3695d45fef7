"""Data set `huggingface`, on what the library `datasets` itself wrote with `save_to_disk`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from tests.datasets.image_data import random_images
from wrn_search.datasets.dataset import Source
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.errors import InputError
from wrn_search.images.prepared_data import prepare, remarks_on
from wrn_search.space.data_folders import place_of
from wrn_search.space.dataset_section import DatasetSettings

DICT, STATE, FIRST = "dataset_dict.json", "train/state.json", "train/data-00000-of-00002.arrow"
NAMES = ["cat", "dog", "owl"]
IMAGES = random_images(60, 12, 12)
KIND = DATASETS["huggingface"]


def rows(first: int, count: int) -> Any:
    """So many images of ours as a `Dataset`; four in turn are of one patient."""
    which = range(first, first + count)
    columns = {
        "image": [Image.fromarray(IMAGES[index]) for index in which],
        "label": [index % 3 for index in which],
        "species": [NAMES[index % 3] for index in which],
        "patient": [f"p{index // 4}" for index in which],
    }
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=NAMES),
            "species": datasets.Value("string"),
            "patient": datasets.Value("string"),
        }
    )
    return datasets.Dataset.from_dict(columns, features=features)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dict/ (train in two files, validation, test, extra) and single/, as the library wrote them."""
    datasets.disable_progress_bars()
    root = tmp_path_factory.mktemp("saved")
    splits = {"train": rows(0, 40), "validation": rows(40, 8), "test": rows(48, 9), "extra": rows(57, 3)}
    shards = {"train": 2, "validation": 1, "test": 1, "extra": 1}
    datasets.DatasetDict(splits).save_to_disk(root / "dict", num_shards=shards)
    rows(0, 40).select([*range(5, 15)]).save_to_disk(root / "single")
    return root


@pytest.fixture
def saved(written: Path, tmp_path: Path) -> Path:
    """A copy of dict/ to spoil."""
    return shutil.copytree(written / "dict", tmp_path / "dict")


def settings(root: Path, **keys: Any) -> DatasetSettings:
    return DatasetSettings.model_validate({"name": "huggingface", "root": str(root), "validation": 9, **keys})


def read(root: Path, **keys: Any) -> Source:
    return KIND.read_training_images(place_of(settings(root, **keys)))


def test_rows_are_read_as_the_library_reads_them(written: Path) -> None:
    source = read(written / "dict")
    theirs = datasets.load_from_disk(written / "dict")
    expected = [row for split in ("train", "validation") for row in theirs[split]]
    np.testing.assert_array_equal(source.images, np.stack([np.asarray(row["image"]) for row in expected]))
    assert source.labels.tolist() == [row["label"] for row in expected]
    assert source.class_names == tuple(NAMES)
    assert source.validation is not None
    assert source.validation.tolist() == [*range(40, 48)]
    assert source.name_of(25) == "row 5 of data-00001-of-00002.arrow"
    place = place_of(settings(written / "dict"))
    KIND.check_test_images(place, source.class_names)
    test = KIND.read_test_images(place, source.class_names)
    np.testing.assert_array_equal(test.images, IMAGES[48:57])
    assert test.labels.tolist() == [index % 3 for index in range(48, 57)]


def test_columns_groups_and_validation_are_chosen_as_of_parquet_files(written: Path) -> None:
    source = read(written / "dict", label_column="species", group_by="patient", validation_files=False)
    assert source.class_names == tuple(NAMES)
    assert source.validation is None
    assert source.groups is not None
    assert len(set(source.groups.tolist())) == 10
    assert remarks_on(settings(written / "dict")) == [
        f"the images of {written}/dict/validation/data-00000-of-00001.arrow validate: dataset.validation holds none of "
        "the others out",
        f"splits of {written}/dict ignored: extra (only train, validation and test are read)",
    ]
    data = prepare(settings(written / "dict", group_by="patient", validation_files=False, image_size=8))
    assert (data.image_shape, data.padding, data.train_images + data.validation_images) == ((8, 8, 3), 1, 40)


def test_one_dataset_alone_is_trained_on_and_has_nothing_to_be_tested_with(written: Path) -> None:
    source = read(written / "single")
    np.testing.assert_array_equal(source.images, IMAGES[5:15])
    with pytest.raises(InputError, match="must hold a split `test`, to be tested with, but got train alone"):
        KIND.check_test_images(place_of(settings(written / "single")), source.class_names)


def test_a_search_opens_no_file_of_the_test_split(saved: Path) -> None:
    for path in (saved / "test").iterdir():
        path.write_bytes(b"")
    assert prepare(settings(saved)).train_images == 40


def test_a_part_of_a_split_goes_by_the_splits_name(written: Path, tmp_path: Path) -> None:
    root = shutil.copytree(written / "single", tmp_path / "single")
    state = json.loads((root / "state.json").read_text())
    for split, told in (
        ("train[:10%]", None),
        ("test", "a split `train`, to be trained on, but got test alone"),
    ):
        (root / "state.json").write_text(json.dumps(state | {"_split": split}))
        if told is None:
            assert len(read(root).images) == 10
        else:
            with pytest.raises(InputError, match=told):
                read(root)


def stated(**keys: Any) -> Callable[[Path], Any]:
    """state.json of the training split with other values."""

    def harm(root: Path) -> None:
        path = root / "train" / "state.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | keys))

    return harm


def cut(root: Path) -> None:
    path = root / "train" / "data-00001-of-00002.arrow"
    path.write_bytes(path.read_bytes()[:-40])


def cut_at_a_batch(root: Path) -> None:
    """What a copy leaves that was broken off between two batches: the stream's end is missing."""
    path = root / "train" / "data-00001-of-00002.arrow"
    path.write_bytes(path.read_bytes()[:-8])


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda root: (root / DICT).unlink(), "with dataset_dict.json or state.json, but got neither in "
         "{root}; extra, test, train, validation are splits without dataset_dict.json beside them"),
        (lambda root: (root / DICT).write_text("{{"), "must hold whole JSON files, but got {root}/dataset"),
        (lambda root: (root / DICT).write_text('{"splits": ["../x"]}'), "must name the splits, as"),
        (lambda root: (root / STATE).unlink(), "a split must have state.json, dataset_info.json and its "
         "data-*.arrow, but got no {root}/train/state.json"),
        (lambda root: (root / "train" / "dataset_info.json").unlink(), "but got no {root}/train/dataset_info.json"),
        (lambda root: shutil.rmtree(root / "train"), "but got no {root}/train/state.json"),
        (lambda root: (root / FIRST).unlink(), "every file that {root}/train/state.json "
         "names must be there, but got 1 of 2 that are not: data-00000-of-00002.arrow"),
        (stated(_data_files=[]), "must name its files, as"),
        (stated(_data_files=[{"filename": "../test/data-00000-of-00001.arrow"}]), "must name its files, as"),
        (stated(_indices_data_files=[{"filename": "indices.arrow"}]), "a choice of rows by _indices_data_files"),
        (cut, "must hold readable Arrow files, but got {root}/train/data-00001-of-00002.arrow: "),
        (cut_at_a_batch, "data-00001-of-00002.arrow: the stream has no end: is it cut short?"),
        (lambda root: (root / DICT).write_text('{"splits": ["train", "val", "validation"]}'),
         "must hold one split of validation images (or dataset.validation_files: false uses none), but got val and"),
    ],
)  # fmt: skip
def test_half_and_other_layouts_are_refused(saved: Path, harm: Callable[[Path], Any], told: str) -> None:
    harm(saved)
    with pytest.raises(InputError) as error:
        prepare(settings(saved))
    assert told.format(root=saved) in str(error.value)


def test_a_missing_column_is_told_with_those_that_could_be_meant(written: Path) -> None:
    with pytest.raises(
        InputError, match=r"Arrow files must have the columns .*set dataset\.label_column to label or"
    ):
        read(written / "dict", label_column="class")


def test_the_two_layouts_of_hugging_face_name_each_other(written: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"save_to_disk wrote it: set dataset\.name to huggingface"):
        prepare(DatasetSettings(name="parquet", root=str(written / "dict")))
    with pytest.raises(InputError, match=f"there is one in {written}/dict: set dataset.root to it"):
        prepare(settings(written))
    (tmp_path / "train-0.parquet").write_bytes(b"")
    with pytest.raises(InputError, match=r"there are train.*parquet: set dataset\.name to parquet"):
        prepare(settings(tmp_path))


def test_class_names_stand_in_dataset_info_where_the_schema_has_lost_them(saved: Path) -> None:
    """As where pyarrow, or another tool, wrote the rows again."""
    for path in saved.glob("*/data-*.arrow"):
        with pa.ipc.open_stream(path.read_bytes()) as reader:
            table = reader.read_all().replace_schema_metadata(None)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    assert read(saved).class_names == tuple(NAMES)
    assert KIND.class_names is not None
    assert KIND.class_names(place_of(settings(saved))) == tuple(NAMES)
    (saved / "train" / "dataset_info.json").write_text("{}")
    assert read(saved, validation_files=False).class_names == ("0", "1", "2")
