"""Hypervolumes against inclusion and exclusion, closed forms and symmetries."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrn_search.objectives.hypervolume import Box, hypervolume


def _by_inclusion_and_exclusion(points: list[tuple[float, ...]], reference: tuple[float, ...]) -> float:
    """Sum over all groups of points, its sign by their number, of the box that all of the group dominate."""
    total = 0.0
    for size in range(1, len(points) + 1):
        for group in combinations(points, size):
            corner = [max(each[axis] for each in group) for axis in range(len(reference))]
            box = math.prod(max(0.0, r - c) for c, r in zip(corner, reference, strict=True))
            total += box if size % 2 else -box
    return total


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_it_is_what_inclusion_and_exclusion_says(objectives: int, data: st.DataObject) -> None:
    point = st.tuples(*[st.integers(0, 12).map(float)] * objectives)
    points = data.draw(st.lists(point, max_size=8))
    reference = (10.0,) * objectives
    found = hypervolume(points, reference)

    assert found == pytest.approx(_by_inclusion_and_exclusion(points, reference))
    assert hypervolume([*reversed(points), *points], reference) == pytest.approx(found)


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_the_hypervolume_of_a_staircase(n: int) -> None:
    assert hypervolume([(i, n - 1 - i) for i in range(n)], (n, n)) == n**2 - n * (n - 1) / 2


def test_a_point_on_the_border_or_beyond_dominates_nothing() -> None:
    assert hypervolume([(10.0, 1.0), (1.0, 11.0), (math.inf, math.inf)], (10.0, 10.0)) == 0.0
    assert hypervolume([], (1.0, 1.0, 1.0)) == 0.0


def test_the_share_of_a_box_counts_halves_alike_wherever_they_are() -> None:
    box = Box(ideal=(1.0, 1e3), reference=(64.0, 1e6))

    assert box.share([]) == 0.0
    assert box.share([(1.0, 1e3)]) == pytest.approx(1.0)
    assert box.share([(0.0, 10.0)]) == pytest.approx(1.0)  # better than the ideal counts as that
    assert box.share([(64.0, 1e3)]) == 0.0
    one_half = [box.share([(error, 1e3)]) - box.share([(2 * error, 1e3)]) for error in (1.0, 4.0, 32.0)]
    assert one_half == pytest.approx([1 / 6] * 3)
    assert box.share([(8.0, math.sqrt(1e9))]) == pytest.approx(1 / 4)
