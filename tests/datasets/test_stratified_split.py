"""The split against a second implementation, its rules as properties, and goldens: it may never move."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrn_search.datasets.stratified_split import Split, apportion, split_hash, stratified_split
from wrn_search.errors import InputError


def largest_remainder(total: int, counts: list[int]) -> list[int]:
    """Hamilton's method as textbooks have it, in fractions."""
    quotas = [Fraction(total * count, sum(counts)) for count in counts]
    shares = [int(quota) for quota in quotas]
    order = sorted(range(len(counts)), key=lambda c: (shares[c] - quotas[c], c))
    for c in order[: total - sum(shares)]:
        shares[c] += 1
    return shares


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.data())
def test_shares_are_hamiltons(counts: list[int], data: st.DataObject) -> None:
    total = data.draw(st.integers(0, sum(counts)))
    array = np.array(counts)
    assert apportion(total, array, low=0, high=array).tolist() == largest_remainder(total, counts)


@settings(deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=6), st.data())
def test_a_split_is_exact_disjoint_and_leaves_every_class_an_image(
    counts: list[int], data: st.DataObject
) -> None:
    images, classes = sum(counts), len(counts)
    validation = data.draw(st.integers(0, images - classes))
    train_images = data.draw(st.none() | st.integers(classes, images - validation))
    labels = np.random.RandomState(0).permutation(np.repeat(np.arange(classes), counts))

    split = stratified_split(labels, validation, train_images)

    assert len(split.validation) == validation
    assert len(split.train) == (images - validation if train_images is None else train_images)
    assert not set(split.train) & set(split.validation)
    assert set(labels[split.train]) == set(range(classes))
    for indices in (split.train, split.validation):
        assert np.all(np.diff(indices) > 0)


@settings(deadline=None)
@given(st.lists(st.integers(2, 30), min_size=2, max_size=6), st.data())
def test_every_class_gives_its_share(counts: list[int], data: st.DataObject) -> None:
    images, classes = sum(counts), len(counts)
    validation = data.draw(st.integers(1, images // 2))  # few enough that every class keeps an image anyhow
    labels = np.repeat(np.arange(classes), counts)
    split = stratified_split(labels, validation)
    shares = np.bincount(labels[split.validation], minlength=classes)
    assert np.all(np.abs(shares - np.array(counts) * validation / images) < 1)


def test_shares_keep_their_bounds() -> None:
    # In proportion 96.04, 0.98, 0.98 of 98: the small classes may give none, the large one must give all.
    assert apportion(98, np.array([100, 1, 1]), low=0, high=np.array([99, 0, 0])).tolist() == [98, 0, 0]
    # In proportion 2.94, 0.03, 0.03 of 3: each must give one.
    assert apportion(3, np.array([100, 1, 1]), low=1, high=np.array([100, 1, 1])).tolist() == [1, 1, 1]


def test_what_is_held_out_does_not_depend_on_how_much_is_trained_on() -> None:
    labels = np.arange(200) % 7
    whole, small = stratified_split(labels, 40), stratified_split(labels, 40, 50)
    np.testing.assert_array_equal(whole.validation, small.validation)
    assert set(small.train) < set(whole.train)


def test_the_split_never_moves() -> None:
    labels = np.arange(30) % 3
    split = stratified_split(labels, 6, 9)
    assert split.validation.tolist() == [6, 8, 13, 14, 22, 27]
    assert split.train.tolist() == [0, 4, 5, 10, 11, 12, 15, 25, 26]
    assert split_hash(split, labels) == "6e5d6c6ce6b7c60b"


def test_the_hash_tells_indices_their_roles_and_labels_apart() -> None:
    def hashed(train: list[int], validation: list[int], labels: list[int]) -> str:
        split = Split(np.array(train, dtype=np.int64), np.array(validation, dtype=np.int64))
        return split_hash(split, np.array(labels, dtype=np.int64))

    hashes = [
        hashed([0, 1], [2, 3], [0, 1, 0, 1]),
        hashed([2, 3], [0, 1], [0, 1, 0, 1]),
        hashed([0], [1, 2, 3], [0, 1, 0, 1]),  # the same numbers in the same order, divided elsewhere
        hashed([0, 1], [2, 3], [0, 1, 1, 0]),
    ]
    assert len(set(hashes)) == 4
    assert hashes[0] == hashed([0, 1], [2, 3], [0, 1, 0, 1])


@pytest.mark.parametrize(
    ("validation", "train_images", "message"),
    [
        (28, None, "dataset.validation: must be at most 27, to leave an image of each class to train on "
                   "(30 training images of 3 classes), but got 28"),
        (20, 11, "dataset.train_images: must be at most 10 (30 training images of 3 classes, less 20 for validation), "
                 "but got 11"),
        (20, 2, "dataset.train_images: must be at least 3, an image of each class, but got 2"),
    ],
)  # fmt: skip
def test_sizes_that_do_not_fit(validation: int, train_images: int | None, message: str) -> None:
    with pytest.raises(InputError) as error:
        stratified_split(np.arange(30) % 3, validation, train_images)
    assert str(error.value) == message


def test_the_largest_sizes_that_fit() -> None:
    labels = np.arange(30) % 3
    assert len(stratified_split(labels, 27).train) == 3
    assert len(stratified_split(labels, 20, 10).train) == 10


def test_extra_images_are_trained_on_and_never_validate() -> None:
    own, extra = np.arange(600) % 10, np.arange(2000) % 10
    both = np.concatenate([own, extra]).astype(np.int64)
    alone, split = stratified_split(own.astype(np.int64), 100), stratified_split(both, 100, extra_images=2000)
    np.testing.assert_array_equal(split.validation, alone.validation)  # the same, with them and without
    np.testing.assert_array_equal(np.union1d(split.train, split.validation), np.arange(2600))
    few = stratified_split(both, 100, train_images=260, extra_images=2000)
    np.testing.assert_array_equal(few.validation, alone.validation)
    assert np.bincount(both[few.train]).tolist() == [26] * 10
    assert 160 < int((few.train >= 600).sum()) < 260  # of 2,500 that are left 2,000 are extra ones


def test_no_more_images_validate_than_there_are_without_extra_ones() -> None:
    labels = (np.arange(90) % 10).astype(np.int64)
    with pytest.raises(
        InputError, match=r"dataset\.validation: must be at most 50, .*\(60 training images of 10 classes\)"
    ):
        stratified_split(labels, 51, extra_images=30)
    with pytest.raises(InputError, match=r"dataset\.train_images: must be at most 80 .*and 30 extra ones"):
        stratified_split(labels, 10, train_images=81, extra_images=30)
