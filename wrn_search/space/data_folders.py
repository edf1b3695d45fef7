"""Where images lie: the folder of prepared arrays and downloads, and that of a data set's own files."""

from __future__ import annotations

import os
from pathlib import Path

from wrn_search.datasets.dataset import Place
from wrn_search.datasets.image_fit import ImageFit
from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings
from wrn_search.user_paths import user_path


def cache_root() -> Path:
    """Where prepared arrays and downloads live: $WRN_SEARCH_DATA, else ~/.cache/wrn-search.

    Raises:
        InputError: the path begins with a `~` that leads nowhere, or names a variable that is not set.
    """
    given = os.environ.get("WRN_SEARCH_DATA") or "~/.cache/wrn-search"
    return user_path(given, "WRN_SEARCH_DATA").absolute()


def data_root(dataset: DatasetSettings) -> Path:
    """The folder of the data set's own files: `dataset.root`, else `cache_root()`."""
    return Path(dataset.root).absolute() if dataset.root else cache_root()


def place_of(dataset: DatasetSettings) -> Place:
    """Where the data set's own files are, for those who read them."""
    return Place(
        data_root(dataset),
        dataset.extra,
        dataset.image_column,
        dataset.label_column,
        dataset.background,
        ImageFit(dataset.image_size, dataset.image_fit) if dataset.image_size is not None else None,
        dataset.validation_files,
        dataset.group_by,
        isinstance(dataset, JoinedSettings),
    )
