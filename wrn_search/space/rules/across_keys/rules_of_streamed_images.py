"""Rules of images that are decoded for every batch anew: what needs all of them decoded is not for them, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wrn_search.datasets.dataset import Dataset
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.searchers.searcher_table import in_words
from wrn_search.space.dataset_section import STORED_AUGMENTATIONS, STREAMED_AUGMENTATIONS
from wrn_search.space.rules.broken_rule import Broken, Path
from wrn_search.space.space import Space

NOT_OF_STREAMED_FILES = (
    "validation_files",
    "group_by",
)  # root/val/ is their test split, held out are single images
_FITTED = ("meanstd", "zca")  # to all images that are trained on


def keys_of_files(dataset: Dataset) -> tuple[str, ...]:
    """Keys that say how its files are read and mean something to a data set."""
    if dataset.user_files is None:
        return ()
    left_out = NOT_OF_STREAMED_FILES if dataset.streamed is not None else ()
    return tuple(key for key in dataset.file_keys if key not in left_out)


def _augmentation_is_of_its_kind(space: Space) -> Iterator[Broken]:
    dataset = space.dataset
    own = STREAMED_AUGMENTATIONS if dataset.is_streamed else STORED_AUGMENTATIONS
    if dataset.augmentation not in own:
        reads: tuple[Path, ...] = (("dataset", "augmentation"), ("dataset", "name"), ("recipe",))
        what = "are decoded for every batch" if dataset.is_streamed else "are all decoded beforehand"
        rule = f"augmentation must be one of {', '.join(own)} with dataset.name: {dataset.name}, whose images {what}"
        other = "" if dataset.is_streamed else f"; {in_words(_streamed(), 'or')} has random resized crops"
        yield Broken(reads[0], f"{rule}, but got {dataset.augmentation}{other}", reads)


def _preprocessing_needs_no_fit(space: Space) -> Iterator[Broken]:
    dataset = space.dataset
    if dataset.is_streamed and dataset.preprocessing in _FITTED:
        reads: tuple[Path, ...] = (("dataset", "preprocessing"), ("dataset", "name"), ("recipe",))
        rule = (
            f"preprocessing: {dataset.preprocessing} is fitted to all training images, which {dataset.name} never "
            "decodes at once"
        )
        yield Broken(reads[0], f"{rule}: write meanstd_imagenet or divide255", reads)


def _streamed() -> list[str]:
    return [name for name, each in DATASETS.items() if each.streamed is not None]


RULES_OF_STREAMED_IMAGES: tuple[Callable[[Space], Iterator[Broken]], ...] = (
    _augmentation_is_of_its_kind,
    _preprocessing_needs_no_fit,
)
