"""Data set `parquet`: root/train*.parquet (and test*.parquet), encoded images and labels in Hugging Face's layout."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
from wrn_search.datasets.folder_walk import counted, listed
from wrn_search.datasets.image_decoding import decode_images, first_image_shape
from wrn_search.datasets.parquet_columns import (
    RawLabels,
    check_no_other_split,
    class_names_in,
    encoded_images,
    raw_labels,
)
from wrn_search.datasets.parquet_layout import files_of, others_of, training_files_of

TEST_PATTERN = "test*.parquet"


@dataclass(frozen=True, eq=False)
class _Labelled:
    """The rows of all training files."""

    rows: tuple[int, ...]  # of each file
    labels: Labels  # (N,), 0 to C - 1
    class_names: tuple[str, ...]
    first: int | None  # what is written for label 0: 0 or 1; None where the names themselves are


def training_images(place: Place) -> Source:
    """All rows of the training files, in the order of the file names.

    Class names are those that Hugging Face's metadata gives, else the labels as they are written.

    Raises:
        InputError: a file, a column, a label or an image is not as it must be.
    """
    files = training_files(place)
    found = _labelled(files, place)
    encoded = (item for path in files for item in encoded_images(path, place))
    images = decode_images(encoded, len(found.labels), place.background)
    return Source(images, found.labels, found.class_names, _name_of(files, found.rows))


def training_files(place: Place) -> list[Path]:
    """Every file that `training_images` reads, sorted by name.

    Raises:
        InputError: there is none.
    """
    return training_files_of(place.root)


def presence(place: Place) -> Presence:
    """How many images and classes there are, and the size of the first.

    Raises:
        InputError: a file, a column, a label or the first image is not as it must be.
    """
    files = training_files(place)
    found = _labelled(files, place)
    check_labels(found.labels, found.class_names)
    images, classes = len(found.labels), len(found.class_names)
    told = f"found {images:,} images of {classes} classes in {_listed(files)}"
    shape = first_image_shape(item for path in files for item in encoded_images(path, place))
    return Presence(told, images, classes, shape)


def remarks(place: Place) -> list[str]:
    """Parquet files that are passed over."""
    others = others_of(place.root)
    if not others:
        return []
    which = listed(path.name for path in others)
    rule = "only train*.parquet is trained on, only test*.parquet tested with"
    return [f"{counted(len(others), 'Parquet file')} in {place.root} ignored ({which}): {rule}"]


def _labelled(files: list[Path], place: Place) -> _Labelled:
    """Labels as they are written, made 0 to C - 1: text by its sorted values, numbers that begin at 1 less 1."""
    for path in files:
        check_no_other_split(path, place)
    parts = [raw_labels(path, place) for path in files]
    labels, rows = _one_kind(parts, files), tuple(len(part) for part in parts)
    if len(labels) == 0:
        raise bad_data("must hold training images", f"no row in {_listed(files)}")
    if labels.dtype == object:
        texts, numbers = np.unique(labels, return_inverse=True)
        return _Labelled(rows, numbers.astype(np.int64), tuple(map(str, texts)), None)
    names = _common_names(files, place)
    if labels.max() > len(labels):  # before as many names are made
        rule = "labels must be 0 to C - 1, each with training images"
        raise bad_data(rule, f"{labels.max()} among {len(labels)} images ({_listed(files)})")
    first = 1 if names is None and labels.min() == 1 else 0
    names = names or tuple(str(label) for label in range(first, int(labels.max()) + 1))
    return _Labelled(rows, labels - first, names, first)


def _one_kind(parts: list[RawLabels], files: list[Path]) -> RawLabels:
    """All labels behind each other.

    Raises:
        InputError: numbers in one file and text in another.
    """
    for part, path in zip(parts, files, strict=True):
        if part.dtype != parts[0].dtype:
            kinds = ["text" if each.dtype == object else "numbers" for each in (parts[0], part)]
            rule = f"labels must be of one kind in all files, {kinds[0]} as in {files[0]}"
            raise bad_data(rule, f"{kinds[1]} ({path})")
    return np.concatenate(parts)


def _common_names(files: list[Path], place: Place) -> tuple[str, ...] | None:
    """The class names that the files give; None where none gives any.

    Raises:
        InputError: two files give other ones, so that a label means something else in each.
    """
    given = [(path, names) for path in files if (names := class_names_in(path, place)) is not None]
    for path, names in given[1:]:
        if names != given[0][1]:
            rule = (
                f"the class names of all training files must be those of {given[0][0]}, {list(given[0][1])}"
            )
            raise bad_data(rule, f"{list(names)} ({path})")
    return given[0][1] if given else None


def _listed(files: list[Path]) -> str:
    return f"{files[0]}" if len(files) == 1 else f"{files[0].parent / 'train*.parquet'} ({len(files)} files)"


def _name_of(files: list[Path], rows: tuple[int, ...]) -> Callable[[int], str]:
    """Index of an image -> its file and row."""
    ends = list(itertools.accumulate(rows))

    def name(index: int) -> str:
        place = bisect.bisect_right(ends, index)
        return f"row {index - (ends[place] - rows[place])} of {files[place].name}"

    return name


def test_images(place: Place, class_names: tuple[str, ...]) -> LabelledImages:
    """All rows of the test files, in the order of the file names."""
    files = _test_files(place)
    raw = _one_kind([raw_labels(path, place) for path in files], files)
    if len(raw) == 0:
        raise bad_data("must hold test images", f"no row in {files[0].parent / TEST_PATTERN}")
    labels = _test_labels(raw, _labelled(training_files(place), place), files[0])
    encoded = (item for path in files for item in encoded_images(path, place))
    return LabelledImages(decode_images(encoded, len(labels), place.background), labels)


def _test_labels(raw: RawLabels, trained: _Labelled, where: Path) -> Labels:
    """The test images' labels as those of the training images count; numbers are checked where they are used."""
    if (raw.dtype == object) is not (trained.first is None):
        kinds = ("text", "numbers") if trained.first is None else ("numbers", "text")
        raise bad_data(f"test labels must be {kinds[0]} as in the training files", f"{kinds[1]} ({where})")
    if trained.first is not None:
        return np.asarray(raw - trained.first, dtype=np.int64)
    known = {name: label for label, name in enumerate(trained.class_names)}
    stray = sorted({str(text) for text in raw} - known.keys())
    if stray:
        rule = f"test labels must be those of the training images, {list(trained.class_names)}"
        raise bad_data(rule, f"'{stray[0]}' ({where})")
    return np.array([known[str(text)] for text in raw], dtype=np.int64)


def _check_test_images(place: Place, class_names: tuple[str, ...]) -> None:
    numbers = tuple(map(str, range(len(class_names))))
    for path in _test_files(place):
        names = class_names_in(path, place)
        if names is not None and class_names not in (names, numbers):
            rule = f"the class names of the test images must be those of the training images, {list(class_names)}"
            raise bad_data(rule, f"{list(names)} ({path})")


def _test_files(place: Place) -> list[Path]:
    if files := files_of(place.root, "test"):
        return files
    rule = f"must be a folder that holds {TEST_PATTERN}, to be confirmed"
    raise bad_data(rule, f"no {place.root / TEST_PATTERN}")


PARQUET = Dataset(
    DatasetFacts(None, None, None, has_columns=True),
    training_images,
    presence,
    test_images,
    _check_test_images,
    user_files=training_files,
    remarks=remarks,
)
