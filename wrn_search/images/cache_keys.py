"""Where the arrays of a data set belong in the cache: names hold a digest of everything that changes their content."""

from __future__ import annotations

import errno
import hashlib
import json
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrn_search.datasets.dataset import WHITE, Place
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.errors import InputError
from wrn_search.images.augmentation import stored_as
from wrn_search.plugins import plugin_of
from wrn_search.space.data_folders import cache_root, place_of
from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORMAT = 2  # of the arrays and their meaning: raise it when either changes, and everything is prepared again


@dataclass(frozen=True)
class Folders:
    source: Path  # decoded, whole
    prepared: Path  # split, preprocessed, padded
    lock: Path


def folders_of(dataset: DatasetSettings) -> Folders:
    """Where a data set's arrays belong: names hold a digest of everything that changes their content."""
    padding = stored_as(dataset.augmentation)
    pixels = dataset.crop_padding if padding.crops else padding.padding
    source: dict[str, Any] = {"format": FORMAT, "name": dataset.name, "extra": dataset.extra}
    if dataset.extra:  # earlier versions let extra images validate
        source["extra_images"] = "trained on"
    if (
        plugin := plugin_of("datasets", dataset.name)
    ) is not None:  # its code may change, and its name is no promise
        source |= {"plugin": plugin.digest}
    if (user_files := DATASETS[dataset.name].user_files) is not None:
        place = place_of(dataset)
        source |= {"root": str(place.root), "files": _fingerprint(place, user_files)}
        source |= {"columns": [place.image_column, place.label_column]}
        if place.background != WHITE:
            source |= {"background": place.background}
        if place.fit is not None:
            source |= {"fit": [place.fit.size, place.fit.how]}
        if place.group_by is not None:
            source |= {"group_by": place.group_by}
    prepared = source | {
        "validation": dataset.validation,
        "train_images": dataset.train_images,
        "preprocessing": dataset.preprocessing,
        "padding": [pixels, padding.mode],
        **({"joined": True} if isinstance(dataset, JoinedSettings) else {}),
    }
    parent, source_key = cache_root() / "prepared", f"{dataset.name}-source-{_digest(source)}"
    return Folders(
        source=parent / source_key,
        prepared=parent / f"{dataset.name}-{_digest(prepared)}",
        lock=parent / f".{source_key}.lock",
    )


def _fingerprint(place: Place, user_files: Callable[[Place], list[Path]]) -> str:
    """Digest of the user's training files by name, size and time: changes when any is written or removed."""
    files = []
    with reading():
        for path in user_files(place):
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
                raise InputError.of("dataset.root", f"training files must be plain files, but got {path}")
            files.append((str(path.relative_to(place.root)), status.st_size, status.st_mtime_ns))
    return _digest(files)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


@contextmanager
def reading() -> Iterator[None]:
    """What the file system refuses while the data are read is the user's to mend.

    But for a full disk: images are decoded into a file, and whoever writes it tells that (`decoded_source.writing`).
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise InputError.of("dataset.root", f"training files must be readable, but got: {error}") from None
