"""From settings to arrays on disk, once a node: decoded, split, preprocessed and padded, for trials to map.

Two levels in `cache_root()/prepared`: the decoded source, and a folder for each way to split and prepare it;
other settings decode nothing again. A second call reads `meta.json` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wrn_search.datasets.dataset import DatasetFacts, Images, Labels
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.datasets.stratified_split import (
    Indices,
    same_split,
    split_hash,
    with_content,
)
from wrn_search.file_system.preparation_lock import preparation_lock
from wrn_search.images.augmentation import AUGMENTATIONS, Augmentation, pad_images, stored_with
from wrn_search.images.cache_keys import folders_of, reading
from wrn_search.images.cached_arrays import build_folder, read_meta, write_array
from wrn_search.images.checks_of_images import Digests, split_warnings
from wrn_search.images.checks_of_settings import check_known, check_shape, check_sizes, facts_told
from wrn_search.images.decoded_source import decoded_source, split_of_source, writing
from wrn_search.images.kept_preprocessing import keep_preprocessing, kept_preprocessing
from wrn_search.images.normalisation_and_zca import (
    PREPROCESSINGS,
    ChosenImages,
    Preprocessing,
    images_at_once,
)
from wrn_search.images.on_disk.size_on_disk import SizeOnDisk, check_room, size_on_disk
from wrn_search.images.split_of_images import group_warnings
from wrn_search.images.streamed.files_to_decode import FilesToDecode
from wrn_search.images.streamed.prepared_listing import Listing, files_to_decode, list_into
from wrn_search.space.data_folders import place_of
from wrn_search.space.dataset_section import DatasetSettings


@dataclass(frozen=True)
class PreparedData:
    """Arrays in `directory` and what a training must know of them.

    `train_images.npy` (n, H + 2 padding, W + 2 padding, C) and `validation_images.npy` (m, H, W, C) are
    uint8, for zca float32; `train_labels.npy` (n,) and `validation_labels.npy` (m,) are int64. Where no image
    validates, there are none of the two files about it. Images that are decoded for every batch anew have `files`, and
    a listing instead of the arrays (`streamed/prepared_listing.py`).
    """

    directory: Path
    num_classes: int
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]  # H, W, C
    train_images: int  # how many
    validation_images: int  # how many
    split_hash: str  # of labels and split; of images that a user may change, of all pixels too
    chance_error: (
        float  # percent: of always answering the most frequent class of the validation images, else of all
    )
    padding: int  # pixels around each stored training image
    mean: tuple[float, ...]  # (C,): a network is given (stored - mean) / std
    std: tuple[float, ...]  # (C,)
    warnings: tuple[str, ...] = ()  # what a user should know of them, a line each
    files: FilesToDecode | None = None  # None: all are decoded

    def has_split(self, recorded: str) -> bool:
        """Whether these are the images that a record names."""
        return same_split(recorded, self.split_hash)


def train_labels(data: PreparedData) -> Labels:
    """(n,) int64 of the images that are trained on, in the order in which they are stored or listed."""
    labels: Labels = np.load(data.directory / "train_labels.npy")
    return labels


def prepare(dataset: DatasetSettings) -> PreparedData:
    """The data set ready to train on; downloads, decodes and writes what is not there yet.

    Any number of processes may call it: one prepares, the others wait for it.

    Raises:
        InputError: the data are not there, not as they must be, or do not fit the settings.
    """
    _obtain(dataset)
    folders = folders_of(dataset)
    meta = read_meta(folders.prepared)
    if meta is None:
        with writing():
            folders.prepared.parent.mkdir(parents=True, exist_ok=True)
            with preparation_lock(folders.lock):
                meta = read_meta(folders.prepared) or build_folder(
                    folders.prepared, lambda target: _prepare_into(target, dataset, folders.source)
                )
    facts: dict[str, Any] = {
        key: tuple(fact) if isinstance(fact, list) else fact for key, fact in meta.items()
    }
    return PreparedData(directory=folders.prepared, files=files_to_decode(dataset), **facts)


def check_presence(dataset: DatasetSettings) -> str:
    """One line on where the data are or come from; nothing is downloaded or written.

    Raises:
        InputError: the data are neither there nor to be downloaded, or are known not to fit the settings.
    """
    return present_images(dataset)[0]


def present_images(dataset: DatasetSettings) -> tuple[str, DatasetFacts]:
    """See `check_presence`; and the facts of the data set with what its files told (see `Presence`)."""
    folders, facts = folders_of(dataset), dataset.facts
    if (meta := read_meta(folders.prepared)) is not None:
        known = {"num_classes": meta["num_classes"], "image_shape": tuple(meta["image_shape"])}
        if DATASETS[dataset.name].user_files is not None:
            known |= {key: meta[key] for key in ("train_images", "validation_images")}
            known |= {"trained_on": meta["train_images"]}
        return f"{dataset.name}: prepared in {folders.prepared}", replace(facts, **known)
    check_known(dataset)
    with reading():
        presence = DATASETS[dataset.name].presence(place_of(dataset))
    return f"{dataset.name}: {presence.text}", facts_told(dataset, presence)


def size_to_write(dataset: DatasetSettings) -> SizeOnDisk | None:
    """What `prepare` will write; None where it is there already, or the files do not tell how much it is.

    Raises:
        InputError: the data are neither there nor to be downloaded, or are known not to fit the settings.
    """
    if dataset.is_streamed or read_meta(folders_of(dataset).prepared) is not None:
        return None
    return size_on_disk(dataset, present_images(dataset)[1])


def remarks_on(dataset: DatasetSettings) -> list[str]:
    """What of a user's files is passed over, a line each, as they are now; opens no image.

    Raises:
        InputError: the data are not there.
    """
    with reading():
        return DATASETS[dataset.name].remarks(place_of(dataset))


@dataclass(frozen=True, eq=False)
class RawValidation:
    """Images as they came from their files, and what was fitted to those that are trained on.

    They are the validation split, or, where none is held out, the images that are trained on.
    """

    images: Images  # (m, H, W, C)
    labels: Labels  # (m,)
    preprocessing: Preprocessing


def raw_validation(dataset: DatasetSettings, most: int = 1000) -> RawValidation:
    """What a network outside this program is given: no prepared array, but images and how to prepare them.

    `most`: images that are given.

    Raises:
        InputError: see `prepare`.
    """
    if dataset.is_streamed:
        return _first_decoded(prepare(dataset), dataset, most)
    _obtain(dataset)
    folders = folders_of(dataset)
    with writing():
        folders.source.parent.mkdir(parents=True, exist_ok=True)
        with preparation_lock(folders.lock):
            decoded = decoded_source(dataset, folders.source)
    images, labels = decoded.images, decoded.labels
    split = split_of_source(decoded, dataset)
    preprocessing = kept_preprocessing(folders.prepared, dataset.preprocessing)
    preprocessing = preprocessing or PREPROCESSINGS[dataset.preprocessing](ChosenImages(images, split.train))
    shown = (split.validation if len(split.validation) else split.train)[:most]
    return RawValidation(images[shown], labels[shown], preprocessing)


def _obtain(dataset: DatasetSettings) -> None:
    """Files that are downloaded, before a name in the cache tells them; but none that the settings do not fit."""
    kind, place = DATASETS[dataset.name], place_of(dataset)
    with reading():
        if kind.obtain is not None and kind.user_files is not None and not kind.user_files(place):
            check_sizes(dataset, dataset.facts)
            kind.obtain(place)


def _first_decoded(data: PreparedData, dataset: DatasetSettings, most: int) -> RawValidation:
    shown = Listing.of_split(data.directory, "validation" if data.validation_images else "train").first(most)
    assert data.files is not None, "it is streamed"
    images = np.stack([data.files.evaluated(shown.name(index)) for index in range(len(shown))])
    return RawValidation(images, shown.labels, fitted_preprocessing(dataset))


def _prepare_into(target: Path, dataset: DatasetSettings, source_folder: Path) -> dict[str, Any]:
    """Writes the arrays of `PreparedData` and returns its other fields."""
    check_known(dataset)  # before anything is downloaded
    if dataset.is_streamed:
        return list_into(target, dataset)
    if (size := size_to_write(dataset)) is not None:
        check_room(size)
    decoded = decoded_source(dataset, source_folder)
    images, labels, class_names = decoded.images, decoded.labels, decoded.class_names
    shape = (images.shape[1], images.shape[2], images.shape[3])
    check_shape(shape, dataset)
    split = split_of_source(decoded, dataset)
    preprocessing = PREPROCESSINGS[dataset.preprocessing](ChosenImages(images, split.train))
    padding = stored_with(dataset, shape)
    _write_images(target / "train_images.npy", images, split.train, preprocessing, padding)
    np.save(target / "train_labels.npy", labels[split.train])
    keep_preprocessing(target, preprocessing)
    if len(split.validation):
        _write_images(
            target / "validation_images.npy", images, split.validation, preprocessing, AUGMENTATIONS["none"]
        )
        np.save(target / "validation_labels.npy", labels[split.validation])
    watched = split.validation if len(split.validation) else split.train
    most_frequent = int(np.bincount(labels[watched]).max())
    return {
        "num_classes": len(class_names),
        "class_names": class_names,
        "image_shape": shape,
        "train_images": len(split.train),
        "validation_images": len(split.validation),
        "split_hash": with_content(split_hash(split, labels), decoded.content_hash),
        "warnings": [
            *decoded.warnings,
            *split_warnings(split, labels, class_names, decoded.digests),
            *group_warnings(split, dataset, decoded.sides),
        ],
        "chance_error": 100 * (1 - most_frequent / len(watched)),
        "padding": padding.padding,
        "mean": preprocessing.mean,
        "std": preprocessing.std,
    }


def fitted_preprocessing(dataset: DatasetSettings) -> Preprocessing:
    """The preprocessing that `prepare` fitted to the images that are trained on, for images of elsewhere.

    Read from beside the prepared images; fitted anew where an earlier version prepared them.
    """
    folders = folders_of(dataset)
    if (kept := kept_preprocessing(folders.prepared, dataset.preprocessing)) is not None:
        return kept
    with writing(), preparation_lock(folders.lock):
        decoded = decoded_source(dataset, folders.source)
    trained_on = split_of_source(decoded, dataset).train
    return PREPROCESSINGS[dataset.preprocessing](ChosenImages(decoded.images, trained_on))


def training_digests(dataset: DatasetSettings) -> Digests | None:
    """(N,) digests of all images that may be trained on, before any split; None for data sets that are fixed.

    None, too, where images are never all decoded.
    """
    if dataset.is_streamed:
        return None
    folders = folders_of(dataset)
    with writing(), preparation_lock(folders.lock):
        return decoded_source(dataset, folders.source).digests if DATASETS[dataset.name].user_files else None


def _write_images(
    path: Path, images: Images, indices: Indices, preprocessing: Preprocessing, augmentation: Augmentation
) -> None:
    height, width = (side + 2 * augmentation.padding for side in images.shape[1:3])

    def chunks() -> Iterator[npt.NDArray[Any]]:
        step = images_at_once(images.shape)
        for start in range(0, len(indices), step):
            stored = preprocessing.store(images[indices[start : start + step]])
            yield pad_images(stored, augmentation)

    write_array(path, (len(indices), height, width, images.shape[3]), preprocessing.dtype, chunks())
