"""The `dataset` section: which images, how many are held out, how they are prepared."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wrn_search.datasets.dataset import WHITE, DatasetFacts
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.space.rules.keys_with_own_rules import colour, share_or_count
from wrn_search.space.rules.number_and_text_rules import (
    a_path,
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

    name: Annotated[str, one_of(*DATASETS), Field(description="which images")] = "cifar10"
    root: Annotated[
        str | None,
        a_path(),
        Field(
            description="folder of the images' own files; ~ and $VARIABLE are replaced; null is $WRN_SEARCH_DATA, else "
            "~/.cache/wrn-search"
        ),
    ] = None
    extra: Annotated[
        bool, true_or_false(), Field(description="SVHN's further 531,131 images are trained on, too")
    ] = False
    validation: Annotated[
        int,
        share_or_count(10_000_000),
        Field(
            description="images held out of the training split, stratified, the same in every search; a share such as "
            "0.1 where the data set's name tells how many there are"
        ),
    ] = 5000
    preprocessing: Annotated[
        str,
        one_of("meanstd", "zca", "divide255"),
        Field(
            description="each channel by mean and deviation of the training images; whitening; or division by 255"
        ),
    ] = "meanstd"
    augmentation: Annotated[
        str,
        one_of("flip_crop", "shift", "none"),
        Field(
            description="of training images: flips and crops after padding by 4; shifts by 1 pixel without flips"
        ),
    ] = "flip_crop"
    train_images: Annotated[
        int | None,
        whole_number(1, 100_000_000, nullable=True),
        Field(description="only so many training images, stratified, for smoke runs; null is all"),
    ] = None
    image_column: Annotated[
        str | None,
        COLUMN,
        Field(description="column of the images in Parquet files; null is found by its type"),
    ] = None
    label_column: Annotated[
        str | None,
        COLUMN,
        Field(description="column of the labels in Parquet files; null is `label` or the like"),
    ] = None
    background: Annotated[
        str,
        colour(),
        Field(description="what the transparent parts of images in files of your own are laid on"),
    ] = WHITE

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

    @model_validator(mode="after")
    def _validation_as_images(self) -> Self:
        """A share becomes a number of images, where the data set's name tells how many there are."""
        if self.validation < 1 and self.facts.train_images is not None:
            total = self.facts.train_images + (self.facts.extra_images if self.extra else 0)
            self.__dict__["validation"] = round(self.validation * total)
        return self

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
    # Every trial of a search has the same ones, and each is read some times: checking them anew is most of that work.
    root = values.get("root") if isinstance(values, dict) else "~"
    if root is not None and (
        not isinstance(root, str) or "~" in root or "$" in root
    ):  # depends on the environment
        return _checked(values)
    try:
        return _checked_before(tuple((key, type(value), value) for key, value in values.items()))
    except TypeError:  # a value that is none
        return _checked(values)


def _checked(values: dict[str, Any]) -> DatasetSettings:
    kind = JoinedSettings if isinstance(values, dict) and "joined" in values else DatasetSettings
    return kind.model_validate(values)


@lru_cache(64)
def _checked_before(items: tuple[tuple[str, type, Any], ...]) -> DatasetSettings:
    """The same, remembered; 1, 1.0 and true are three values."""
    return _checked({key: value for key, _, value in items})
