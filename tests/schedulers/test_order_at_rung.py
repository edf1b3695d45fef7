"""The order at a rung with several objectives: against brute force, and as one objective where costs tell nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrn_search.objectives.dominance import dominates
from wrn_search.schedulers.order_at_rung import ByError, ByRank
from wrn_search.schedulers.scheduler import Course, Scheduler, Stop, Wait
from wrn_search.schedulers.scheduler_table import SCHEDULERS

ABLE = [name for name, kind in SCHEDULERS.items() if kind.takes_several_objectives and kind.stops_trials]
TWO = ("val_error", "num_params")


def _scheduler(name: str, **changes: object) -> Scheduler:
    values: dict[str, object] = {
        "rungs": (1, 3),
        "rungs_follow_schedule": False,
        "reduction_factor": 2,
        "chance_error": 90.0,
        "validation_images": 300,
        "promote": False,
        "min_samples": 1,
        "brackets": 1,
        "epochs": 9,
        "objectives": TWO,
    }
    return SCHEDULERS[name].make(Course(**{**values, **changes}))  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), min_size=1, max_size=25))
def test_where_all_cost_the_same_the_order_is_that_of_the_errors(arrivals: list[tuple[int, bool]]) -> None:
    one, several = ByError(), ByRank(chance_error=101.0)
    for configuration, (error, waits) in enumerate(arrivals):
        for order in (one, several):
            order.arrives(configuration, float(error), (7.0,))
            if waits:
                order.waits(configuration)
        assert several.better_than(configuration) == one.better_than(configuration)
    there = {configuration for configuration in range(len(arrivals)) if configuration % 3}
    assert several.best_waiting(there.__contains__) == one.best_waiting(there.__contains__)
    assert several.arrived == one.arrived == len(arrivals)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8)), min_size=1, max_size=20))
def test_nobody_stands_before_one_that_dominates_it(arrivals: list[tuple[int, int]]) -> None:
    order = ByRank(chance_error=90.0)
    for configuration, (error, cost) in enumerate(arrivals):
        order.arrives(configuration, float(error), (float(cost),))
    for one, a in enumerate(arrivals):
        for other, b in enumerate(arrivals):
            if dominates(a, b):
                assert order.better_than(one) < order.better_than(other)


@pytest.mark.parametrize("name", ABLE)
def test_a_small_network_goes_on_beside_a_good_one_and_what_both_beat_does_not(name: str) -> None:
    scheduler = _scheduler(name)
    for configuration, (error, cost) in enumerate([(20.0, 1e6), (40.0, 1e3), (50.0, 1e6), (45.0, 2e6)]):
        scheduler.observe(configuration, 1, error, (cost,))
    decided = [scheduler.decide(each, 1) for each in range(4)]

    assert decided[:2] == [None, None]
    assert isinstance(decided[2], Stop) or isinstance(decided[3], Stop)
    text = next(each.reason for each in decided if each is not None)
    assert "val_error and num_params" in text


@pytest.mark.parametrize("name", ABLE)
def test_who_guesses_is_ahead_of_nobody_however_small(name: str) -> None:
    scheduler = _scheduler(name, rungs_follow_schedule=True)
    for configuration in range(6):
        scheduler.observe(configuration, 1, 90.0 if configuration % 2 else 95.0, (1.0,))
    scheduler.observe(6, 1, 30.0, (1e9,))

    assert scheduler.decide(6, 1) is None


def test_one_that_waits_is_taken_up_when_others_show_that_it_is_on_the_front() -> None:
    asha = _scheduler("asha", promote=True)
    asha.observe(0, 1, 50.0, (100.0,))
    assert isinstance(asha.decide(0, 1), Wait)  # alone at the rung: one in two goes on, so far none
    asha.observe(1, 1, 60.0, (200.0,))
    asha.observe(2, 1, 70.0, (300.0,))
    waiting = {each: 1 for each in (0, 1, 2) if isinstance(asha.decide(each, 1), Wait)}

    assert asha.next_to_take_up(waiting, 0) == 0
    asha.goes_on(0, 1)
    assert asha.next_to_take_up({1: 1, 2: 1}, 0) is None
    asha.observe(3, 1, 80.0, (1.0,))  # the smallest by far: it and 0 are the front, and half of four goes on
    assert asha.decide(3, 1) is None
    assert asha.left_behind(2, 1).reason.startswith("3 of 4 trials at this rung ranked before it")


def test_a_cost_that_nobody_knows_yet_makes_nobody_better() -> None:
    order = ByRank(chance_error=90.0)
    order.arrives(0, 10.0, (None,))
    order.arrives(1, 20.0, (None,))

    assert (order.better_than(0), order.better_than(1)) == (0, 1)
