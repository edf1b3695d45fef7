"""Ranks and crowding against brute force; NaN, ties, those at chance, one outcome."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrn_search.objectives.dominance import comparable, dominates, fronts_of, is_on_front, order_of_outcomes


def _peeled(outcomes: list[tuple[float, ...]]) -> list[int]:
    """Fronts by their definition: those that nobody left dominates are taken off, again and again."""
    left, found, front = dict(enumerate(outcomes)), {}, 0
    while left:
        taken = [
            place
            for place, each in left.items()
            if not any(dominates(other, each) for other in left.values())
        ]
        for place in taken:
            found[place] = front
            del left[place]
        front += 1
    return [found[place] for place in range(len(outcomes))]


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_fronts_are_those_that_peeling_finds(objectives: int, data: st.DataObject) -> None:
    value = st.integers(0, 6).map(float)
    outcomes = data.draw(st.lists(st.tuples(*[value] * objectives), max_size=25))

    assert fronts_of(outcomes) == _peeled(outcomes)


def test_dominance_is_nowhere_worse_and_somewhere_better() -> None:
    #  (1, 3) . .      b = (2, 2) dominates d alone; a and c stand beside it
    a, b, c, d = (1.0, 3.0), (2.0, 2.0), (3.0, 1.0), (3.0, 3.0)

    assert [dominates(b, other) for other in (a, b, c, d)] == [False, False, False, True]
    assert fronts_of([a, b, c, d]) == [0, 0, 0, 1]
    assert is_on_front([d, b]) == [False, True]


def test_a_nan_is_worse_than_any_number_and_one_outcome_is_the_front() -> None:
    assert fronts_of([(math.nan, 1.0)]) == [0]
    assert fronts_of([(math.nan, 1.0), (50.0, 1.0)]) == [1, 0]
    assert fronts_of([(math.nan, math.nan), (math.nan, math.nan)]) == [0, 0]
    assert fronts_of([]) == []
    assert order_of_outcomes([]) == []


def test_within_a_front_the_ends_come_first_and_then_who_stands_alone() -> None:
    # gaps on both axes around b: (4 - 0) / 10 + (10 - 6) / 10; around c: (10 - 1) / 10 + (9 - 0) / 10
    a, b, c, d, behind = (0.0, 10.0), (1.0, 9.0), (4.0, 6.0), (10.0, 0.0), (11.0, 11.0)
    keys = order_of_outcomes([behind, d, c, b, a])

    assert keys == [
        (1, -math.inf),
        (0, -math.inf),
        (0, pytest.approx(-1.8)),
        (0, pytest.approx(-0.8)),
        (0, -math.inf),
    ]


def test_equal_outcomes_have_equal_keys_and_infinite_ones_are_no_nan() -> None:
    lost = (math.inf, math.inf)
    keys = order_of_outcomes([(1.0, 2.0), lost, (1.0, 2.0), lost, (2.0, 1.0), (0.5, math.inf)])

    assert keys[0] == keys[2]
    assert keys[1] == keys[3] == (1, -math.inf)
    assert all(key == key for key in keys)
    assert max(keys) == keys[1]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 80), st.integers(1, 10**9)), min_size=1, max_size=20))
def test_with_one_cost_for_all_the_order_is_that_of_the_errors(pairs: list[tuple[float, int]]) -> None:
    outcomes = [comparable(error, (5.0,), 90.0) for error, _ in pairs]
    keys = order_of_outcomes(outcomes)

    assert [keys[i] < keys[j] for i in range(len(keys)) for j in range(len(keys))] == [
        pairs[i][0] < pairs[j][0] for i in range(len(keys)) for j in range(len(keys))
    ]


@pytest.mark.parametrize("error", [90.0, 95.0, math.nan, math.inf])
def test_who_guesses_or_diverged_is_behind_all_however_small(error: float) -> None:
    outcomes = [comparable(error, (1.0, 1.0), 90.0), comparable(89.0, (1e9, None), 90.0)]

    assert fronts_of(outcomes) == [1, 0]


def test_a_cost_that_nobody_knows_is_behind_all_that_are_known() -> None:
    unknown, known = comparable(10.0, (None,), 90.0), comparable(10.0, (1e12,), 90.0)

    assert fronts_of([unknown, known]) == [1, 0]
    assert comparable(10.0, (math.nan,), 90.0) == unknown
    assert comparable(10.0, (0.0,), 90.0) < comparable(10.0, (1.0,), 90.0)
