"""What an epoch costs, and how long it takes as a search trains."""

from __future__ import annotations

import pytest

from wrn_search.decisions.budget.pace_so_far import PaceSoFar


def test_until_an_epoch_was_alone_they_take_what_they_took() -> None:
    pace = PaceSoFar()
    assert pace.seconds(1000) == 0.0
    for seconds in (3.0, 5.0):
        pace.learn(1000, seconds, alone=False)
    assert (pace.seconds(1000), pace.seconds(2000), pace.seconds(500)) == (4.0, 8.0, 2.0)


def test_costs_are_of_epochs_that_were_alone_and_all_take_as_much_longer_beside_others() -> None:
    """One size was alone (2 s) and shared (4 s), another only shared, another only alone (20 s): all take twice."""
    pace = PaceSoFar()
    pace.learn(1000, 2.0, alone=True)
    pace.learn(10_000, 20.0, alone=True)
    assert pace.seconds(1000) == 2.0, "nobody trains beside another"
    pace.learn(1000, 4.0, alone=False)
    pace.learn(100, 0.4, alone=False)
    assert pace.seconds(10_000) == pytest.approx(40.0)
    assert pace.seconds(1000) == pytest.approx(4.0)
    assert pace.seconds(100) == pytest.approx(0.4)


def test_what_was_shared_says_nothing_of_its_own_network() -> None:
    """The small one was beside a giant once: it costs no more than its proportion."""
    pace = PaceSoFar()
    for size in (1000, 2000, 4000):
        for _ in range(100):
            pace.learn(size, size / 1000, alone=True)
    pace.learn(1000, 50.0, alone=False)
    assert pace.seconds(2000) == pytest.approx(2 * pace.seconds(1000))
