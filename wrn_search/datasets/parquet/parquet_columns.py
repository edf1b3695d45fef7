"""One Parquet or Arrow file: its columns of encoded images and labels, and the class names in its metadata."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wrn_search.datasets.dataset import Place, bad_data
from wrn_search.datasets.folder_walk import found_groups
from wrn_search.datasets.image_decoding import is_lfs_pointer
from wrn_search.datasets.parquet.arrow_file import ArrowFile
from wrn_search.datasets.parquet.saved_to_disk import INFO
from wrn_search.errors import InputError

IMAGE_COLUMNS = ("img", "image")  # where dataset.image_column names none
LABEL_COLUMN = "label"
NO_BYTES = "every image must hold its bytes"
_TRAIN_VALUES = ("train", "training")
_ROWS_AT_ONCE = 1000

RawLabels = npt.NDArray[Any]  # (rows,) int64 or, of text, object


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The open file; what pyarrow cannot read becomes an InputError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind = _kind(path)
    try:
        with pq.ParquetFile(path) if kind == "Parquet" else ArrowFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        if path.is_file() and is_lfs_pointer(path):
            raise bad_data(
                f"must hold the {kind} files themselves",
                f"a pointer of Git LFS ({path}): run `git lfs pull` there",
            ) from None
        text = " ".join(str(error).split())
        raise bad_data(f"must hold readable {kind} files", f"{path}: {text}") from None


def columns_of(path: Path, schema: Any, place: Place) -> tuple[str, str]:
    """(column of images, column of labels), after checking their types.

    Raises:
        InputError: one is not there, or of another type; names those that could be meant.
    """
    names = schema.names
    image = place.image_column or next((name for name in IMAGE_COLUMNS if name in names), None)
    label = place.label_column or LABEL_COLUMN
    if image not in names or label not in names:
        rule = f"{_kind(path)} files must have a column `img` or `image` and a column `label`"
        if place.image_column or place.label_column:
            rule = f"{_kind(path)} files must have the columns `{image or 'image'}` and `{label}`"
        hints = (
            []
            if image in names
            else _hint("image_column", [n for n in names if _is_image(schema.field(n).type)])
        )
        hints += (
            []
            if label in names
            else _hint("label_column", [n for n in names if _is_label(schema.field(n).type)])
        )
        raise bad_data(rule, "; ".join([f"columns {', '.join(names) or 'none'} ({path})", *hints]))
    image_type, label_type = schema.field(image).type, schema.field(label).type
    if not _is_image(image_type):
        rule = f"column `{image}` must be binary, or a struct with binary `bytes`"
        raise bad_data(rule, f"type {image_type} ({path})")
    if not _is_label(label_type):
        raise bad_data(f"column `{label}` must hold whole numbers or text", f"type {label_type} ({path})")
    return str(image), label


def raw_labels(path: Path, place: Place) -> RawLabels:
    """(rows,) labels as they are written, int64 or text, none of them null or negative."""
    import pyarrow as pa

    with opened(path) as file:
        _, name = columns_of(path, file.schema_arrow, place)
        column = file.read(columns=[name]).column(name)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if column.null_count:
        row = column.to_pylist().index(None)
        raise bad_data("every label must be given", f"null ({path}, row {row})")
    if not pa.types.is_integer(column.type):
        return np.array(column.to_pylist(), dtype=object)
    labels = column.to_numpy()
    wrong = np.flatnonzero((labels < 0) | (labels > np.iinfo(np.int64).max))
    if len(wrong):
        got = f"{labels[wrong[0]]} ({path}, row {wrong[0]})"
        raise bad_data("labels must be 0 to C - 1 of C classes", got)
    return np.asarray(labels.astype(np.int64))


def group_names(path: Path, place: Place) -> list[str] | None:
    """What `dataset.group_by` names of each row: a column's value, or what its pattern finds in the images' `path`.

    Raises:
        InputError: there is no such column and no `path`, or a row has no value.
    """
    import pyarrow as pa

    name = place.group_by
    if name is None:
        return None
    with opened(path) as file:
        schema = file.schema_arrow
        image, _ = columns_of(path, schema, place)
        if name in schema.names:
            values = file.read(columns=[name]).column(name).to_pylist()
            if None in values:
                rule = f"column `{name}` must have a value in every row"
                raise InputError.of(
                    "dataset.group_by", f"{rule}, but got null ({path}, row {values.index(None)})"
                )
            return [str(value) for value in values]
        kind = schema.field(image).type
        if one_group(name) and pa.types.is_struct(kind) and kind.get_field_index("path") >= 0:
            rows = file.read(columns=[f"{image}.path"]).column(image).to_pylist()
            paths = [str((row or {}).get("path") or "") for row in rows]
            known_as = [f"{path}, row {row}" for row in range(len(paths))]
            return found_groups(name, paths, known_as)
    rule = f"must be a column, or a pattern with one group of the `path` in column `{image}`"
    raise InputError.of(
        "dataset.group_by", f"{rule}, but got '{name}' (columns {', '.join(schema.names)}, {path})"
    )


def one_group(pattern: str) -> bool:
    """Whether text is a regular expression with exactly one group."""
    try:
        return re.compile(pattern).groups == 1
    except re.error:
        return False


def check_no_other_split(path: Path, place: Place) -> None:
    """A column `split` says of every row of a training file that it is trained on.

    Raises:
        InputError: it does not.
    """
    with opened(path) as file:
        names = file.schema_arrow.names
        if "split" not in names or "split" in (place.image_column, place.label_column):
            return
        values = sorted(map(str, set(file.read(columns=["split"]).column("split").to_pylist())))
    other = [value for value in values if value.lower() not in _TRAIN_VALUES]
    if other and (len(values) > 1 or not other[0].isdecimal()):
        rule = (
            "training files must hold rows to train on alone (write the others to files of their own, test*.parquet, "
            "or drop the column `split`)"
        )
        raise bad_data(rule, f"split {', '.join(values[:5])} ({path})")


def encoded_images(path: Path, place: Place) -> Iterator[tuple[str, bytes]]:
    """("FILE, row N", encoded image) of each row.

    Raises:
        InputError: a row holds none.
    """
    for name, data in rows_of_images(path, place):
        if data is None:
            raise bad_data(NO_BYTES, f"null ({name})")
        yield name, data


def rows_of_images(path: Path, place: Place) -> Iterator[tuple[str, bytes | None]]:
    """("FILE, row N", encoded image or None) of each row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    row = 0
    with opened(path) as file:
        column, _ = columns_of(path, file.schema_arrow, place)
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=[column]):
            values = batch.column(column)
            images = pc.struct_field(values, "bytes") if pa.types.is_struct(values.type) else values
            for data in images.to_pylist():
                yield f"{path}, row {row}", data
                row += 1


