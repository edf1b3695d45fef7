"""The `dataset` section: which images, how many are held out, how they are prepared."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.space.rules.number_and_text_rules import (
    is_path,
    one_of,
    plain_text,
    text,
    true_or_false,
    whole_number,
)

COLUMN = text(
    "must be the name of a column, without control characters",
    lambda value: bool(value) and plain_text(value),
    nullable=True,
)


class DatasetSettings(BaseModel):
    """The images of a search. Omitted keys take the data set's own defaults (`datasets/dataset_table.py`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, one_of(*DATASETS)] = "cifar10"
    root: Annotated[
        str | None,
        text("must be a path, without control characters and unknown ~users", is_path, nullable=True),
    ] = None
    extra: Annotated[bool, true_or_false()] = False
    image_column: Annotated[str | None, COLUMN] = None
    label_column: Annotated[str | None, COLUMN] = None
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
        facts = DATASETS[name].facts if isinstance(name, str) and name in DATASETS else None
        if facts is None:
            return data
        own = {key: getattr(facts, key) for key in ("validation", "preprocessing", "augmentation")}
        return own | {key: value for key, value in data.items() if not (key in own and value is None)}

    @property
    def facts(self) -> DatasetFacts:
        """What is known of the data set by its name."""
        return DATASETS[self.name].facts


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

    def apart(self) -> DatasetSettings:
        """The settings of the search: `of` undone."""
        return DatasetSettings.model_validate(self.model_dump(exclude={"joined"}))


def dataset_settings(values: dict[str, Any]) -> DatasetSettings:
    """The settings that `model_dump` wrote, joined or not."""
    kind = JoinedSettings if isinstance(values, dict) and "joined" in values else DatasetSettings
    return kind.model_validate(values)
