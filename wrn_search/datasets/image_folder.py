"""Data set `folder`: a folder a class, root/train/<class>/ (root/test/<class>/), with image files in it or below it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wrn_search.datasets.dataset import (
    Dataset,
    DatasetFacts,
    LabelledImages,
    Labels,
    LabelsOfFiles,
    Place,
    Presence,
    Source,
    and_more,
    bad_data,
    group_numbers,
)
from wrn_search.datasets.folder_walk import (
    SUFFIXES,
    Found,
    class_folders,
    found_below,
    found_groups,
    identity,
    ignored_text,
    used_text,
)
from wrn_search.datasets.image_decoding import decode_images, image_shape_of, spread
from wrn_search.datasets.image_fit import fit_text
from wrn_search.datasets.nearest_layout import nearest_train_folder, validation_folder
from wrn_search.errors import InputError, Problem

_LOOKED_AT = 10_000  # images whose headers a look opens, where the first is grey


@dataclass(frozen=True)
class FolderSplit:
    """root/train or root/test: what each class has, and what is passed over."""

    folder: Path
    classes: dict[str, Found]  # by name, sorted
    outside: Found  # of all classes

    @property
    def files(self) -> list[Path]:
        """All images, class by class."""
        return [path for found in self.classes.values() for path in found.images]

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """(class, how many images it has)."""
        return tuple((name, len(found.images)) for name, found in self.classes.items())


def training_images(place: Place) -> Source:
    """All images under root/train, then those of the validation folder; labels count the sorted class names.

    Raises:
        InputError: the folder, a class or an image is not as it must be.
    """
    split, held_out = training_split(place), validation_split(place)
    files = [*split.files, *(held_out.files if held_out else [])]
    labels, validation = _labels_and_validation(split, held_out)
    named = [(path.relative_to(place.root).as_posix(), path) for path in files]
    groups = group_numbers(groups_of_files(place, files))
    sizes: Counter[tuple[int, int]] = Counter()
    images = decode_images(named, len(named), place.background, place.fit, sizes, place.decoded)
    told = tuple(fit_text(place.fit, sizes, place.background)) if place.fit else ()
    return Source(
        images, labels, tuple(split.classes), lambda index: named[index][0], told, validation, groups
    )


def _labels_and_validation(
    split: FolderSplit, held_out: FolderSplit | None
) -> tuple[Labels, npt.NDArray[np.int64] | None]:
    """(N,) of all images, and (m,) which of them validate; None without a validation folder."""
    labels = labels_of(split)
    if held_out is None:
        return labels, None
    own = labels_of(held_out, tuple(split.classes))
    return np.concatenate([labels, own]), np.arange(len(labels), len(labels) + len(own), dtype=np.int64)


def training_files(place: Place) -> list[Path]:
    """Every file that `training_images` reads."""
    held_out = validation_split(place)
    return [*training_split(place).files, *(held_out.files if held_out else [])]


def presence(place: Place) -> Presence:
    """How many classes and images there are, and their shape, of which the first tells the size.

    Raises:
        InputError: root/train does not hold one folder of images a class, or the first is none.
    """
    split, held_out = training_split(place), validation_split(place)
    images, classes = len(split.files), len(split.classes)
    found = f"found {images:,} images of {classes} classes in {split.folder}"
    validation = len(held_out.files) if held_out else None
    if held_out is not None:
        found += f", {validation:,} that {'are trained on, too,' if place.joined else 'validate'} in {held_out.folder}"
    files = [*split.files, *(held_out.files if held_out else [])]
    some = (files[index] for index in spread(len(files), _LOOKED_AT))
    shape = image_shape_of(((path.relative_to(place.root).as_posix(), path) for path in some), place.fit)
    rows = LabelsOfFiles(
        *_labels_and_validation(split, held_out), group_numbers(groups_of_files(place, files))
    )
    return Presence(found, images, classes, shape, validation, split.counts, rows)


def remarks(place: Place) -> list[str]:
    """What of root/train and of the validation folder is passed over, and which of them is used."""
    lines = []
    for split in (training_split(place), validation_split(place)):
        if split is not None:
            parts = [split.outside, *split.classes.values()]
            ignored = [path for part in parts for path in part.ignored]
            lines += ignored_text(ignored, [path for part in parts for path in part.links], split.folder)
    folder = validation_folder(place.root) if place.validation_files else None
    return lines if folder is None else [*lines, used_text(folder, place.joined)]


def groups_of_files(place: Place, files: list[Path]) -> list[str] | None:
    """What the pattern `dataset.group_by` finds in each file's name; None without a pattern.

    A pattern with a `/` is looked for in the path below root/train/ (or the validation folder) instead.

    Raises:
        InputError: names in which it is not found.
    """
    if place.group_by is None:
        return None
    parts = [path.relative_to(place.root).parts for path in files]
    names = ["/".join(each[1:]) if "/" in place.group_by else each[-1] for each in parts]
    return found_groups(place.group_by, names, [path.relative_to(place.root).as_posix() for path in files])


def training_split(place: Place) -> FolderSplit:
    """root/train, with images in each of at least two classes.

    Raises:
        InputError: it is not so.
    """
    folder = place.root / "train"
    how = f"put the training images into {folder}/<class>/, as .png, .jpg, ..."
    if not folder.is_dir():
        raise bad_data(
            "must be a folder that holds train/<class>/",
            f"no {folder}; {nearest_train_folder(place.root) or how}",
        )
    split = folder_split(folder)
    empty = [name for name, found in split.classes.items() if not found.images]
    if empty:
        rule = f"every class must have training images ({', '.join(SUFFIXES)})"
        raise InputError(
            Problem("dataset.root", f"{rule}, but got none in {folder / name}") for name in empty
        )
    if len(split.classes) < 2:
        one = next(iter(split.classes), None)
        deeper = class_folders(folder / one) if one is not None else []
        if len(deeper) > 1:
            how = f"the folders in {folder / str(one)} look like classes: move them to {folder}"
        rule = "must hold one folder a class, at least 2"
        raise bad_data(rule, f"{len(split.classes)} in {folder}; {how}")
    return split


def validation_split(place: Place) -> FolderSplit | None:
    """root/val (valid, validation, dev), with classes of root/train; None where there is none, or it is not used.

    Raises:
        InputError: there are two, or one has a class that is not trained on.
    """
    folder = validation_folder(place.root) if place.validation_files else None
    if folder is None:
        return None
    split, trained = folder_split(folder), {entry.name for entry in class_folders(place.root / "train")}
    odd = [name for name in split.classes if name not in trained]
    if odd:
        rule = f"{folder} must hold classes of the training images"
        raise bad_data(rule, f"'{odd[0]}' only there{and_more(odd)}")
    return split


def folder_split(folder: Path) -> FolderSplit:
    """The classes of root/train or root/test; a folder that is one class is not read as part of another.

    Raises:
        InputError: two classes are the same folder.
    """
    names: dict[tuple[int, int], str] = {}
    for entry in class_folders(folder):
        if (other := names.setdefault(identity(entry), entry.name)) != entry.name:
            got = f"'{other}' and '{entry.name}', which are one folder, in {folder}"
            raise bad_data("classes must be different folders", got)
    seen = {identity(folder), identity(folder.parent), *names}
    classes = {entry.name: found_below(entry, seen) for entry in class_folders(folder)}
    loose = [entry for entry in sorted(folder.iterdir()) if entry.is_file() and entry.name[0] != "."]
    return FolderSplit(folder, classes, Found(ignored=loose))


def labels_of(split: FolderSplit, classes: tuple[str, ...] | None = None) -> Labels:
    """(N,) of all its files, counting `classes` (its own, where none are given)."""
    classes = classes or tuple(split.classes)
    counts = [len(found.images) for found in split.classes.values()]
    return np.repeat(np.array([classes.index(name) for name in split.classes], dtype=np.int64), counts)


def test_images(place: Place, class_names: tuple[str, ...]) -> LabelledImages:
    """All images under root/test, in the order of the classes."""
    split = folder_split(place.root / "test")
    assert tuple(split.classes) == class_names, "checked before"
    named = [(path.relative_to(place.root).as_posix(), path) for path in split.files]
    return LabelledImages(decode_images(named, len(named), place.background, place.fit), labels_of(split))


def _check_test_images(place: Place, class_names: tuple[str, ...]) -> None:
    folder = place.root / "test"
    if not folder.is_dir():
        raise bad_data("must be a folder that holds test/<class>/, to be tested with", f"no {folder}")
    split = folder_split(folder)
    odd = sorted(split.classes.keys() ^ set(class_names))
    if odd:
        which = "only there" if odd[0] in split.classes else "not there"
        raise bad_data(
            f"{folder} must hold the classes of the training images", f"'{odd[0]}' {which}{and_more(odd)}"
        )
    empty = [name for name, found in split.classes.items() if not found.images]
    if empty:
        rule = f"every class must have test images ({', '.join(SUFFIXES)})"
        raise bad_data(rule, f"none in {folder / empty[0]}{and_more(empty)}")


FOLDER = Dataset(
    DatasetFacts(None, None, None),
    training_images,
    presence,
    test_images,
    _check_test_images,
    user_files=training_files,
    class_names=lambda place: tuple(training_split(place).classes),
    remarks=remarks,
)
