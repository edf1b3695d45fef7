"""Errors class by class: counted from labels, with intervals that hold what they say."""

from __future__ import annotations

import math

import pytest

from wrn_search.analysis.statistics.errors_by_class import errors_by_class, shown_classes, wilson_interval


def _binomial(n: int, k: int, p: float) -> float:
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


@pytest.mark.parametrize(("images", "share"), [(20, 0.3), (50, 0.1), (50, 0.5), (200, 0.02)])
def test_the_interval_holds_the_true_error_about_95_times_in_100(images: int, share: float) -> None:
    """By counting all outcomes, not by the formula: Wilson's lies around its level (Brown, Cai & DasGupta, 2001)."""
    covered = 0.0
    for wrong in range(images + 1):
        low, high = wilson_interval(100 * wrong / images, images)
        covered += _binomial(images, wrong, share) * (low <= 100 * share <= high)
    assert 0.92 <= covered <= 0.99


@pytest.mark.parametrize("images", [1, 7, 1000])
def test_no_interval_leaves_0_to_100_percent(images: int) -> None:
    assert wilson_interval(0.0, images)[0] == 0.0
    assert wilson_interval(100.0, images)[1] == pytest.approx(100.0)
    low, high = wilson_interval(50.0, images)
    assert low + high == pytest.approx(100.0)


def test_a_class_without_test_images_has_no_error() -> None:
    one, none = errors_by_class(["a", "b"], [{"images": [4, 0], "wrong": [1, 0]}])
    assert (one.error, none.error, none.interval, none.images) == (25.0, None, None, 0)
    assert none.to_dict() == {"class": "b", "images": 0, "error": None, "interval": None, "errors": []}


def test_numbers_stand_for_names_that_are_not_known() -> None:
    assert [each.name for each in errors_by_class((), [{"images": [4, 4], "wrong": [1, 0]}])] == ["0", "1"]


@pytest.mark.parametrize(
    "counted", [[], [{}], [{"images": [4], "wrong": [1]}, {"images": [5], "wrong": [1]}]]
)
def test_nothing_is_told_where_nothing_was_counted_or_on_other_images(
    counted: list[dict[str, list[int]]],
) -> None:
    assert errors_by_class(["a"], counted) == ()


def test_of_many_classes_the_hardest_are_shown() -> None:
    classes = errors_by_class((), [{"images": [10] * 5, "wrong": [1, 9, 0, 9, 2]}])
    assert shown_classes(classes, 5) == [0, 1, 2, 3, 4]
    assert shown_classes(classes, 3) == [1, 3, 4]
