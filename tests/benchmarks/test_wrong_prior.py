"""The benchmark of wrong knowledge: who the worst are, how shares are counted, and that plays do believe it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.wrong_prior import ARMS, MOMENTS, regrets_of, share_needed, worst_tenth
from tests.benchmarks.made_tables import half_diverged, level, made_table
from wrn_search.replay.methods import Method
from wrn_search.replay.our_search import OurSearch

METHOD = Method("random+asha", "random", "asha")


def test_the_worst_tenth_is_by_end_and_those_that_diverged_are_in_it() -> None:
    table = made_table(50, 4, level)
    ends = table.ends
    worst = worst_tenth(table)
    assert len(worst) == 5
    assert min(ends[worst]) >= max(np.delete(ends, worst))
    diverged = worst_tenth(made_table(50, 4, half_diverged))
    assert all(place % 2 == 0 for place in diverged)


def test_a_share_is_of_the_epochs_of_the_search_without() -> None:
    moments = np.arange(1, MOMENTS + 1)
    free = [
        np.where(moments >= 100, 0.1, 1.0)
    ]  # the goal after 10 trainings is what it has at its 100th moment
    late = [np.where(moments >= 130, 0.1, 1.0)]
    assert share_needed(free, free, 10) == 1.0
    assert share_needed(late, free, 10) == pytest.approx(1.3)
    assert share_needed([np.ones(MOMENTS)], free, 10) == np.inf


@pytest.mark.parametrize("arm", ARMS)
def test_the_first_that_is_tried_is_one_of_the_worst(arm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table, begun = made_table(60, 6, level), []
    next_trial = OurSearch.next_trial

    def noted(self: OurSearch):  # type: ignore[no-untyped-def]
        found = next_trial(self)
        begun.append(None if found is None else found.configuration)
        return found

    monkeypatch.setattr(OurSearch, "next_trial", noted)
    assert len(regrets_of(table, METHOD, arm, 3)) == MOMENTS
    assert begun[0] in worst_tenth(table)
