"""How many bytes the prepared copy of a data set takes, told before it is written, and refused where there is no room.

Whatever their number, images are decoded into files and mapped from them: memory holds the parts that are in use, and
the processes of a node share them. The copy has two parts, the decoded images and those that are trained on: split,
preprocessed, with the pixels around them that an augmentation needs.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.errors import InputError
from wrn_search.images.augmentation import stored_with
from wrn_search.images.cache_keys import folders_of
from wrn_search.images.cached_arrays import read_meta
from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings

_FLOAT_BYTES = 4  # of a whitened value


@dataclass(frozen=True)
class SizeOnDisk:
    """Of a prepared copy, in bytes; what is there already counts 0."""

    decoded: int
    ready: int  # to be trained on, and to validate
    folder: Path
    free: int  # on that disk

    @property
    def to_write(self) -> int:
        """In all."""
        return self.decoded + self.ready

    @property
    def has_room(self) -> bool:
        """Whether the disk has so much."""
        return self.to_write <= self.free

    @property
    def text(self) -> str:
        """`1.36 GB to be written in /cache/prepared (614 MB decoded, 745 MB ready to be trained on), ...`."""
        if not self.to_write:
            return f"is in {self.folder} already"
        parts = f"{size_text(self.decoded)} decoded, {size_text(self.ready)} ready to be trained on"
        return (
            f"{size_text(self.to_write)} to be written in {self.folder} ({parts}), mapped into memory in parts; "
            f"{size_text(self.free)} are free"
        )


def size_on_disk(dataset: DatasetSettings, facts: DatasetFacts) -> SizeOnDisk | None:
    """What will be written for these settings; None where nothing is, or nobody knows how many images there are.

    Args:
        dataset: the settings.
        facts: with what a look at the files told; all images count as the first one.
    """
    if dataset.is_streamed or facts.image_shape is None or facts.train_images is None:
        return None
    folders = folders_of(dataset)
    height, width, channels = facts.image_shape
    validation, trained = dataset.held_out(facts) or 0, dataset.trained_on(facts) or 0
    if isinstance(dataset, JoinedSettings):
        validation, trained = 0, facts.trained_on or trained + validation
    all_images = facts.train_images + (facts.validation_images or 0)
    all_images += facts.extra_images if dataset.extra else 0
    value = _FLOAT_BYTES if dataset.preprocessing == "zca" else 1
    padding = 2 * stored_with(dataset, (height, width, channels)).padding
    of_one = height * width * channels
    ready = trained * (height + padding) * (width + padding) * channels + validation * of_one
    is_ready = read_meta(folders.prepared) is not None
    is_decoded = is_ready or read_meta(folders.source) is not None
    folder = folders.prepared.parent
    return SizeOnDisk(
        decoded=0 if is_decoded else all_images * of_one,
        ready=0 if is_ready else ready * value,
        folder=folder,
        free=shutil.disk_usage(_nearest(folder)).free,
    )


def check_room(size: SizeOnDisk) -> None:
    """That the disk has room, before anything is written.

    Raises:
        InputError: it has not.
    """
    if not size.has_room:
        rule = f"must be on a disk with room for the prepared images, {size_text(size.to_write)}"
        got = f"{size_text(size.free)} free for {size.folder}"
        hint = "set WRN_SEARCH_DATA to a folder on another disk, or dataset.image_size to fewer pixels"
        raise InputError.of("WRN_SEARCH_DATA", f"{rule}, but got {got}; {hint}")


def size_text(size: float) -> str:
    """`1.36 GB`."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def _nearest(folder: Path) -> Path:
    """The folder, or that above it which is there."""
    return next(each for each in (folder, *folder.parents) if each.is_dir())
