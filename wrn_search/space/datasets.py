"""The `dataset` section: which images, how many are held out, how they are prepared; and what each data set is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from wrn_search.space.errors import InputError
from wrn_search.space.values import is_path, one_of, text, true_or_false, whole_number


@dataclass(frozen=True)
class DatasetFacts:
    """What is known of a data set before a file of it is opened; None where only the files can tell."""

    num_classes: int | None
    image_shape: tuple[int, int, int] | None  # height, width, channels
    train_images: int | None  # in the official training split
    validation: int = 5000
    preprocessing: str = "meanstd"
    augmentation: str = "flip_crop"


# Defaults: CIFAR as in the paper's tables 5 and 6; SVHN as in its section 3 (divide by 255, no augmentation).
DATASET_FACTS: dict[str, DatasetFacts] = {
    "digits": DatasetFacts(10, (8, 8, 1), 1497, validation=300, augmentation="shift"),
    "cifar10": DatasetFacts(10, (32, 32, 3), 50_000),
    "cifar100": DatasetFacts(100, (32, 32, 3), 50_000),
    "svhn": DatasetFacts(10, (32, 32, 3), 73_257, preprocessing="divide255", augmentation="none"),
    "folder": DatasetFacts(None, None, None),
    "parquet": DatasetFacts(None, None, None),
}
SVHN_EXTRA_IMAGES = 531_131


class DatasetSettings(BaseModel):
    """The images of a search. Omitted keys take the data set's own defaults (`DATASET_FACTS`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, one_of(*DATASET_FACTS)] = "cifar10"
    root: Annotated[
        str | None,
        text("must be a path, without control characters and unknown ~users", is_path, nullable=True),
    ] = None
    extra: Annotated[bool, true_or_false()] = False
    validation: Annotated[int, whole_number(1, 10_000_000)] = 5000
    preprocessing: Annotated[str, one_of("meanstd", "zca", "divide255")] = "meanstd"
    augmentation: Annotated[str, one_of("flip_crop", "shift", "none")] = "flip_crop"
    train_images: Annotated[int | None, whole_number(1, 100_000_000, nullable=True)] = None

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, data: Any) -> Any:
        """Defaults that depend on the data set's name."""
        if not isinstance(data, dict):
            return data
        name = data.get("name", "cifar10")
        facts = DATASET_FACTS.get(name) if isinstance(name, str) else None
        if facts is None:
            return data
        own = {key: getattr(facts, key) for key in ("validation", "preprocessing", "augmentation")}
        return own | {key: value for key, value in data.items() if not (key in own and value is None)}

    @property
    def facts(self) -> DatasetFacts:
        """What is known of the data set by its name."""
        return DATASET_FACTS[self.name]


class JoinedSettings(DatasetSettings):
    """The same images with those that validate a search among those that are trained on, and none held out.

    What a confirmation retrains on for its test errors. No space file can ask for it: there would be nothing to
    choose by.
    """

    joined: Literal[True] = True

    @classmethod
    def of(cls, dataset: DatasetSettings) -> JoinedSettings:
        """The settings of a search, joined."""
        return cls.model_validate(dataset.model_dump())


def dataset_settings(values: dict[str, Any]) -> DatasetSettings:
    """The settings that `model_dump` wrote, joined or not."""
    kind = JoinedSettings if isinstance(values, dict) and "joined" in values else DatasetSettings
    return kind.model_validate(values)


def cache_root() -> Path:
    """Where prepared arrays and downloads live: $WRN_SEARCH_DATA, else ~/.cache/wrn-search.

    Raises:
        InputError: the path begins with a `~` that leads nowhere.
    """
    given = os.environ.get("WRN_SEARCH_DATA") or "~/.cache/wrn-search"
    try:
        return Path(given).expanduser().absolute()
    except RuntimeError:
        raise InputError.of("WRN_SEARCH_DATA", f"must be a path of a known user, but got '{given}'") from None


def data_root(dataset: DatasetSettings) -> Path:
    """The folder of the data set's own files: `dataset.root`, else `cache_root()`."""
    return Path(dataset.root).expanduser().absolute() if dataset.root else cache_root()
