"""Data set `folder`: a folder a class, root/train/<class>/ (root/test/<class>/), with image files in it or below it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wrn_search.datasets.dataset import (
    Dataset,
    DatasetFacts,
    LabelledImages,
    Place,
    Presence,
    Source,
    and_more,
    bad_data,
)
from wrn_search.datasets.folder_walk import (
    SUFFIXES,
    Found,
    class_folders,
    found_below,
    identity,
    ignored_text,
)
from wrn_search.datasets.image_decoding import decode_images, first_image_shape
from wrn_search.datasets.nearest_layout import nearest_train_folder, validation_folder_problem
from wrn_search.errors import InputError, Problem


@dataclass(frozen=True)
class _Split:
    """root/train or root/test: what each class has, and what is passed over."""

    folder: Path
    classes: dict[str, Found]  # by name, sorted
    outside: Found  # of all classes

    @property
    def files(self) -> list[Path]:
        """All images, class by class."""
        return [path for found in self.classes.values() for path in found.images]


def training_images(place: Place) -> Source:
    """All images under root/train; labels count the sorted class names.

    Raises:
        InputError: the folder, a class or an image is not as it must be.
    """
    split = _training_split(place)
    named = [(path.relative_to(place.root).as_posix(), path) for path in split.files]
    images = decode_images(named, len(named), place.background)
    return Source(images, _labels(split), tuple(split.classes), lambda index: named[index][0])


def training_files(place: Place) -> list[Path]:
    """Every file that `training_images` reads."""
    return _training_split(place).files


def presence(place: Place) -> Presence:
    """How many classes and images there are, and the size of the first.

    Raises:
        InputError: root/train does not hold one folder of images a class, or the first is none.
    """
    split = _training_split(place)
    images, classes = len(split.files), len(split.classes)
    found = f"found {images:,} images of {classes} classes in {split.folder}"
    first = split.files[0]
    shape = first_image_shape([(first.relative_to(place.root).as_posix(), first)])
    return Presence(found, images, classes, shape)


def remarks(place: Place) -> list[str]:
    """What of root/train is passed over."""
    split = _training_split(place)
    parts = [split.outside, *split.classes.values()]
    ignored = [path for part in parts for path in part.ignored]
    return ignored_text(ignored, [path for part in parts for path in part.links], split.folder)


def _training_split(place: Place) -> _Split:
    folder = place.root / "train"
    how = f"put the training images into {folder}/<class>/, as .png, .jpg, ..."
    if not folder.is_dir():
        raise bad_data(
            "must be a folder that holds train/<class>/",
            f"no {folder}; {nearest_train_folder(place.root) or how}",
        )
    if problem := validation_folder_problem(place.root):
        raise bad_data(*problem)
    split = _split(folder)
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


def _split(folder: Path) -> _Split:
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
    return _Split(folder, classes, Found(ignored=loose))


def _labels(split: _Split) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    counts = [len(found.images) for found in split.classes.values()]
    return np.repeat(np.arange(len(counts), dtype=np.int64), counts)


def test_images(place: Place, class_names: tuple[str, ...]) -> LabelledImages:
    """All images under root/test, in the order of the classes."""
    split = _split(place.root / "test")
    assert tuple(split.classes) == class_names, "checked before"
    named = [(path.relative_to(place.root).as_posix(), path) for path in split.files]
    return LabelledImages(decode_images(named, len(named), place.background), _labels(split))


def _check_test_images(place: Place, class_names: tuple[str, ...]) -> None:
    folder = place.root / "test"
    if not folder.is_dir():
        raise bad_data("must be a folder that holds test/<class>/, to be confirmed", f"no {folder}")
    split = _split(folder)
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
    remarks=remarks,
)
