"""From settings to arrays on disk, once a node: decoded, split, preprocessed and padded, for trials to map.

Two levels in `cache_root()/prepared`: the decoded source, and a folder for each way to split and prepare it;
other settings decode nothing again. A second call reads `meta.json` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wrn_search.datasets.dataset import DatasetFacts, Images, Labels
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.datasets.stratified_split import (
    Indices,
    Split,
    joined,
    same_split,
    split_hash,
    stratified_split,
    with_content,
)
from wrn_search.errors import InputError
from wrn_search.file_system.preparation_lock import NotPreparedError, preparation_lock
from wrn_search.images.augmentation import AUGMENTATIONS, Augmentation, pad_images
from wrn_search.images.cache_keys import folders_of, reading
from wrn_search.images.cached_arrays import build_folder, read_meta, write_array
from wrn_search.images.checks_of_images import (
    Digests,
    check_variation,
    content_hash,
    copies_text,
    digests_of,
    split_warnings,
)
from wrn_search.images.checks_of_settings import check_known, check_shape, check_sizes
from wrn_search.images.normalisation_and_zca import PREPROCESSINGS, Preprocessing
from wrn_search.space.data_folders import cache_root, place_of
from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings

_CHUNK = 2000  # images


@dataclass(frozen=True)
class PreparedData:
    """Arrays in `directory` and what a training must know of them.

    `train_images.npy` (n, H + 2 padding, W + 2 padding, C) and `validation_images.npy` (m, H, W, C) are
    uint8, for zca float32; `train_labels.npy` (n,) and `validation_labels.npy` (m,) are int64. Where no image
    validates, there are none of the two files about it.
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

    def has_split(self, recorded: str) -> bool:
        """Whether these are the images that a record names."""
        return same_split(recorded, self.split_hash)


def prepare(dataset: DatasetSettings) -> PreparedData:
    """The data set ready to train on; downloads, decodes and writes what is not there yet.

    Any number of processes may call it: one prepares, the others wait for it.

    Raises:
        InputError: the data are not there, not as they must be, or do not fit the settings.
    """
    folders = folders_of(dataset)
    meta = read_meta(folders.prepared)
    if meta is None:
        with _writing():
            folders.prepared.parent.mkdir(parents=True, exist_ok=True)
            with preparation_lock(folders.lock):
                meta = read_meta(folders.prepared) or build_folder(
                    folders.prepared, lambda target: _prepare_into(target, dataset, folders.source)
                )
    facts: dict[str, Any] = {
        key: tuple(fact) if isinstance(fact, list) else fact for key, fact in meta.items()
    }
    return PreparedData(directory=folders.prepared, **facts)


def check_presence(dataset: DatasetSettings) -> str:
    """One line on where the data are or come from; nothing is downloaded or written.

    Raises:
        InputError: the data are neither there nor to be downloaded, or are known not to fit the settings.
    """
    return present_images(dataset)[0]


def present_images(dataset: DatasetSettings) -> tuple[str, DatasetFacts]:
    """See `check_presence`; and the facts of the data set with what its files told, the first image for all."""
    folders, facts = folders_of(dataset), dataset.facts
    if (meta := read_meta(folders.prepared)) is not None:
        known = {"num_classes": meta["num_classes"], "image_shape": tuple(meta["image_shape"])}
        return f"{dataset.name}: prepared in {folders.prepared}", replace(facts, **known)
    check_known(dataset)
    with reading():
        presence = DATASETS[dataset.name].presence(place_of(dataset))
    if presence.images is not None and presence.classes is not None:
        check_sizes(presence.images, presence.classes, dataset)
    return f"{dataset.name}: {presence.text}", facts.told_by(presence)


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


def raw_validation(dataset: DatasetSettings) -> RawValidation:
    """What a network outside this program is given: no prepared array, but images and how to prepare them.

    The preprocessing is fitted again, from the same images by the same arithmetic; for zca that takes a minute.

    Raises:
        InputError: see `prepare`.
    """
    folders = folders_of(dataset)
    with _writing():
        folders.source.parent.mkdir(parents=True, exist_ok=True)
        with preparation_lock(folders.lock):
            decoded = _decoded(dataset, folders.source)
    images, labels = decoded.images, decoded.labels
    split = _split(labels, dataset)
    preprocessing = PREPROCESSINGS[dataset.preprocessing](images[split.train])
    shown = split.validation if len(split.validation) else split.train
    return RawValidation(images[shown], labels[shown], preprocessing)


