"""Made tables where nothing can be learned: they hold what they say, and what a search loses there is told."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmarks.uninformative_rungs import FULL, PlayOfTable, plays_of, to_quality, to_trainings
from benchmarks.uninformative_tables import EPOCHS, KINDS, uninformative_table
from wrn_search.replay.methods import Method


@pytest.mark.parametrize("kind", KINDS)
def test_early_epochs_say_nothing_of_the_end(kind: str) -> None:
    table = uninformative_table(kind, 0)
    errors = np.array([curves[0].errors for curves in table.curves])
    for rung in (1, 3, 9, 27, 36):
        assert abs(stats.kendalltau(errors[:, rung - 1], errors[:, -1]).statistic) < 0.1
    assert stats.kendalltau(errors[:, -2], errors[:, -1]).statistic > 0.9
    early = stats.kendalltau(errors[:, 0], errors[:, 26]).statistic
    assert early == pytest.approx(1.0) if kind == "crossing" else abs(early) < 0.1
    again = uninformative_table(kind, 0)
    assert np.array_equal(errors, [curves[0].errors for curves in again.curves])
    for name in table.hyperparameters:
        values = [configuration[name] for configuration in table.configurations]
        assert abs(stats.kendalltau(values, errors[:, -1]).statistic) < 0.1


def test_ratios_are_of_epochs() -> None:
    regrets, ends = np.ones(60 * EPOCHS), np.arange(1.0, 60 * EPOCHS + 1) // EPOCHS
    full = [PlayOfTable(np.where(ends >= 10, 0.5, regrets), ends)]
    late = [PlayOfTable(np.where(ends >= 15, 0.5, regrets), np.floor(ends / 1.5))]
    assert to_quality(full, full, 10) == 1.0
    assert to_quality(late, full, 10) == pytest.approx(1.5, rel=0.01)
    assert to_trainings(full, 20) == 1.0
    assert to_trainings(late, 20) == pytest.approx(1.5, rel=0.01)
    assert to_trainings(late, 60) == np.inf


def test_our_default_notices_that_nothing_lasts() -> None:
    whole = plays_of("noise", FULL, 1)
    assert to_trainings(whole, 20) == 1.0
    assert to_trainings(plays_of("noise", Method("a", "random", "asha"), 3), 20) < 1.2
