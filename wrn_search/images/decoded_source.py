"""A data set as its files hold it, decoded once a node, before any split; what may go wrong when that is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from wrn_search.datasets.dataset import Images, Labels
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.datasets.stratified_split import Split
from wrn_search.errors import InputError
from wrn_search.file_system.preparation_lock import NotPreparedError
from wrn_search.images.cache_keys import reading
from wrn_search.images.cached_arrays import build_folder, read_meta
from wrn_search.images.checks_of_images import (
    Digests,
    check_variation,
    content_hash,
    copies_text,
    digests_of,
)
from wrn_search.images.split_of_images import Sides, split_of
from wrn_search.space.data_folders import cache_root, place_of
from wrn_search.space.dataset_section import DatasetSettings


@dataclass(frozen=True, eq=False)
class Decoded:
    """The source, whole."""

    images: Images  # mapped, read only
    labels: Labels
    class_names: tuple[str, ...]
    digests: Digests | None  # of images that a user may change
    content_hash: str  # of those; empty where their name says all
    warnings: tuple[str, ...]
    sides: Sides  # what the files say of the split
    extra_images: int = 0  # the last ones, which are only trained on


def split_of_source(decoded: Decoded, dataset: DatasetSettings) -> Split:
    """Which of its images are trained on, and which validate."""
    return split_of(decoded.labels, dataset, decoded.sides, decoded.extra_images)


def decoded_source(dataset: DatasetSettings, folder: Path) -> Decoded:
    """The source, decoded if no earlier call did."""

    def decode_into(target: Path) -> dict[str, Any]:
        file = target / "images.npy"
        with reading():
            source = DATASETS[dataset.name].read_training_images(replace(place_of(dataset), decoded=file))
        check_variation(source.images)
        if not file.is_file():  # a data set that came as arrays
            np.save(file, source.images)
        np.save(target / "labels.npy", source.labels)
        Sides(source.validation, source.groups).save(target)
        warnings = list(source.warnings)
        facts: dict[str, Any] = {"class_names": source.class_names, "content_hash": ""}
        if source.extra_images:
            facts["extra_images"] = source.extra_images
        if DATASETS[dataset.name].user_files is not None:  # the others are fixed, and known by their names
            digests = digests_of(source.images)
            np.save(target / "digests.npy", digests)
            facts["content_hash"] = content_hash(digests, source.labels)
            warnings += copies_text(digests, source.labels, source.name_of)
        return facts | {"warnings": warnings}

    meta = read_meta(folder) or build_folder(folder, decode_into)
    images, labels = np.load(folder / "images.npy", mmap_mode="r"), np.load(folder / "labels.npy")
    digests = np.load(folder / "digests.npy") if meta["content_hash"] else None
    class_names = tuple(meta["class_names"])
    content, warnings, extra = meta["content_hash"], tuple(meta["warnings"]), int(meta.get("extra_images", 0))
    return Decoded(images, labels, class_names, digests, content, warnings, Sides.load(folder), extra)


@contextmanager
def writing() -> Iterator[None]:
    """What the file system refuses while prepared images are written is the user's to mend."""
    try:
        yield
    except NotPreparedError as error:
        rule = "images must be prepared in time, by one process for all"
        raise InputError.of("WRN_SEARCH_DATA", f"{rule}, but {error}") from None
    except OSError as error:
        rule = "must be a folder with room for the prepared images"
        raise InputError.of("WRN_SEARCH_DATA", f"{rule}, but got {cache_root()}: {error}") from None
