"""What is asked of a data set against what is known of it, before anything is downloaded or decoded."""

from __future__ import annotations

from dataclasses import replace

from wrn_search.datasets.dataset import DatasetFacts, Presence
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.errors import InputError, Problem
from wrn_search.images.augmentation import augmentation_problems
from wrn_search.images.normalisation_and_zca import preprocessing_problems
from wrn_search.images.split_of_images import Sides, split_of
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.domains import finite_values
from wrn_search.space.space import Space


def check_known(dataset: DatasetSettings) -> None:
    """The settings against what is known of the data set before its files are.

    Raises:
        InputError: they do not fit.
    """
    facts = dataset.facts
    if facts.image_shape is not None:
        check_shape(facts.image_shape, dataset)
    if DATASETS[dataset.name].user_files is None:  # else they know best
        check_sizes(dataset, facts)


def check_shape(image_shape: tuple[int, int, int], dataset: DatasetSettings) -> None:
    """What is made of the images against their shape, (H, W, C).

    Raises:
        InputError: they are too small for it.
    """
    _raise_any(
        augmentation_problems(image_shape, dataset)
        + preprocessing_problems(image_shape, dataset.preprocessing)
    )


def check_sizes(dataset: DatasetSettings, facts: DatasetFacts) -> None:
    """The split that is asked for against the numbers of images, as far as they are known.

    Raises:
        InputError: there are not so many.
    """
    _raise_any(dataset.size_problems(facts))


def facts_told(dataset: DatasetSettings, presence: Presence) -> DatasetFacts:
    """What is known of a data set once a look has told what its files hold, and the split that will be made of them.

    Raises:
        InputError: the images are too few or too small for what is asked, or cannot be split so.
    """
    facts = dataset.facts.told_by(presence)
    check_sizes(dataset, facts)
    if facts.image_shape is not None:
        check_shape(facts.image_shape, dataset)
    if (rows := presence.rows) is None:
        return facts
    split = split_of(rows.labels, dataset, Sides(rows.validation, rows.groups))
    return replace(facts, trained_on=len(split.train))


def check_batches(space: Space, train_images: int | None) -> None:
    """A step must not take more images than there are; nothing is known of None.

    Raises:
        InputError: the largest batch size of the space is larger than the training split.
    """
    asked = space.hyperparameters.get("batch_size", space.training.batch_size)
    largest = max(int(value) for value in finite_values(asked) or ())
    if train_images is not None and largest > train_images:
        text = f"batch_size must be at most the {train_images} images that are trained on, but got {largest}"
        raise InputError.of("training.batch_size", text)


def _raise_any(problems: list[Problem]) -> None:
    if problems:
        raise InputError(problems)
