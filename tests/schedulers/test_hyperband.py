"""Brackets: their rungs and shares, who belongs to which, and that each is an ASHA of its own."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from wrn_search.schedulers.asha import PromotingAsha
from wrn_search.schedulers.hyperband import Hyperband, bracket_number, brackets_of
from wrn_search.schedulers.scheduler import Course, Stop, Wait

RUNGS = (1, 3, 9, 27)


def _course(**options: Any) -> Course:
    return Course(
        **{"rungs": (1, 3), "rungs_follow_schedule": False, "reduction_factor": 2} | _FACTS | options
    )


_FACTS = {"chance_error": 90.0, "validation_images": 300, "promote": True}


def test_shares_are_those_of_the_papers_table() -> None:
    """Li et al., table 1 (R = 81, eta = 3): brackets begin with 81, 34, 15, 8 and 5 configurations."""
    brackets = brackets_of(RUNGS, 3)

    assert [bracket.rungs for bracket in brackets] == [RUNGS, (3, 9, 27), (9, 27), (27,), ()]
    paper = [81, 34, 15, 8, 5]  # rounded up
    assert [bracket.share for bracket in brackets] == pytest.approx([each / 143 for each in paper], abs=0.006)


def test_all_brackets_cost_alike_by_the_papers_count() -> None:
    """Each rung that a configuration begins at counts as if it were trained from its start."""
    costs = []
    for bracket in brackets_of(RUNGS, 3):
        ends = (*bracket.rungs, 81)
        costs.append(bracket.share * sum(end / 3**place for place, end in enumerate(ends)))
    assert costs == pytest.approx([costs[0]] * 5)


@pytest.mark.parametrize("configurations", [20, 64, 143, 1000])
def test_after_any_number_of_configurations_each_bracket_has_its_share(configurations: int) -> None:
    brackets = brackets_of(RUNGS, 3)
    counts = Counter(bracket_number(each, brackets) for each in range(configurations))

    for number, bracket in enumerate(brackets):
        assert counts[number] == pytest.approx(bracket.share * configurations, abs=2)


def test_of_fewer_brackets_those_with_the_most_rungs_are_left() -> None:
    assert [bracket.rungs for bracket in brackets_of(RUNGS, 3, 2)] == [RUNGS, (3, 9, 27)]
    assert sum(bracket.share for bracket in brackets_of(RUNGS, 3, 2)) == pytest.approx(1)
    assert len(brackets_of(RUNGS, 3, 99)) == 5
    assert [bracket.rungs for bracket in brackets_of((), 3)] == [()]


def test_many_rungs_and_a_large_factor_are_no_trouble() -> None:
    brackets = brackets_of(tuple(range(1, 500)), 1000)

    assert len(brackets) == 500
    assert sum(bracket.share for bracket in brackets) == pytest.approx(1)
    assert {bracket_number(each, brackets) for each in range(1000)} <= set(range(500))


def test_each_bracket_decides_as_an_asha_that_hears_of_its_own_alone() -> None:
    course = _course()
    brackets = brackets_of(course.rungs, 2)
    hyperband = Hyperband(course)
    alone = [PromotingAsha(bracket.rungs, 2, None, 300) for bracket in brackets]
    for configuration in range(60):
        number = bracket_number(configuration, brackets)
        error = float(configuration * 37 % 60)
        for epoch in (1, 2, 3):
            hyperband.observe(configuration, epoch, error)
            alone[number].observe(configuration, epoch, error)
            ours, theirs = hyperband.decide(configuration, epoch), alone[number].decide(configuration, epoch)
            assert type(ours) is type(theirs)
            if isinstance(ours, Wait) and isinstance(theirs, Wait):
                words = f" trials of bracket {number + 1} at"
                assert ours.reason == theirs.reason.replace(" trials at", words)
                break


def _in_bracket(number: int, count: int) -> list[int]:
    brackets = brackets_of((1, 3), 2)
    return [each for each in range(200) if bracket_number(each, brackets) == number][:count]


def test_of_those_that_may_go_on_the_one_that_has_come_furthest_does() -> None:
    hyperband = Hyperband(_course())
    early, late = _in_bracket(0, 4), _in_bracket(1, 4)
    for place, (first, second) in enumerate(zip(early, late, strict=True)):
        hyperband.observe(first, 1, 50.0 + place)
        hyperband.observe(second, 3, 40.0 + place)
    waiting = dict.fromkeys(early, 1) | dict.fromkeys(late, 3)

    assert hyperband.next_to_take_up(waiting, 0) == late[0]
    hyperband.goes_on(late[0], 3)
    del waiting[late[0]]
    assert hyperband.next_to_take_up(waiting, 0) == late[1]
    assert hyperband.next_to_take_up(dict.fromkeys(early, 1), 0) == early[0]
    assert hyperband.next_to_take_up({}, 0) is None
    end = hyperband.left_behind(early[3], 1)
    assert end == Stop(1, "3 of 4 trials of bracket 1 at this rung were better")


def test_the_last_bracket_compares_nothing() -> None:
    hyperband = Hyperband(_course())
    (free,) = _in_bracket(2, 1)
    for epoch in (1, 2, 3):
        hyperband.observe(free, epoch, 89.0)
        assert hyperband.decide(free, epoch) is None


def test_without_promotion_those_that_do_not_go_on_end() -> None:
    hyperband = Hyperband(_course(promote=False))
    for place, each in enumerate(_in_bracket(0, 3)):
        hyperband.observe(each, 1, 50.0 + place)
    assert isinstance(hyperband.decide(_in_bracket(0, 3)[2], 1), Stop)
