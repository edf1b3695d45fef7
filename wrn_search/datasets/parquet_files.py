"""Data set `parquet`: root/train*.parquet (and test*.parquet) in Hugging Face's layout, encoded images and labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from wrn_search.datasets.dataset import (
    Dataset,
    DatasetFacts,
    LabelledImages,
    Labels,
    Place,
    Presence,
    Source,
    bad_data,
    check_labels,
)
from wrn_search.datasets.image_decoding import decode_images, first_image_shape

PATTERN = "train*.parquet"
TEST_PATTERN = "test*.parquet"
_ROWS_AT_ONCE = 1000


def training_images(place: Place) -> Source:
    """All rows of the training files, in the order of the file names.

    Class names are those that Hugging Face's metadata gives, else the labels' numbers.

    Raises:
        InputError: a file, a column, a label or an image is not as it must be.
    """
    files = training_files(place)
    labels, class_names = _labels_and_names(files)
    encoded = (item for path in files for item in encoded_images(path))
    return Source(decode_images(encoded, len(labels)), labels, class_names)


def training_files(place: Place) -> list[Path]:
    """Every file that `training_images` reads, sorted by name.

    Raises:
        InputError: there is none.
    """
    root = place.root
    files = sorted(root.glob(PATTERN)) if root.is_dir() else []
    if files:
        return files
    below = next(iter(sorted(root.glob(f"*/{PATTERN}"))), None) if root.is_dir() else None
    if below:
        hint = f"there are some in {below.parent}: set dataset.root to it"
    else:
        example = "train-00000-of-00001.parquet from the `Files` page of a data set on huggingface.co"
        hint = f"place the training files there, such as {example}"
    raise bad_data(f"must be a folder that holds {PATTERN}", f"no {root / PATTERN}; {hint}")


def presence(place: Place) -> Presence:
    """How many images and classes there are, and the size of the first.

    Raises:
        InputError: a file, a column, a label or the first image is not as it must be.
    """
    files = training_files(place)
    labels, class_names = _labels_and_names(files)
    check_labels(labels, class_names)
    found = f"found {len(labels):,} images of {len(class_names)} classes in {_listed(files)}"
    shape = first_image_shape(item for path in files for item in encoded_images(path))
    return Presence(found, len(labels), len(class_names), shape)


def _labels_and_names(files: list[Path]) -> tuple[Labels, tuple[str, ...]]:
    """(N,) labels of all rows, and names of Hugging Face's metadata or else the labels' numbers."""
    labels = np.concatenate([labels_in(path) for path in files])
    if len(labels) == 0:
        raise bad_data("must hold training images", f"no row in {_listed(files)}")
    if labels.max() >= len(labels):  # before as many names are made
        rule = "labels must be 0 to C - 1, each with training images"
        raise bad_data(rule, f"{labels.max()} among {len(labels)} images ({_listed(files)})")
    return labels, _common_names(files) or tuple(str(label) for label in range(int(labels.max()) + 1))


def _common_names(files: list[Path]) -> tuple[str, ...] | None:
    """The class names that the files give; None where none gives any.

    Raises:
        InputError: two files give other ones, so that a label means something else in each.
    """
    given = [(path, names) for path in files if (names := class_names_in(path)) is not None]
    for path, names in given[1:]:
        if names != given[0][1]:
            rule = (
                f"the class names of all training files must be those of {given[0][0]}, {list(given[0][1])}"
            )
            raise bad_data(rule, f"{list(names)} ({path})")
    return given[0][1] if given else None


def _listed(files: list[Path]) -> str:
    return f"{files[0]}" if len(files) == 1 else f"{files[0].parent / PATTERN} ({len(files)} files)"


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, str]]:
    """The open file and the name of its image column; what pyarrow cannot read becomes an InputError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            yield file, _image_column(path, file.schema_arrow)
    except (pa.ArrowException, OSError) as error:
        raise bad_data(
            "must hold readable Parquet files", f"{path}: {' '.join(str(error).split())}"
        ) from None


