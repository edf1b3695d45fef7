"""The order of worth: full values, early ends, full values that are behind those; places, and what crashes leave."""

from __future__ import annotations

import pytest

from wrn_search.searchers.samplers.ends_by_worth import EndsByWorth
from wrn_search.searchers.searcher import COMPARABLE


def _ends(*told: tuple[dict[int, float], bool]) -> EndsByWorth:
    ends = EndsByWorth()
    for number, (curve, full) in enumerate(told):
        ends.began(number, {"x": number})
        ends.ended(number, curve, full=full)
    return ends


def _order(ends: EndsByWorth) -> list[object]:
    return [each.hparams["x"] for each in sorted(ends.placed(), key=lambda each: each.place)]


def test_full_values_come_first_then_those_that_got_further() -> None:
    ends = _ends(
        ({0: 30.0}, True), ({3: 40.0}, False), ({3: 35.0}, False), ({3: 60.0, 9: 50.0}, False), ({}, False)
    )

    assert _order(ends) == [0, 3, 2, 1, 4]


def test_one_that_diverged_is_worth_less_than_those_that_were_stopped() -> None:
    """Else a learning rate at which everything diverges would seem better than all but the few that were finished."""
    ends = _ends(({0: 90.0}, True), ({3: 40.0}, False), ({3: 50.0}, False), ({0: 20.0}, True))

    assert _order(ends) == [3, 1, 2, 0]


def test_equal_ones_share_the_middle_of_their_places() -> None:
    ends = _ends(*[({0: error}, True) for error in (5.0, 7.0, 7.0, 9.0)])

    assert [each.place for each in ends.placed()] == [0.125, 0.5, 0.5, 0.875]


def test_what_came_of_one_that_waited_replaces_what_was_told_before() -> None:
    ends = _ends(({1: 60.0}, False), ({1: 50.0}, False))
    ends.ended(0, {1: 60.0, 3: 40.0}, full=False)
    assert _order(ends) == [0, 1]
    assert ends.count == 2
    ends.crashed(0)
    assert _order(ends) == [1]
    assert ends.worth(0) > ends.worth(1)
    assert ends.first_told == [0, 1]


def test_other_searches_have_places_of_their_own_unless_they_can_be_compared() -> None:
    ends = _ends(({0: 10.0}, True), ({0: 20.0}, True))
    ends.found_elsewhere("other", {"x": "a"}, {9: 60.0}, full=True)
    ends.found_elsewhere("other", {"x": "b"}, {9: 70.0}, full=True)
    ends.found_elsewhere(COMPARABLE, {"x": "c"}, {9: 15.0}, full=True)

    places = {each.hparams["x"]: each.place for each in ends.placed()}
    assert places == pytest.approx({"a": 0.25, "b": 0.75, 0: 1 / 6, "c": 0.5, 1: 5 / 6})
    assert {each.hparams["x"] for each in ends.found_by_others()} == {"a", "b", "c"}


def test_those_that_run_are_known_until_they_have_a_value() -> None:
    ends = _ends(({1: 60.0}, False))
    ends.began(7, {"x": 7})
    assert list(ends.running) == [7]
    ends.crashed(7)
    assert not ends.running
