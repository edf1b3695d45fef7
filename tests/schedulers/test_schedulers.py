from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.decisions.playing import FACTS, space_of
from wrn_search.decisions.rung_epochs import course_of
from wrn_search.schedulers.asha import Asha, PromotingAsha, bracket_of
from wrn_search.schedulers.scheduler import Stop, Wait
from wrn_search.schedulers.scheduler_table import SCHEDULERS


def _asha(**options) -> Asha:
    return Asha((3, 6), 2, options.get("chance_error"), 300)


def test_decisions_fall_at_rungs_only_and_by_what_had_arrived() -> None:
    asha = _asha()
    for number, val_error in enumerate([5.0, 4.0, 6.0, 3.0]):
        asha.observe(number, 2, val_error)
        asha.observe(number, 3, val_error)
    assert asha.decide(0, 2) is None
    # Trial 0 was alone when it arrived; trial 1 was the better of two; trial 2 the worst of three; trial 3 the best.
    assert [asha.decide(number, 3) is None for number in range(4)] == [True, True, False, True]
    assert asha.decide(2, 3) == Stop(3, "2 of 3 trials at this rung were better")


def test_a_replay_in_the_same_order_decides_alike() -> None:
    reports = [(number, 3, float(value)) for number, value in enumerate([7, 3, 9, 1, 4, 4, 8])]
    live, replayed = _asha(), _asha()
    decisions = []
    for number, epoch, value in reports:
        live.observe(number, epoch, value)
        decisions.append(live.decide(number, epoch))
    for report in reports:
        replayed.observe(*report)
    assert [replayed.decide(number, 3) for number, _, _ in reports] == decisions
    assert any(decisions)
    assert not all(decisions)


def test_the_first_report_of_a_trial_at_a_rung_stands() -> None:
    asha = _asha()
    asha.observe(0, 3, 5.0)
    asha.observe(1, 3, 6.0)
    asha.observe(1, 3, 1.0)
    assert asha.decide(1, 3) is not None


def test_a_trial_at_chance_is_stopped_even_if_it_is_the_best() -> None:
    asha = _asha(chance_error=90.0)
    asha.observe(0, 3, 89.0)
    assert asha.decide(0, 3) == Stop(3, "validation error 89.00 % is still that of guessing", at_chance=True)
    asha.observe(1, 3, 70.0)
    assert asha.decide(1, 3) is None


def test_chance_counts_only_on_the_rungs_of_the_schedule() -> None:
    for rungs, stops in (("schedule", True), ("geometric", False)):
        space = space_of(search={"scheduler": "asha", "rungs": rungs, "promote": False})
        asha = SCHEDULERS["asha"].make(course_of(space, FACTS))
        asha.observe(0, 3, 90.0)
        assert (asha.decide(0, 3) is not None) is stops


def test_without_a_scheduler_every_trial_goes_on() -> None:
    nothing = SCHEDULERS["none"].make(course_of(space_of(), FACTS))
    for number, val_error in enumerate([1.0, 90.0]):
        nothing.observe(number, 3, val_error)
    assert nothing.decide(1, 3) is None


def _stop_by_looking_at_all(arrived: list[tuple[int, float]], number: int, factor: int) -> str | None:
    """The rule word by word: of those that had reached the rung when this one did, one in `factor` goes on."""
    so_far = arrived[: [each for each, _ in arrived].index(number) + 1]
    better = sum(value < so_far[-1][1] for _, value in so_far)
    on = better < max(1, len(so_far) // factor)
    return None if on else f"{better} of {len(so_far)} trials at this rung were better"


@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from([2, 3, 6]), st.integers(0, 12))), st.integers(2, 4)
)
def test_decisions_are_those_of_a_look_at_all_that_had_arrived(reports, factor) -> None:
    """Ties, second reports and epochs that are no rung among them; at arrival, and when all is known."""
    asha = Asha((3, 6), factor, None, 300)
    arrived: dict[int, list[tuple[int, float]]] = {3: [], 6: []}
    for number, epoch, value in reports:
        asha.observe(number, epoch, float(value))
        if epoch in arrived and number not in dict(arrived[epoch]):
            arrived[epoch].append((number, float(value)))
            reason = _stop_by_looking_at_all(arrived[epoch], number, factor)
            assert asha.decide(number, epoch) == (reason and Stop(epoch, reason))
    for epoch, those in arrived.items():
        for number in range(31):
            reason = _stop_by_looking_at_all(those, number, factor) if number in dict(those) else None
            assert asha.decide(number, epoch) == (reason and Stop(epoch, reason))


def test_of_two_brackets_one_configuration_in_four_passes_over_the_first_rung() -> None:
    asha = PromotingAsha((1, 3, 9), 3, None, 300, brackets=2)
    for number in range(8):
        for epoch in (1, 3):
            asha.observe(number, epoch, 10.0 + number)
    assert [number for number in range(8) if asha.decide(number, 1) is None] == [3, 7]
    # At the next rung all are compared: one of the first three goes on, and two of six.
    assert all(isinstance(asha.decide(number, 3), Wait) for number in range(8))
    assert asha.next_to_take_up(dict.fromkeys(range(8), 3), at_least=0) == 0


def test_the_last_rung_is_passed_over_by_none() -> None:
    asha = PromotingAsha((4,), 2, None, 300, brackets=3)
    for number in range(7):
        asha.observe(number, 4, 10.0 + number)
    assert all(isinstance(asha.decide(number, 4), Wait) for number in range(7))


@pytest.mark.parametrize(("brackets", "eta"), [(1, 3), (2, 3), (3, 2), (3, 4)])
def test_each_bracket_has_eta_times_as_many_as_the_next(brackets: int, eta: int) -> None:
    turn = sum(eta**bracket for bracket in range(brackets))
    counts = Counter(bracket_of(number, brackets, eta) for number in range(5 * turn))
    assert counts == {bracket: 5 * eta ** (brackets - 1 - bracket) for bracket in range(brackets)}
