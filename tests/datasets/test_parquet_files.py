"""train*.parquet in Hugging Face's layout: what is read, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.datasets.image_data import encode, random_images, write_parquet
from wrn_search.datasets.dataset import Place
from wrn_search.datasets.parquet_files import PARQUET, presence, remarks, training_images
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


def test_presence_counts_and_decodes_the_first_image_alone(tmp_path: Path) -> None:
    encoded = [ENCODED[0], b"no image", b"no image"]
    path = write_parquet(tmp_path / "train.parquet", encoded, [0, 1, 1])
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
         "Parquet files must have a column `img` or `image` and a column `label`, but got columns picture, label, id "
         "(ROOT/train.parquet); set dataset.image_column to picture"),
        ({"img": [b""], "fine_label": [0], "coarse_label": [1]},
         "Parquet files must have a column `img` or `image` and a column `label`, but got columns img, fine_label, "
         "coarse_label (ROOT/train.parquet); set dataset.label_column to fine_label or coarse_label"),
        ({"img": [{"bytes": b""}]},
         "Parquet files must have a column `img` or `image` and a column `label`, but got columns img "
         "(ROOT/train.parquet)"),
        ({"image": [{"path": "x"}], "label": [0]}, "column `image` must be binary, or a struct with binary `bytes`, "
         "but got type struct<path: string> (ROOT/train.parquet)"),
        ({"image": [{"bytes": "x"}], "label": [0]}, "column `image` must be binary, or a struct with binary `bytes`, "
         "but got type struct<bytes: string> (ROOT/train.parquet)"),
        ({"img": [b""], "label": [0.0]},
         "column `label` must hold whole numbers or text, but got type double (ROOT/train.parquet)"),
        ({"img": [b""], "label": [True]},
         "column `label` must hold whole numbers or text, but got type bool (ROOT/train.parquet)"),
    ],
)  # fmt: skip
def test_columns_that_do_not_fit(tmp_path: Path, table: dict[str, list[Any]], message: str) -> None:
    pq.write_table(pa.table(table), tmp_path / "train.parquet")
    assert refused(tmp_path) == message
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


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()])
@pytest.mark.parametrize("plain", [True, False])
def test_images_may_be_any_binary_column_or_a_struct_of_one(tmp_path: Path, kind: Any, plain: bool) -> None:
    column = pa.array(ENCODED, kind)
    images = column if plain else pa.StructArray.from_arrays([column], ["bytes"])
    pq.write_table(pa.table({"img": images, "label": [0, 1, 0, 1, 0, 1]}), tmp_path / "train.parquet")
    np.testing.assert_array_equal(training_images(Place(tmp_path)).images, IMAGES)


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    table = pa.table({"picture": ENCODED, "label": [0] * 6, "fine_label": [2, 0, 1, 2, 0, 1]})
    names = {"info": {"features": {"fine_label": {"names": ["ant", "bee", "cow"]}}}}
    table = table.replace_schema_metadata({"huggingface": json.dumps(names)})
    for name in ("train.parquet", "test.parquet"):
        pq.write_table(table, tmp_path / name)
    place = Place(tmp_path, image_column="picture", label_column="fine_label")
    source = training_images(place)
    assert (source.labels.tolist(), source.class_names) == ([2, 0, 1, 2, 0, 1], ("ant", "bee", "cow"))
    PARQUET.check_test_images(place, source.class_names)
    assert PARQUET.read_test_images(place, source.class_names).labels.tolist() == source.labels.tolist()
    with pytest.raises(
        InputError, match=r"must have the columns `picture` and `none`, .* dataset\.label_column to"
    ):
        training_images(Place(tmp_path, image_column="picture", label_column="none"))


TEXTS = ["dog", "cat", "emu", "dog", "cat", "emu"]


@pytest.mark.parametrize(
    ("column", "labels", "names"),
    [
        (pa.array(TEXTS), [1, 0, 2, 1, 0, 2], ("cat", "dog", "emu")),
        (pa.array(TEXTS, pa.large_string()), [1, 0, 2, 1, 0, 2], ("cat", "dog", "emu")),
        (pa.array(TEXTS).dictionary_encode(), [1, 0, 2, 1, 0, 2], ("cat", "dog", "emu")),
        (pa.array([3, 1, 2, 3, 1, 2], pa.int8()), [2, 0, 1, 2, 0, 1], ("1", "2", "3")),
        (pa.array([2, 0, 1, 2, 0, 1]).dictionary_encode(), [2, 0, 1, 2, 0, 1], ("0", "1", "2")),
    ],
)
def test_labels_may_be_text_categories_or_numbers_from_1(
    tmp_path: Path, column: Any, labels: list[int], names: tuple[str, ...]
) -> None:
    table = pa.table({"img": ENCODED, "label": column})
    pq.write_table(table.slice(0, 4), tmp_path / "train-0.parquet")
    pq.write_table(table.slice(4), tmp_path / "train-1.parquet")
    pq.write_table(table.slice(1, 2), tmp_path / "test.parquet")
    source = training_images(Place(tmp_path))
    assert (source.labels.tolist(), source.class_names) == (labels, names)
    assert presence(Place(tmp_path)).classes == 3
    test = PARQUET.read_test_images(Place(tmp_path), names)
    assert test.labels.tolist() == labels[1:3]


@pytest.mark.parametrize(
    ("tested", "text"),
    [
        (["cat", "fox"], "['cat', 'dog', 'emu'], but got 'fox'"),
        ([0, 1], "test labels must be text as in the training files, but got numbers"),
    ],
)
def test_test_labels_that_the_training_does_not_know(tmp_path: Path, tested: list[Any], text: str) -> None:
    pq.write_table(pa.table({"img": ENCODED, "label": TEXTS}), tmp_path / "train.parquet")
    pq.write_table(pa.table({"img": ENCODED[:2], "label": tested}), tmp_path / "test.parquet")
    with pytest.raises(InputError) as error:
        PARQUET.read_test_images(Place(tmp_path), ("cat", "dog", "emu"))
    assert text in str(error.value)


def test_text_in_one_file_and_numbers_in_another_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"img": ENCODED, "label": TEXTS}), tmp_path / "train-0.parquet")
    pq.write_table(pa.table({"img": ENCODED, "label": [0, 1] * 3}), tmp_path / "train-1.parquet")
    assert refused(tmp_path) == (
        "labels must be of one kind in all files, text as in ROOT/train-0.parquet, but got numbers "
        "(ROOT/train-1.parquet)"
    )


def test_rows_of_other_splits_are_refused(tmp_path: Path) -> None:
    table = {"img": ENCODED, "label": [0, 1] * 3, "split": ["train"] * 6}
    pq.write_table(pa.table(table), tmp_path / "train.parquet")
    assert len(training_images(Place(tmp_path)).labels) == 6
    pq.write_table(pa.table(table | {"split": ["train"] * 4 + ["test"] * 2}), tmp_path / "train.parquet")
    assert refused(tmp_path) == (
        "training files must hold rows to train on alone (write the others to files of their own, test*.parquet, or "
        "drop the column `split`), but got split test, train (ROOT/train.parquet)"
    )


def test_a_pointer_of_git_lfs_is_named(tmp_path: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    (tmp_path / "train.parquet").write_bytes(pointer)
    assert refused(tmp_path) == (
        "must hold the Parquet files themselves, but got a pointer of Git LFS (ROOT/train.parquet): "
        "run `git lfs pull` there"
    )
    write_parquet(tmp_path / "train.parquet", [*ENCODED[:1], pointer], [0, 1])
    assert "a pointer of Git LFS (ROOT/train.parquet, row 1)" in refused(tmp_path)


@pytest.mark.parametrize("name", ["train.parquet", "train-2024.parquet", "train"])
def test_a_folder_of_parts_is_read(tmp_path: Path, name: str) -> None:
    write_parquet(tmp_path / name / "part-00001-a.snappy.parquet", ENCODED[2:], [0, 1, 2, 2])
    write_parquet(tmp_path / name / "part-00000-a.snappy.parquet", ENCODED[:2], [1, 0])
    for other in ("_SUCCESS", "_metadata", ".part-00000-a.snappy.parquet.crc", "_temporary.parquet"):
        (tmp_path / name / other).write_bytes(b"x")
    np.testing.assert_array_equal(training_images(Place(tmp_path)).images, IMAGES)


@pytest.mark.parametrize(
    ("made", "root", "hint"),
    [
        ("default/train/0000.parquet", ".", "there are some in ROOT/default: set dataset.root to it"),
        ("a/data/train-0.parquet", ".", "there are some in ROOT/a/data: set dataset.root to it"),
        ("train/0000.parquet", "train", "the files of train are in ROOT/train itself: set dataset.root to ROOT"),
        ("train.parquet", "train.parquet", "that is a file: set dataset.root to its folder ROOT"),
        ("0000.parquet", ".", "there are others in ROOT (0000.parquet): name those that are to be trained on "
         "train*.parquet, those to be tested with test*.parquet"),
        ("data/Train.parquet", ".", "there are others in ROOT/data (Train.parquet): name those that are to be trained "
         "on train*.parquet, those to be tested with test*.parquet"),
    ],
)  # fmt: skip
def test_the_nearest_layout_is_named(tmp_path: Path, made: str, root: str, hint: str) -> None:
    write_parquet(tmp_path / made, ENCODED[:2], [0, 1])
    with pytest.raises(InputError) as error:
        training_images(Place(tmp_path / root))
    assert str(error.value).replace(str(tmp_path), "ROOT").endswith(hint)


def test_files_that_are_passed_over_are_told(tmp_path: Path) -> None:
    for name in ("train-0.parquet", "test-0.parquet", "values.parquet"):
        write_parquet(tmp_path / name, ENCODED[:2], [0, 1])
    assert remarks(Place(tmp_path)) == [
        f"1 Parquet file in {tmp_path} ignored (values.parquet): only train*.parquet is trained on, only "
        "validation*.parquet validates, only test*.parquet is tested with"
    ]


@pytest.mark.parametrize(
    "name", ["validation-0.parquet", "val.parquet", "valid_a.parquet", "dev/part-0.parquet"]
)
def test_validation_files_are_used_and_told_unless_they_are_not_wanted(tmp_path: Path, name: str) -> None:
    write_parquet(tmp_path / "train.parquet", ENCODED[:2], ["cat", "dog"])
    path = write_parquet(tmp_path / name, ENCODED[2:4], ["dog", "dog"])
    place, without = Place(tmp_path), Place(tmp_path, validation_files=False)
    source = training_images(place)
    assert source.labels.tolist() == [0, 1, 1, 1]
    assert source.validation is not None
    assert source.validation.tolist() == [2, 3]
    assert source.name_of(3) == f"row 1 of {path.name}"
    assert (
        remarks(place)[0] == f"the images of {path} validate: dataset.validation holds none of the others out"
    )
    assert training_images(without).validation is None
    if path.parent == tmp_path:
        assert path.name in remarks(without)[0]


def test_every_row_is_known_by_its_file(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train-0.parquet", ENCODED[:2], [0, 1])
    write_parquet(tmp_path / "train-1.parquet", ENCODED[2:], [0, 1, 0, 1])
    name_of = training_images(Place(tmp_path)).name_of
    assert [name_of(index) for index in (0, 1, 2, 5)] == [
        "row 0 of train-0.parquet",
        "row 1 of train-0.parquet",
        "row 0 of train-1.parquet",
        "row 3 of train-1.parquet",
    ]
