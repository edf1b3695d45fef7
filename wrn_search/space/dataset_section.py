"""The `dataset` section: which images, how many are held out, how they are prepared."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wrn_search.datasets.dataset import WHITE, DatasetFacts
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.datasets.image_fit import FITS
from wrn_search.datasets.stratified_split import size_problems
from wrn_search.errors import Problem
from wrn_search.space.rules.columns_and_groups import COLUMN, GROUPS
from wrn_search.space.rules.keys_with_own_rules import OF_A_PLUGIN, PREPROCESSING, colour, share_or_count
from wrn_search.space.rules.number_and_text_rules import (
    a_path,
    one_of,
    true_or_false,
    whole_number,
)
from wrn_search.space.sections.crop_padding import (
    AUTO,
    CROPPING,
    POLICIES,
    auto_or_pixels,
    padding_of,
)

NULLABLE = ("validation", "preprocessing", "augmentation")  # null is the default
OWN_DEFAULTS = (
    "extra",
    *NULLABLE,
    "image_size",
    "image_fit",
    "group_by",
)  # that each data set has of its own
OF_EIGHT_BITS = (*POLICIES, *(f"shift_{name}" for name in POLICIES))  # they change levels
STORED_AUGMENTATIONS = (
    "flip_crop",
    "flip_crop_batch",
    "crop",
    "flip",
    "shift",
    "none",
    *OF_EIGHT_BITS,
)  # of images that are decoded beforehand
STREAMED_AUGMENTATIONS = ("resized_crop_colour", "resized_crop", "none")  # of those that are not


class DatasetSettings(BaseModel):
    """The images of a search. Omitted keys take the data set's own defaults (`datasets/dataset_table.py`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, one_of(*DATASETS, otherwise=OF_A_PLUGIN), Field(description="which images")] = (
        "cifar10"
    )
    root: Annotated[
        str | None,
        a_path(),
        Field(
            description="folder of the images' own files; ~ and $VARIABLE are replaced; null is $WRN_SEARCH_DATA, else "
            "~/.cache/wrn-search"
        ),
    ] = None
    extra: Annotated[
        bool,
        true_or_false(),
        Field(description="SVHN's further 531,131 images are trained on, too; none of them validates"),
    ] = False
    validation: Annotated[
        int | float,
        share_or_count(10_000_000),
        Field(
            description="images held out of the training split, stratified, the same in every search (of SVHN's split "
            "`train`, not of the extra images), or their share, such as 0.1; not used where validation files are"
        ),
    ] = 5000
    preprocessing: Annotated[
        str,
        PREPROCESSING,
        Field(
            description="each channel by mean and deviation of the training images, or by those that the paper gives "
            "for CIFAR-10 and uses for CIFAR-100 too, or by those that the authors use for ImageNet; global contrast "
            "normalisation, then ZCA whitening; or division by 255"
        ),
    ] = "meanstd"
    augmentation: Annotated[
        str,
        one_of(*STORED_AUGMENTATIONS, *STREAMED_AUGMENTATIONS[:-1]),
        Field(
            description="of training images: flips and crops after padding (crop_padding), drawn for each image; or "
            "one crop for all images of a batch and half of them flipped, as the authors' Lua code does; crop or flip "
            "alone (text and digits must not be mirrored); shifts by 1 pixel without flips; flip_crop (or shift_...: "
            "shift), then TrivialAugment (Müller & Hutter, 2021), RandAugment (Cubuk et al., 2020) or changes of "
            "brightness, contrast and colour for each image (docs/recipes.md); of imagenet a random part of each "
            "image, scaled and flipped, with or without the authors' changes of colour (docs/imagenet.md)"
        ),
    ] = "flip_crop"
    crop_padding: Annotated[
        int | str,
        auto_or_pixels(),
        Field(
            description="pixels that augmentations which crop reflect around an image before they cut it; "
            "auto is an eighth of its shorter side: 4 of 32, 8 of 64"
        ),
    ] = AUTO
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
    image_size: Annotated[
        int | None,
        whole_number(8, 1024, nullable=True),
        Field(
            description="images of your own, and those of data-sets.md, are made squares of so many pixels a side, "
            "whatever their sizes; null is the data set's own, and takes others as they are, which must be of one size"
        ),
    ] = None
    image_fit: Annotated[
        str,
        one_of(*FITS),
        Field(
            description="how image_size is reached: crop scales the shorter side and cuts the longer one around the "
            "centre; pad scales the longer side and fills up with background; centre, as ImageNet is evaluated, scales "
            "the shorter side to 8/7 of it and cuts a square around the centre"
        ),
    ] = "crop"
    validation_files: Annotated[
        bool,
        true_or_false(),
        Field(
            description="images of your own that lie in root/val/ (valid, validation, dev), or in "
            "root/validation*.parquet, or in a split of their own, validate where they are there; false passes them "
            "over"
        ),
    ] = True
    group_by: Annotated[
        str | None,
        GROUPS,
        Field(
            description="what images of your own must not share across the split, as patient or scene: a column of "
            "Parquet files, or a pattern with one group, as in '(patient[0-9]+)_', of the file's name, of its path "
            "below train/ where the pattern has a /"
        ),
    ] = None

    sampling: Annotated[
        str,
        one_of("uniform", "balanced"),
        Field(
            description="which training images an epoch shows: each once; or as many, but each class equally often, so "
            "that small classes are shown again and large ones only in part (Kang et al., 2020). Errors count every "
            "validation and test image once either way"
        ),
    ] = "uniform"

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
        own = {key: getattr(facts, key) for key in OWN_DEFAULTS}
        nullable = (*NULLABLE, "image_size", "group_by")
        return own | {key: value for key, value in data.items() if not (key in nullable and value is None)}

    @model_validator(mode="after")
    def _crop_padding_as_pixels(self) -> Self:
        """Where images are cropped whose size is known before their files are."""
        if self.augmentation in CROPPING and (shape := self.facts.image_shape) is not None:
            self.__dict__["crop_padding"] = self.padding_of(shape)
        return self

    @model_validator(mode="after")
    def _validation_as_images(self) -> Self:
        """A share becomes a number of images, where the data set's name tells how many there are."""
        if 0 < self.validation < 1 and DATASETS[self.name].user_files is None:
            self.__dict__["validation"] = round(self.validation * (self.facts.train_images or 0))
        return self

    @property
    def facts(self) -> DatasetFacts:
        """What is known of the data set by its name, and by the size that its images are made."""
        facts = DATASETS[self.name].facts
        if not self.validation_files:
            facts = replace(facts, validation_images=None)
        if self.image_size is None or not (self.is_streamed or facts.image_shape):
            return facts
        channels = facts.image_shape[2] if facts.image_shape else 3
        return replace(facts, image_shape=(self.image_size, self.image_size, channels))

    @property
    def is_streamed(self) -> bool:
        """Whether images are decoded for every batch anew, rather than all of them beforehand."""
        return DATASETS[self.name].streamed is not None

    def padding_of(self, image_shape: tuple[int, int, int]) -> int:
        """Pixels around images of (H, W, C) that are cropped at random."""
        return padding_of(self.crop_padding, image_shape)

    def held_out_of(self, images: int) -> int:
        """How many of so many images validate, where no files of their own do."""
        is_share = 0 < self.validation < 1
        return max(1, round(self.validation * images)) if is_share else int(self.validation)

    def held_out(self, facts: DatasetFacts) -> int | None:
        """How many images validate; None where only the files can tell."""
        if facts.validation_images is not None and self.validation:
            return facts.validation_images
        if 0 < self.validation < 1 and facts.train_images is None:
            return None
        return self.held_out_of(facts.train_images or 0)

    def trained_on(self, facts: DatasetFacts) -> int | None:
        """How many images are trained on; None where only the files can tell."""
        if facts.trained_on is not None:
            return facts.trained_on
        if self.train_images is not None or facts.train_images is None:
            return self.train_images
        own, held_out = self._own_and_held_out(facts.train_images, facts.validation_images)
        return max(1, own - held_out + (facts.extra_images if self.extra else 0))

    def size_problems(self, facts: DatasetFacts) -> list[Problem]:
        """Why there are too few images; empty if there are enough, or only the files can tell."""
        if facts.train_images is None or facts.num_classes is None:
            return []
        own, held_out = self._own_and_held_out(facts.train_images, facts.validation_images)
        extra = facts.extra_images if self.extra else 0
        return size_problems(own, facts.num_classes, held_out, self.train_images, extra)

    def _own_and_held_out(self, train_images: int, of_files: int | None) -> tuple[int, int]:
        """Images but extra ones that may be trained on, and how many of these validate, if files do not."""
        if of_files is None:
            return train_images, self.held_out_of(train_images)
        return (train_images, 0) if self.validation else (train_images + of_files, 0)


class JoinedSettings(DatasetSettings):
    """The same images with those that validate a search among those that are trained on, and none held out.

    What a confirmation retrains on for its test errors, and `protocol: test_each` trains on. A search cannot ask for
    it: there would be nothing to choose by.
    """

    joined: Literal[True] = True
    validation: Annotated[
        int | float,
        share_or_count(10_000_000, low=0),
        Field(description="images that a search held out, or their share, now trained on"),
    ] = 5000

    @classmethod
    def of(cls, dataset: DatasetSettings) -> JoinedSettings:
        """The settings of a search, joined."""
        return cls.model_validate(dataset.model_dump())

    @classmethod
    def whole(cls, dataset: DatasetSettings) -> JoinedSettings:
        """All training images, of which none was ever held out; `train_images` of them where that is given."""
        return cls.model_validate(dataset.model_dump() | {"validation": 0})

    def apart(self) -> DatasetSettings:
        """The settings whose split the record of these trainings names: `of` undone; of `whole` they are these."""
        if not self.validation:
            return self
        return DatasetSettings.model_validate(self.model_dump(exclude={"joined"}))
