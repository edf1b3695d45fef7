"""Data set `folder`: one folder a class, root/train/<class>/, with image files in it or below it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from wrn_search.space.datasets import DatasetSettings, data_root
from wrn_search.space.errors import InputError, Problem
from wrn_search.training.image_decoding import decode_images
from wrn_search.training.source import Presence, Source, bad_data

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


def read_folder(dataset: DatasetSettings) -> Source:
    """All images under root/train; labels count the sorted class names.

    Raises:
        InputError: the folder, a class or an image is not as it must be.
    """
    root, classes = data_root(dataset), _classes(dataset)
    files = [(path.relative_to(root).as_posix(), path) for paths in classes.values() for path in paths]
    labels = np.repeat(np.arange(len(classes)), [len(paths) for paths in classes.values()])
    return Source(decode_images(files, len(files)), labels.astype(np.int64), tuple(classes))


def folder_files(dataset: DatasetSettings) -> list[Path]:
    """Every file that `read_folder` reads."""
    return [path for paths in _classes(dataset).values() for path in paths]


def folder_presence(dataset: DatasetSettings) -> Presence:
    """How many classes and images there are.

    Raises:
        InputError: root/train does not hold one folder of images a class.
    """
    classes = _classes(dataset)
    images = sum(len(paths) for paths in classes.values())
    found = f"found {images:,} images of {len(classes)} classes in {data_root(dataset) / 'train'}"
    return Presence(found, images, len(classes))


def _classes(dataset: DatasetSettings) -> dict[str, list[Path]]:
    """Class name -> its image files; both sorted: the same labels on every file system."""
    folder = data_root(dataset) / "train"
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
