"""train*.parquet in Hugging Face's layout: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.datasets.image_data import encode, random_images, write_parquet
from wrn_search.datasets.dataset import Place
from wrn_search.datasets.parquet_files import presence, training_images
from wrn_search.errors import InputError

IMAGES = random_images(6)
ENCODED = [encode(image) for image in IMAGES]


def refused(root: Path) -> str:
    """The text with which a folder is refused, less its own path."""
    with pytest.raises(InputError) as error:
        training_images(Place(root))
    (problem,) = error.value.problems
    assert problem.key == "dataset.root"
    return problem.text.replace(str(root), "ROOT")


@pytest.mark.parametrize("column", ["img", "image"])
def test_rows_of_all_files_in_the_order_of_their_names(tmp_path: Path, column: str) -> None:
    write_parquet(tmp_path / "train-1.parquet", ENCODED[2:], [0, 1, 2, 2], column=column)
    write_parquet(tmp_path / "train-0.parquet", ENCODED[:2], [1, 0], column=column)
    source = training_images(Place(tmp_path))
    np.testing.assert_array_equal(source.images, IMAGES)
    assert source.labels.tolist() == [1, 0, 0, 1, 2, 2]
    assert source.labels.dtype == np.int64
    assert source.class_names == ("0", "1", "2")


def test_class_names_of_the_metadata(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train.parquet", ENCODED[:2], [1, 0], names=["cat", "dog"])
    assert training_images(Place(tmp_path)).class_names == ("cat", "dog")


def test_files_with_other_class_names_are_refused(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train-0.parquet", ENCODED[:2], [0, 1], names=["cat", "dog"])
    write_parquet(tmp_path / "train-1.parquet", ENCODED[2:4], [0, 1])  # says nothing
    assert training_images(Place(tmp_path)).class_names == ("cat", "dog")
    write_parquet(tmp_path / "train-2.parquet", ENCODED[4:], [0, 1], names=["dog", "cat"])
    text = (
        "the class names of all training files must be those of ROOT/train-0.parquet, ['cat', 'dog'], but got "
        "['dog', 'cat'] (ROOT/train-2.parquet)"
    )
    assert refused(tmp_path) == text
    with pytest.raises(InputError, match="the class names of all training files"):
        presence(Place(tmp_path))


@pytest.mark.parametrize("named", ["train-0.parquet", "train-1.parquet"])
def test_one_file_may_name_the_classes_of_all(tmp_path: Path, named: str) -> None:
    for name in ("train-0.parquet", "train-1.parquet"):
        names = ["cat", "dog"] if name == named else None
        write_parquet(tmp_path / name, ENCODED[:2], [0, 1], names=names)
    assert training_images(Place(tmp_path)).class_names == ("cat", "dog")


@pytest.mark.parametrize("metadata", [b"no json", b"[]", b'{"info": {"features": {"label": {}}}}'])
def test_other_metadata_name_no_class(tmp_path: Path, metadata: bytes) -> None:
    path = write_parquet(tmp_path / "train.parquet", ENCODED[:2], [1, 0])
    pq.write_table(pq.read_table(path).replace_schema_metadata({b"huggingface": metadata}), path)
    assert training_images(Place(tmp_path)).class_names == ("0", "1")


@pytest.mark.parametrize("dtype", [pa.int8(), pa.uint64()])
def test_any_whole_number_type(tmp_path: Path, dtype: Any) -> None:
    write_parquet(tmp_path / "train.parquet", ENCODED, pa.array([0, 1, 2, 0, 1, 2], dtype).to_pylist())
    table = pq.read_table(tmp_path / "train.parquet")
    pq.write_table(
        table.set_column(1, "label", table.column("label").cast(dtype)), tmp_path / "train.parquet"
    )
    assert training_images(Place(tmp_path)).labels.tolist() == [0, 1, 2, 0, 1, 2]


def test_presence_counts_without_decoding(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "train.parquet", [b"no image"] * 3, [0, 1, 1])
    looked = presence(Place(tmp_path))
    assert looked.text == f"found 3 images of 2 classes in {path}"
    assert (looked.images, looked.classes) == (3, 2)


def test_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path) == (
        "must be a folder that holds train*.parquet, but got no ROOT/train*.parquet; place the training files there, "
        "such as train-00000-of-00001.parquet from the `Files` page of a data set on huggingface.co"
    )
    write_parquet(tmp_path / "data" / "train-0.parquet", ENCODED[:2], [0, 1])
    assert refused(tmp_path).endswith("there are some in ROOT/data: set dataset.root to it")
    assert "got no ROOT/train*" in refused(tmp_path / "absent").replace("/absent", "")


def test_a_file_that_is_not_parquet(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(b"x" * 100)
    assert refused(tmp_path).startswith("must hold readable Parquet files, but got ROOT/train.parquet: ")


def test_a_file_with_a_hole(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "train.parquet", ENCODED, [0, 1, 2, 0, 1, 2])
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + bytes(len(whole) // 2) + whole[4 + len(whole) // 2 :])
    assert "(ROOT/train.parquet" in refused(tmp_path) or "got ROOT/train.parquet" in refused(tmp_path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"picture": [b""], "label": [0], "id": [1]},
         "Parquet files must have a column `img` or `image` and a column `label`, but got columns picture, label, id"),
        ({"img": [{"bytes": b""}]},
         "Parquet files must have a column `img` or `image` and a column `label`, but got columns img"),
        ({"img": [b"abc"], "label": [0]}, "column `img` must be a struct with binary `bytes`, but got type binary"),
        ({"image": [{"path": "x"}], "label": [0]},
         "column `image` must be a struct with binary `bytes`, but got type struct<path: string>"),
        ({"image": [{"bytes": "x"}], "label": [0]},
         "column `image` must be a struct with binary `bytes`, but got type struct<bytes: string>"),
        ({"img": [{"bytes": b""}], "label": ["cat"]}, "column `label` must hold whole numbers, but got type string"),
        ({"img": [{"bytes": b""}], "label": [0.0]}, "column `label` must hold whole numbers, but got type double"),
        ({"img": [{"bytes": b""}], "label": [True]}, "column `label` must hold whole numbers, but got type bool"),
    ],
)  # fmt: skip
def test_columns_that_do_not_fit(tmp_path: Path, table: dict[str, list[Any]], message: str) -> None:
    pq.write_table(pa.table(table), tmp_path / "train.parquet")
    assert refused(tmp_path) == f"{message} (ROOT/train.parquet)"
    with pytest.raises(InputError):
        presence(Place(tmp_path))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, None, 0, 1, 0], "every label must be given, but got null (ROOT/train.parquet, row 2)"),
        ([0, 1, 0, -1, 1, 0], "labels must be 0 to C - 1 of C classes, but got -1 (ROOT/train.parquet, row 3)"),
        ([0, 3, 0, 1, 1, 0], "labels must be 0 to 3, each with training images, but got no image of label 2 ('2')"),
        ([0, 10**15, 1, 0, 0, 0], "labels must be 0 to C - 1, each with training images, but got 1000000000000000 "
         "among 6 images (ROOT/train.parquet)"),
        ([0] * 6, "there must be at least 2 classes, but got 1"),
    ],
)  # fmt: skip
def test_labels_that_do_not_fit(tmp_path: Path, labels: list[int | None], message: str) -> None:
    write_parquet(tmp_path / "train.parquet", ENCODED, labels)
    assert refused(tmp_path) == message


def test_an_unsigned_label_beyond_int64_does_not_wrap_to_a_negative_one(tmp_path: Path) -> None:
    table = pa.table({"img": [{"bytes": ENCODED[0]}], "label": pa.array([2**64 - 1], pa.uint64())})
    pq.write_table(table, tmp_path / "train.parquet")
    assert "but got 18446744073709551615" in refused(tmp_path)


def test_a_named_class_without_images(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train.parquet", ENCODED[:2], [0, 1], names=["cat", "dog", "emu"])
    assert refused(tmp_path).endswith("but got no image of label 2 ('emu')")


def test_a_bad_image_is_named_by_its_row(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train-0.parquet", ENCODED[:2], [0, 1])
    write_parquet(tmp_path / "train-1.parquet", [ENCODED[2], b"no image"], [0, 1])
    assert refused(tmp_path).endswith("(ROOT/train-1.parquet, row 1)")
    write_parquet(tmp_path / "train-1.parquet", [ENCODED[2], None], [0, 1])
    assert refused(tmp_path) == "every image must hold its bytes, but got null (ROOT/train-1.parquet, row 1)"


def test_no_rows(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "train.parquet", ENCODED[:2], [0, 1])
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    assert refused(tmp_path) == "must hold training images, but got no row in ROOT/train.parquet"
