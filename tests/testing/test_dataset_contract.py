"""The digits keep the contract that plugins are given; a data set that breaks a rule is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wrn_search.datasets.dataset import Dataset, LabelledImages, Presence, Source
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.testing import Check, dataset_checks

DIGITS = DATASETS["digits"]
CHECKS = dataset_checks(DIGITS)


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_the_contract(check: Check) -> None:
    check()


def _source(**changes: object) -> Source:
    return replace(DIGITS.read_training_images(None), **changes)  # type: ignore[arg-type]


def _shuffled(place: object) -> Source:
    source = _source()
    order = np.random.permutation(len(source.labels))
    return replace(source, images=source.images[order], labels=source.labels[order])


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (replace(DIGITS, presence=lambda place: Presence("")), "a look"),
        (replace(DIGITS, facts=replace(DIGITS.facts, train_images=7)), "what the facts say"),
        (replace(DIGITS, facts=replace(DIGITS.facts, augmentation="rotate")), "what the facts say"),
        (replace(DIGITS, read_training_images=_shuffled), "same each time"),
        (replace(DIGITS, facts=replace(DIGITS.facts, validation=1497)), "leave some"),
        (
            replace(
                DIGITS,
                read_test_images=lambda place, names: LabelledImages(
                    _source().images[:50], _source().labels[:50]
                ),
            ),
            "test images",
        ),
        (
            replace(
                DIGITS,
                read_test_images=lambda place, names: LabelledImages(
                    np.zeros((3, 8, 8, 1), np.uint8), np.array([0, 1, 10])
                ),
            ),
            "test images",
        ),
    ],
)
def test_a_data_set_that_breaks_a_rule_is_found(broken: Dataset, rule: str) -> None:
    (check,) = [each for each in dataset_checks(broken) if rule in str(each)]
    with pytest.raises(AssertionError, match=", but got "):
        check()
