"""The prepared copy of a data set whose images are not decoded beforehand: its files, split, with their labels.

`train_files.npy` (n,) and `validation_files.npy` (m,) hold names below the data set's root as bytes, `train_labels.npy`
(n,) and `validation_labels.npy` (m,) are int64. They are mapped: the processes of a node share one copy in memory.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wrn_search.datasets.dataset import ListedImages, Place
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.datasets.stratified_split import Indices, split_hash, with_content
from wrn_search.images.cache_keys import reading
from wrn_search.images.checks_of_images import split_warnings
from wrn_search.images.normalisation_and_zca import PREPROCESSINGS
from wrn_search.images.split_of_images import Sides, split_of
from wrn_search.images.streamed.files_to_decode import FilesToDecode
from wrn_search.space.data_folders import place_of
from wrn_search.space.dataset_section import DatasetSettings


@dataclass(frozen=True, eq=False)
class Listing:
    """Files of a split and their labels."""

    names: npt.NDArray[np.bytes_]  # (n,)
    labels: npt.NDArray[np.int64]  # (n,)

    @classmethod
    def of_split(cls, folder: Path, part: str) -> Listing:
        """What `list_into` wrote of `train` or `validation`."""
        names = np.load(folder / f"{part}_files.npy", mmap_mode="r")
        return cls(names, np.load(folder / f"{part}_labels.npy"))

    @classmethod
    def of(cls, listed: ListedImages) -> Listing:
        """All images of a listing."""
        return cls(_as_bytes(listed.files), listed.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> Listing:
        """The first of them."""
        return Listing(self.names[:count], self.labels[:count])

    def name(self, index: int) -> str:
        """Of one file, below the root."""
        return os.fsdecode(self.names[index])


def files_to_decode(dataset: DatasetSettings) -> FilesToDecode | None:
    """How the files of a data set are decoded; None where that is done beforehand."""
    if not dataset.is_streamed:
        return None
    place = place_of(dataset)
    assert place.fit is not None, f"{dataset.name} has an image_size of its own"
    return FilesToDecode(place.root, place.background, place.fit)


def list_into(target: Path, dataset: DatasetSettings) -> dict[str, Any]:
    """Writes the listings of a split and returns the other fields of `PreparedData`.

    Raises:
        InputError: the files are not as they must be, or the settings do not fit them.
    """
    kind, place = DATASETS[dataset.name].streamed, place_of(dataset)
    assert kind is not None, f"{dataset.name} is decoded beforehand"
    with reading():
        listed = kind.list_training_images(place)
        content = _content_hash(listed, place)
    labels = listed.labels
    split = split_of(labels, dataset, Sides())
    files = _as_bytes(listed.files)
    _write(target, "train", files, labels, split.train)
    if len(split.validation):
        _write(target, "validation", files, labels, split.validation)
    watched = split.validation if len(split.validation) else split.train
    most_frequent = int(np.bincount(labels[watched]).max())
    size = dataset.image_size
    constants = PREPROCESSINGS[dataset.preprocessing](np.zeros((1, 1, 1, 3), dtype=np.uint8))
    return {
        "num_classes": len(listed.class_names),
        "class_names": listed.class_names,
        "image_shape": (size, size, 3),
        "train_images": len(split.train),
        "validation_images": len(split.validation),
        "split_hash": with_content(split_hash(split, labels), content),
        "warnings": split_warnings(split, labels, listed.class_names, None),
        "chance_error": 100 * (1 - most_frequent / len(watched)),
        "padding": 0,
        "mean": constants.mean,
        "std": constants.std,
    }


def _write(
    target: Path, part: str, files: npt.NDArray[np.bytes_], labels: npt.NDArray[np.int64], chosen: Indices
) -> None:
    np.save(target / f"{part}_files.npy", files[chosen])
    np.save(target / f"{part}_labels.npy", labels[chosen])


def _as_bytes(files: tuple[str, ...]) -> npt.NDArray[np.bytes_]:
    return np.array([os.fsencode(name) for name in files])


def _content_hash(listed: ListedImages, place: Place) -> str:
    """16 hexadecimal digits of all names, sizes in bytes and labels: reading 150 GB of pixels would take an hour."""
    digest = hashlib.sha256()
    for name in listed.files:
        digest.update(os.fsencode(name) + b"\0" + str((place.root / name).stat().st_size).encode() + b"\0")
    digest.update(listed.labels.astype("<i8").tobytes())
    return digest.hexdigest()[:16]
