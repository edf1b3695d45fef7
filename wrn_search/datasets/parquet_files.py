"""Data sets whose rows hold encoded images and labels: `parquet`, root/train*.parquet (and test*.parquet) in Hugging
Face's layout, and `huggingface`, what `save_to_disk` of its library `datasets` wrote."""

from __future__ import annotations

import bisect
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from wrn_search.datasets.dataset import (
    Dataset,
    DatasetFacts,
    LabelledImages,
    Labels,
    LabelsOfFiles,
    Place,
    Presence,
    Source,
    bad_data,
    check_labels,
    group_numbers,
)
from wrn_search.datasets.folder_walk import listed, used_text
from wrn_search.datasets.image_decoding import decode_images, image_shape_of
from wrn_search.datasets.image_fit import fit_text
from wrn_search.datasets.parquet.parquet_columns import (
    RawLabels,
    check_no_other_split,
    class_names_in,
    encoded_images,
    group_names,
    raw_labels,
)
from wrn_search.datasets.parquet.table_layout import PARQUET_LAYOUT, SAVED_LAYOUT, TableLayout

_LOOKED_AT = 1_000  # rows whose headers a look reads, where the first is grey


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """The rows of all training files."""

    rows: tuple[int, ...]  # of each file
    labels: Labels  # (N,), 0 to C - 1
    class_names: tuple[str, ...]
    first: int | None  # what is written for label 0: 0 or 1; None where the names themselves are


def training_images(place: Place, layout: TableLayout = PARQUET_LAYOUT) -> Source:
    """All rows of the training files, in the order of the file names, then those of the validation files.

    Class names are those that Hugging Face's metadata gives, else the labels as they are written.

    Raises:
        InputError: a file, a column, a label or an image is not as it must be.
    """
    trained, held_out = layout.training(place.root), _validation_files(place, layout)
    files, found = [*trained, *held_out], labelled_rows(trained, place)
    own, told_of = _labels_of_files(found, trained, held_out, place)
    labels, validation, groups, rows = told_of.labels, told_of.validation, told_of.groups, (*found.rows, *own)
    encoded = (item for path in files for item in encoded_images(path, place))
    sizes: Counter[tuple[int, int]] = Counter()
    images = decode_images(encoded, len(labels), place.background, place.fit, sizes, place.decoded)
    told = tuple(fit_text(place.fit, sizes, place.background)) if place.fit else ()
    return Source(images, labels, found.class_names, _name_of(files, rows), told, validation, groups)


def training_files(place: Place, layout: TableLayout = PARQUET_LAYOUT) -> list[Path]:
    """Every file that `training_images` reads, sorted by name.

    Raises:
        InputError: there is none.
    """
    return [*layout.training(place.root), *_validation_files(place, layout)]


def presence(place: Place, layout: TableLayout = PARQUET_LAYOUT) -> Presence:
    """How many images and classes there are, and the size of the first.

    Raises:
        InputError: a file, a column, a label or the first image is not as it must be.
    """
    files, held_out = layout.training(place.root), _validation_files(place, layout)
    found = labelled_rows(files, place)
    check_labels(found.labels, found.class_names)
    images, classes = len(found.labels), len(found.class_names)
    told = f"found {images:,} images of {classes} classes in {_listed(files)}"
    _, rows = _labels_of_files(found, files, held_out, place)
    validation = None if rows.validation is None else len(rows.validation)
    if held_out:
        what = "are trained on, too," if place.joined else "validate"
        told += f", {validation:,} that {what} in {_listed(held_out, 'validation')}"
    encoded = (item for path in [*files, *held_out] for item in encoded_images(path, place))
    shape = image_shape_of(itertools.islice(encoded, _LOOKED_AT), place.fit)
    counts = np.bincount(found.labels, minlength=classes).tolist()
    by_class = tuple(zip(found.class_names, counts, strict=True))
    return Presence(told, images, classes, shape, validation, by_class, rows)


def _labels_of_files(
    found: LabelledRows, trained: list[Path], held_out: list[Path], place: Place
) -> tuple[list[int], LabelsOfFiles]:
    """Rows of each validation file, and what decides about the split.

    Raises:
        InputError: a class is in the validation files alone, or a label or a group is not as it must be.
    """
    groups = group_numbers(_groups([*trained, *held_out], place))
    if not held_out:
        return [], LabelsOfFiles(found.labels, None, groups)
    check_labels(found.labels, found.class_names)
    raw = [raw_labels(path, place) for path in held_out]
    labels = np.concatenate([found.labels, _validation_labels(raw, found, held_out, place)])
    validation = np.arange(len(found.labels), len(labels), dtype=np.int64)
    return [len(part) for part in raw], LabelsOfFiles(labels, validation, groups)


def remarks(place: Place, layout: TableLayout = PARQUET_LAYOUT) -> list[str]:
    """Files that are passed over, and those that validate."""
    held_out = _validation_files(place, layout)
    lines = [used_text(listed(str(path) for path in held_out), place.joined)] if held_out else []
    return [*lines, *layout.passed_over(place.root, place.validation_files)]


def _validation_files(place: Place, layout: TableLayout) -> list[Path]:
    return layout.validation(place.root) if place.validation_files else []


def _groups(files: list[Path], place: Place) -> list[str] | None:
    """What every row is grouped by; None where nothing is asked for."""
    if place.group_by is None:
        return None
    return [name for path in files for name in group_names(path, place) or []]