def _prepare_into(target: Path, dataset: DatasetSettings, source_folder: Path) -> dict[str, Any]:
    """Writes the arrays of `PreparedData` and returns its other fields."""
    check_known(dataset)  # before anything is downloaded
    decoded = _decoded(dataset, source_folder)
    images, labels, class_names = decoded.images, decoded.labels, decoded.class_names
    shape = (images.shape[1], images.shape[2], images.shape[3])
    check_shape(shape, dataset)
    split = _split(labels, dataset)
    preprocessing = PREPROCESSINGS[dataset.preprocessing](images[split.train])
    padding = AUGMENTATIONS[dataset.augmentation]
    _write_images(target / "train_images.npy", images, split.train, preprocessing, padding)
    np.save(target / "train_labels.npy", labels[split.train])
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
        "warnings": [*decoded.warnings, *split_warnings(split, labels, class_names, decoded.digests)],
        "chance_error": 100 * (1 - most_frequent / len(watched)),
        "padding": padding.padding,
        "mean": preprocessing.mean,
        "std": preprocessing.std,
    }


def fitted_preprocessing(dataset: DatasetSettings) -> Preprocessing:
    """The preprocessing that `prepare` fitted to the images that are trained on, for images of elsewhere.

    Fitted anew: some seconds for most, a minute or two for zca. Call it after `prepare`.
    """
    folders = folders_of(dataset)
    with _writing(), preparation_lock(folders.lock):
        decoded = _decoded(dataset, folders.source)
    trained_on = _split(decoded.labels, dataset).train
    return PREPROCESSINGS[dataset.preprocessing](decoded.images[trained_on])


def training_digests(dataset: DatasetSettings) -> Digests | None:
    """(N,) digests of all images that may be trained on, before any split; None for data sets that are fixed."""
    folders = folders_of(dataset)
    with _writing(), preparation_lock(folders.lock):
        return _decoded(dataset, folders.source).digests if DATASETS[dataset.name].user_files else None


def _split(labels: Labels, dataset: DatasetSettings) -> Split:
    split = stratified_split(labels, dataset.validation, dataset.train_images)
    return joined(split) if isinstance(dataset, JoinedSettings) else split


@dataclass(frozen=True, eq=False)
class _Decoded:
    """The source, whole."""

    images: Images  # mapped, read only
    labels: Labels
    class_names: tuple[str, ...]
    digests: Digests | None  # of images that a user may change
    content_hash: str  # of those; empty where their name says all
    warnings: tuple[str, ...]


def _decoded(dataset: DatasetSettings, folder: Path) -> _Decoded:
    """The source, decoded if no earlier call did."""

    def decode_into(target: Path) -> dict[str, Any]:
        with reading():
            source = DATASETS[dataset.name].read_training_images(place_of(dataset))
        check_variation(source.images)
        np.save(target / "images.npy", source.images)
        np.save(target / "labels.npy", source.labels)
        facts: dict[str, Any] = {"class_names": source.class_names, "content_hash": "", "warnings": []}
        if DATASETS[dataset.name].user_files is not None:  # the others are fixed, and known by their names
            digests = digests_of(source.images)
            np.save(target / "digests.npy", digests)
            facts["content_hash"] = content_hash(digests, source.labels)
            facts["warnings"] = copies_text(digests, source.labels, source.name_of)
        return facts

    meta = read_meta(folder) or build_folder(folder, decode_into)
    images, labels = np.load(folder / "images.npy", mmap_mode="r"), np.load(folder / "labels.npy")
    digests = np.load(folder / "digests.npy") if meta["content_hash"] else None
    class_names = tuple(meta["class_names"])
    return _Decoded(images, labels, class_names, digests, meta["content_hash"], tuple(meta["warnings"]))


def _write_images(
    path: Path, images: Images, indices: Indices, preprocessing: Preprocessing, augmentation: Augmentation
) -> None:
    height, width = (side + 2 * augmentation.padding for side in images.shape[1:3])

    def chunks() -> Iterator[npt.NDArray[Any]]:
        for start in range(0, len(indices), _CHUNK):
            stored = preprocessing.store(images[indices[start : start + _CHUNK]])
            yield pad_images(stored, augmentation)

    write_array(path, (len(indices), height, width, images.shape[3]), preprocessing.dtype, chunks())


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except NotPreparedError as error:
        rule = "images must be prepared in time, by one process for all"
        raise InputError.of("WRN_SEARCH_DATA", f"{rule}, but {error}") from None
    except OSError as error:
        rule = "must be a folder with room for the prepared images"
        raise InputError.of("WRN_SEARCH_DATA", f"{rule}, but got {cache_root()}: {error}") from None