def class_names_in(path: Path, place: Place) -> tuple[str, ...] | None:
    """Names of the labels in Hugging Face's metadata, else in the dataset_info.json beside an Arrow file; None without.

    `save_to_disk` writes both, but the schema loses its metadata where a table was changed by pyarrow.
    """
    with opened(path) as file:
        metadata = file.schema_arrow.metadata or {}
        _, label = columns_of(path, file.schema_arrow, place)
    names = _names_of_label(metadata.get(b"huggingface", b""), label, below="info")
    if names is None and path.suffix == ".arrow":
        beside = path.with_name(INFO)
        names = _names_of_label(beside.read_bytes(), label) if beside.is_file() else None
    return names


def _names_of_label(text: bytes, label: str, below: str = "") -> tuple[str, ...] | None:
    """Those that JSON in the form of Hugging Face's features tells of a column; None where it tells none."""
    try:
        told = json.loads(text)
        names = (told[below] if below else told)["features"][label]["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    return tuple(str(name) for name in names) if isinstance(names, list) else None


def _kind(path: Path) -> str:
    """Of file, as a user calls it."""
    return "Arrow" if path.suffix == ".arrow" else "Parquet"


def _hint(key: str, candidates: list[str]) -> list[str]:
    return [f"set dataset.{key} to {' or '.join(candidates)}"] if candidates else []


def _is_image(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and _is_binary(kind.field("bytes").type)
    return _is_binary(kind)


def _is_binary(kind: Any) -> bool:
    import pyarrow as pa

    return any(test(kind) for test in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view))


def _is_label(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in tests)
