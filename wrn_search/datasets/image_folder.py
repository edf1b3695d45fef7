"""Data set `folder`: a folder a class, root/train/<class>/ (root/test/<class>/), with image files in it or below it."""

from __future__ import annotations

import os
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
from wrn_search.datasets.image_decoding import decode_images, first_image_shape
from wrn_search.errors import InputError, Problem

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


def training_images(place: Place) -> Source:
    """All images under root/train; labels count the sorted class names.

    Raises:
        InputError: the folder, a class or an image is not as it must be.
    """
    root, classes = place.root, _classes(place)
    files = [(path.relative_to(root).as_posix(), path) for paths in classes.values() for path in paths]
    labels = np.repeat(np.arange(len(classes)), [len(paths) for paths in classes.values()])
    return Source(decode_images(files, len(files)), labels.astype(np.int64), tuple(classes))


def training_files(place: Place) -> list[Path]:
    """Every file that `training_images` reads."""
    return [path for paths in _classes(place).values() for path in paths]


def presence(place: Place) -> Presence:
    """How many classes and images there are, and the size of the first.

    Raises:
        InputError: root/train does not hold one folder of images a class, or the first is none.
    """
    classes = _classes(place)
    images = sum(len(paths) for paths in classes.values())
    found = f"found {images:,} images of {len(classes)} classes in {place.root / 'train'}"
    first = next(path for paths in classes.values() for path in paths)
    shape = first_image_shape([(first.relative_to(place.root).as_posix(), first)])
    return Presence(found, images, len(classes), shape)


def _classes(place: Place) -> dict[str, list[Path]]:
    """Class name -> its image files; both sorted: the same labels on every file system."""
    folder = place.root / "train"
    how = f"put the training images into {folder}/<class>/, as .png, .jpg, ..."
    if not folder.is_dir():
        raise bad_data("must be a folder that holds train/<class>/", f"no {folder}; {how}")
    names = sorted(
        entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")
    )
    classes = {name: image_files(folder / name) for name in names}
    empty = [name for name, files in classes.items() if not files]
    if empty:
        rule = f"every class must have training images ({', '.join(SUFFIXES)})"
        raise InputError(
            Problem("dataset.root", f"{rule}, but got none in {folder / name}") for name in empty
        )
    if len(classes) < 2:
        raise bad_data("must hold one folder a class, at least 2", f"{len(classes)} in {folder}; {how}")
    return classes


def image_files(folder: Path) -> list[Path]:
    """Image files at any depth; hidden ones are other programs' (`._cat.png`, `.ipynb_checkpoints/`)."""
    files = []
    for parent, folders, names in os.walk(folder, followlinks=True, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [
            Path(parent, name)
            for name in names
            if not name.startswith(".") and name.lower().endswith(SUFFIXES)
        ]
    return sorted(files)


def _raise(error: OSError) -> None:
    raise error  # os.walk would leave out a folder that it may not list


def test_images(place: Place, class_names: tuple[str, ...]) -> LabelledImages:
    """All images under root/test, in the order of the classes."""
    files = [image_files(place.root / "test" / name) for name in class_names]
    named = [(path.relative_to(place.root).as_posix(), path) for paths in files for path in paths]
    labels = np.repeat(np.arange(len(class_names)), [len(paths) for paths in files])
    return LabelledImages(decode_images(named, len(named)), labels.astype(np.int64))


def _check_test_images(place: Place, class_names: tuple[str, ...]) -> None:
    folder = place.root / "test"
    if not folder.is_dir():
        raise bad_data("must be a folder that holds test/<class>/, to be confirmed", f"no {folder}")
    found = {entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")}
    odd = sorted(found ^ set(class_names))
    if odd:
        which = "only there" if odd[0] in found else "not there"
        raise bad_data(
            f"{folder} must hold the classes of the training images", f"'{odd[0]}' {which}{and_more(odd)}"
        )
    empty = [name for name in class_names if not image_files(folder / name)]
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
)
