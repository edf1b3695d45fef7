"""What is asked of a data set against what is known of it, before anything is downloaded or decoded."""

from __future__ import annotations

from wrn_search.datasets.stratified_split import size_problems
from wrn_search.errors import InputError, Problem
from wrn_search.images.augmentation import padding_problems
from wrn_search.images.normalisation_and_zca import preprocessing_problems
from wrn_search.space.dataset_section import DatasetSettings


def check_known(dataset: DatasetSettings) -> None:
    """The settings against what is known of the data set before its files are.

    Raises:
        InputError: they do not fit.
    """
    facts = dataset.facts
    if facts.image_shape is not None:
        check_shape(facts.image_shape, dataset)
    if facts.train_images is not None and facts.num_classes is not None:
        extra = facts.extra_images if dataset.extra else 0
        check_sizes(facts.train_images + extra, facts.num_classes, dataset)


def check_shape(image_shape: tuple[int, int, int], dataset: DatasetSettings) -> None:
    """What is made of the images against their shape, (H, W, C).

    Raises:
        InputError: they are too small for it.
    """
    _raise_any(
        padding_problems(image_shape, dataset.augmentation)
        + preprocessing_problems(image_shape, dataset.preprocessing)
    )


def check_sizes(images: int, classes: int, dataset: DatasetSettings) -> None:
    """The split that is asked for against the number of images.

    Raises:
        InputError: there are not so many.
    """
    _raise_any(size_problems(images, classes, dataset.validation, dataset.train_images))


def _raise_any(problems: list[Problem]) -> None:
    if problems:
        raise InputError(problems)