def _image_column(path: Path, schema: Any) -> str:
    """`img` or `image`, after checking the types of the two columns that are read."""
    import pyarrow as pa

    name = next((name for name in ("img", "image") if name in schema.names), None)
    if name is None or "label" not in schema.names:
        rule = "Parquet files must have a column `img` or `image` and a column `label`"
        raise bad_data(rule, f"columns {', '.join(schema.names) or 'none'} ({path})")
    image_type, label_type = schema.field(name).type, schema.field("label").type
    inner = image_type.field("bytes").type if _has_bytes(image_type) else None
    if inner is None or not (pa.types.is_binary(inner) or pa.types.is_large_binary(inner)):
        raise bad_data(f"column `{name}` must be a struct with binary `bytes`", f"type {image_type} ({path})")
    if not pa.types.is_integer(label_type):
        raise bad_data("column `label` must hold whole numbers", f"type {label_type} ({path})")
    return name


def _has_bytes(image_type: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_struct(image_type)) and image_type.get_field_index("bytes") >= 0


def labels_in(path: Path) -> Labels:
    """(rows,) labels, none of them null or negative."""
    with _opened(path) as (file, _):
        column = file.read(columns=["label"]).column("label")
        if column.null_count:
            row = column.to_pylist().index(None)
            raise bad_data("every label must be given", f"null ({path}, row {row})")
        labels = column.to_numpy()
    wrong = np.flatnonzero((labels < 0) | (labels > np.iinfo(np.int64).max))
    if len(wrong):
        got = f"{labels[wrong[0]]} ({path}, row {wrong[0]})"
        raise bad_data("labels must be 0 to C - 1 of C classes", got)
    as_int64: Labels = labels.astype(np.int64)
    return as_int64


def encoded_images(path: Path) -> Iterator[tuple[str, bytes]]:
    """("FILE, row N", encoded image) of each row."""
    import pyarrow.compute as pc

    row = 0
    with _opened(path) as (file, column):
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=[column]):
            for data in pc.struct_field(batch.column(column), "bytes").to_pylist():
                if data is None:
                    raise bad_data("every image must hold its bytes", f"null ({path}, row {row})")
                yield f"{path}, row {row}", data
                row += 1


def class_names_in(path: Path) -> tuple[str, ...] | None:
    """Names of `label` in Hugging Face's metadata; None where the file has none."""
    with _opened(path) as (file, _):
        metadata = file.schema_arrow.metadata or {}
    try:
        names = json.loads(metadata[b"huggingface"])["info"]["features"]["label"]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return tuple(str(name) for name in names) if isinstance(names, list) else None


def test_images(place: Place, class_names: tuple[str, ...]) -> LabelledImages:
    """All rows of the test files, in the order of the file names."""
    files = _test_files(place)
    labels = np.concatenate([labels_in(path) for path in files])
    if len(labels) == 0:
        raise bad_data("must hold test images", f"no row in {files[0].parent / TEST_PATTERN}")
    encoded = (item for path in files for item in encoded_images(path))
    return LabelledImages(decode_images(encoded, len(labels)), labels)


def _check_test_images(place: Place, class_names: tuple[str, ...]) -> None:
    numbers = tuple(map(str, range(len(class_names))))
    for path in _test_files(place):
        names = class_names_in(path)
        if names is not None and class_names not in (names, numbers):
            rule = f"the class names of the test images must be those of the training images, {list(class_names)}"
            raise bad_data(rule, f"{list(names)} ({path})")


def _test_files(place: Place) -> list[Path]:
    root = place.root
    files = sorted(root.glob(TEST_PATTERN)) if root.is_dir() else []
    if not files:
        rule = f"must be a folder that holds {TEST_PATTERN}, to be confirmed"
        raise bad_data(rule, f"no {root / TEST_PATTERN}")
    return files


PARQUET = Dataset(
    DatasetFacts(None, None, None),
    training_images,
    presence,
    test_images,
    _check_test_images,
    user_files=training_files,
)
