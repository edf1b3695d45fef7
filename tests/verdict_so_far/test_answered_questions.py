"""Which questions a look answers: each alone, at a level, and only after looks that agree."""

from __future__ import annotations

import itertools

import pytest

from tests.curves.made_up_curves import made_up
from wrn_search.curves.curve_fit import fit
from wrn_search.curves.settings_of_cells import cells_of
from wrn_search.verdict_so_far.answered_questions import (
    FIRST,
    LEVEL,
    SMALLEST,
    STEP,
    WINNER,
    answers_of_fit,
    is_decided,
    next_look,
)

OPEN = {"depth_vs_width": None, WINNER: "a", SMALLEST: "a"}
WIDE = {"depth_vs_width": "hurts", WINNER: "a", SMALLEST: "a"}
OTHER = {"depth_vs_width": "hurts", WINNER: "b", SMALLEST: "a"}
DEEP = {"depth_vs_width": "helps", WINNER: "a", SMALLEST: "a"}


@pytest.mark.parametrize(
    ("looks", "decided"),
    [
        ([], False),
        ([WIDE], False),  # one look is not enough
        ([WIDE, WIDE], True),
        ([WIDE, OTHER], True),  # two networks can be as good
        ([WIDE, DEEP], False),  # looks that contradict each other
        ([WIDE, OPEN, WIDE], False),
        ([OPEN, WIDE, WIDE], True),
        ([{}, {}], False),  # nothing could be told
    ],
)
def test_a_search_is_decided_by_looks_in_a_row_that_leave_nothing_open(looks, decided) -> None:
    assert is_decided(looks) is decided


def test_looks_come_ever_rarer() -> None:
    looks = [next_look(None)]
    while looks[-1] < 10_000:
        looks.append(next_look(looks[-1]))
    gaps = [later - earlier for earlier, later in itertools.pairwise(looks)]
    assert (looks[0], gaps[0]) == (FIRST, STEP)
    assert gaps == sorted(gaps)
    assert len(looks) < 30


@pytest.fixture(scope="module")
def chosen():
    """Width matters much, depth not at all."""
    return fit(made_up(90, width=-0.9, images=20_000, stop=False), draws=200)


def test_a_strong_effect_is_answered_and_the_sizes_say_which_network_is_the_smallest(chosen) -> None:
    sizes = {cell: round(1000 * (cell[0] - 4) * cell[1] ** 2) for cell in cells_of(chosen)}
    found = answers_of_fit(chosen, sizes, LEVEL)
    effect, winner, smallest = found["depth_vs_width"], found[WINNER], found[SMALLEST]
    assert effect is not None
    assert effect.verdict == "hurts"
    assert winner is not None
    assert smallest is not None
    assert winner.network is not None
    assert smallest.network is not None
    assert winner.network[1] == smallest.network[1] == 8  # the widest is best
    assert sizes[smallest.network] <= sizes[winner.network]


def test_a_higher_level_answers_no_more_than_a_lower_one() -> None:
    chosen = fit(made_up(30, width=-0.2, seed=3), draws=200)
    sizes = {cell: round((cell[0] - 4) * cell[1] ** 2) for cell in cells_of(chosen)}
    counts = [
        sum(answer is not None for answer in answers_of_fit(chosen, sizes, level).values())
        for level in (0.5, 0.9, 0.999)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] < 3  # so little is told by 30 trials


def test_networks_without_a_size_are_no_candidates(chosen) -> None:
    found = answers_of_fit(chosen, {(16.0, 8.0): 5}, LEVEL)
    assert found[WINNER] == found[SMALLEST].__class__(WINNER, network=(16.0, 8.0))