def _validation_labels(
    raw: list[RawLabels], trained: LabelledRows, files: list[Path], place: Place
) -> Labels:
    """Labels of validation files as those of the training files count.

    Raises:
        InputError: there is none, or one that is not trained on.
    """
    for path in files:
        names = class_names_in(path, place)
        if names is not None and names != trained.class_names and trained.first is not None:
            rule = f"the class names of all training and validation files must be {list(trained.class_names)}"
            raise bad_data(rule, f"{list(names)} ({path})")
    labels = _as_trained(_one_kind(raw, files), trained, files[0], "validation")
    stray = labels[(labels < 0) | (labels >= len(trained.class_names))]
    if not len(labels) or len(stray):
        rule = f"validation files must hold images with labels of the training images, {list(trained.class_names)}"
        raise bad_data(rule, f"{f'label {stray[0]}' if len(stray) else 'no row'} ({files[0]})")
    return labels


def names_of_labels(files: list[Path], place: Place, trained: LabelledRows) -> list[str]:
    """What the training files call the labels of other files, row by row; stray ones go by what is written.

    Raises:
        InputError: a file, a column or a label is not as it must be.
    """
    raw = _one_kind([raw_labels(path, place) for path in files], files)
    known = {str(number + (trained.first or 0)): name for number, name in enumerate(trained.class_names)}
    numbers = trained.first is not None
    return [known.get(str(label), str(label)) if numbers else str(label) for label in raw.tolist()]


def labelled_rows(files: list[Path], place: Place) -> LabelledRows:
    """Labels as they are written, made 0 to C - 1: text by its sorted values, numbers that begin at 1 less 1."""
    for path in files:
        check_no_other_split(path, place)
    parts = [raw_labels(path, place) for path in files]
    labels, rows = _one_kind(parts, files), tuple(len(part) for part in parts)
    if len(labels) == 0:
        raise bad_data("must hold training images", f"no row in {_listed(files)}")
    if labels.dtype == object:
        texts, numbers = np.unique(labels, return_inverse=True)
        return LabelledRows(rows, numbers.astype(np.int64), tuple(map(str, texts)), None)
    names = _common_names(files, place)
    if labels.max() > len(labels):  # before as many names are made
        rule = "labels must be 0 to C - 1, each with training images"
        raise bad_data(rule, f"{labels.max()} among {len(labels)} images ({_listed(files)})")
    first = 1 if names is None and labels.min() == 1 else 0
    names = names or tuple(str(label) for label in range(first, int(labels.max()) + 1))
    return LabelledRows(rows, labels - first, names, first)


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


def _listed(files: list[Path], split: str = "train") -> str:
    several = f"{split}*.parquet" if files[0].suffix == ".parquet" else f"*{files[0].suffix}"
    return f"{files[0]}" if len(files) == 1 else f"{files[0].parent / several} ({len(files)} files)"


def _name_of(files: list[Path], rows: tuple[int, ...]) -> Callable[[int], str]:
    """Index of an image -> its file and row."""
    ends = list(itertools.accumulate(rows))

    def name(index: int) -> str:
        place = bisect.bisect_right(ends, index)
        return f"row {index - (ends[place] - rows[place])} of {files[place].name}"

    return name


def _test_images(place: Place, class_names: tuple[str, ...], layout: TableLayout) -> LabelledImages:
    """All rows of the test files, in the order of the file names."""
    files = layout.test(place.root)
    raw = _one_kind([raw_labels(path, place) for path in files], files)
    if len(raw) == 0:
        raise bad_data("must hold test images", f"no row in {_listed(files, 'test')}")
    labels = _as_trained(raw, labelled_rows(layout.training(place.root), place), files[0], "test")
    encoded = (item for path in files for item in encoded_images(path, place))
    return LabelledImages(decode_images(encoded, len(labels), place.background, place.fit), labels)


def _as_trained(raw: RawLabels, trained: LabelledRows, where: Path, split: str) -> Labels:
    """Labels of another split as those of the training images count; numbers are checked where they are used."""
    if (raw.dtype == object) is not (trained.first is None):
        kinds = ("text", "numbers") if trained.first is None else ("numbers", "text")
        raise bad_data(f"{split} labels must be {kinds[0]} as in the training files", f"{kinds[1]} ({where})")
    if trained.first is not None:
        return np.asarray(raw - trained.first, dtype=np.int64)
    known = {name: label for label, name in enumerate(trained.class_names)}
    stray = sorted({str(text) for text in raw} - known.keys())
    if stray:
        rule = f"{split} labels must be those of the training images, {list(trained.class_names)}"
        raise bad_data(rule, f"'{stray[0]}' ({where})")
    return np.array([known[str(text)] for text in raw], dtype=np.int64)


def _check_test_images(place: Place, class_names: tuple[str, ...], layout: TableLayout) -> None:
    numbers = tuple(map(str, range(len(class_names))))
    for path in layout.test(place.root):
        names = class_names_in(path, place)
        if names is not None and class_names not in (names, numbers):
            rule = f"the class names of the test images must be those of the training images, {list(class_names)}"
            raise bad_data(rule, f"{list(names)} ({path})")


def _dataset(layout: TableLayout) -> Dataset:
    return Dataset(
        DatasetFacts(None, None, None, has_columns=True),
        partial(training_images, layout=layout),
        partial(presence, layout=layout),
        partial(_test_images, layout=layout),
        partial(_check_test_images, layout=layout),
        user_files=partial(training_files, layout=layout),
        class_names=lambda place: labelled_rows(layout.training(place.root), place).class_names,
        remarks=partial(remarks, layout=layout),
    )


PARQUET = _dataset(PARQUET_LAYOUT)
HUGGINGFACE = _dataset(SAVED_LAYOUT)
