"""Who may have the next free place."""

from __future__ import annotations

from wrn_search.decisions.trial_queue import OVERTAKEN_AT_MOST, WaitingTrials


def _waiting(costs: list[float], longest_first: bool = False) -> WaitingTrials:
    waiting = WaitingTrials(longest_first)
    for number, cost in enumerate(costs):
        waiting.append(number, cost)
    return waiting


def test_first_come_first_served() -> None:
    waiting = _waiting([1, 9, 5])
    assert waiting.in_order() == [0, 1, 2]
    waiting.remove(0)
    assert waiting.in_order() == [1, 2]
    assert len(waiting) == 2


def test_the_longest_first_ties_in_order_of_arrival() -> None:
    assert _waiting([1, 9, 5, 9], longest_first=True).in_order() == [1, 3, 2, 0]


def test_one_that_was_overtaken_too_often_holds_up_all_others() -> None:
    waiting = _waiting([1] * (OVERTAKEN_AT_MOST + 3))
    for number in range(1, OVERTAKEN_AT_MOST + 1):
        assert len(waiting.in_order()) > 1
        waiting.remove(number)
    assert waiting.in_order() == [0]
    waiting.remove(0)
    assert waiting.in_order() == [OVERTAKEN_AT_MOST + 1, OVERTAKEN_AT_MOST + 2]
