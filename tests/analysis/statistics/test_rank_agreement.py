"""Ranks: tau-b as SciPy has it, and an interval that is as wide as our own noise makes it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from wrn_search.analysis.statistics.rank_agreement import rank_agreement, tau_b

PAPERS = np.array([6.85, 5.33, 4.97, 4.66, 4.17, 4.66])  # with a tie


def test_tau_is_that_of_scipy_also_with_ties() -> None:
    rows = np.random.default_rng(0).integers(0, 4, (50, 6)).astype(float)
    expected = [kendalltau(row, PAPERS).statistic for row in rows]
    np.testing.assert_allclose(tau_b(rows, PAPERS), expected, atol=1e-12)


def test_certain_ranks_leave_nothing_open() -> None:
    found = rank_agreement([4.0, 3.0, 2.0], [6.0, 5.0, 4.0], np.array([[4.0, 3.0, 2.0]] * 10))
    assert (found.tau, found.low, found.high, found.networks, found.why_not) == (1.0, 1.0, 1.0, 3, "")


def test_noise_opens_the_interval() -> None:
    draws = np.array([4.0, 3.0, 2.0]) + np.random.default_rng(0).standard_normal((4000, 3))
    found = rank_agreement([4.0, 3.0, 2.0], [6.0, 5.0, 4.0], draws)
    assert found.tau == 1.0
    assert found.low is not None
    assert found.low < 0.5
    assert found.high == 1.0


@pytest.mark.parametrize(
    ("ours", "why"),
    [
        ([], "at least 3 networks must have an error, but none has"),
        ([5.0], "at least 3 networks must have an error, but 1 has"),
        ([5.0, 4.0], "at least 3 networks must have an error, but 2 have"),
        ([5.0, 5.0, 5.0], "all errors of a side are equal"),
    ],
)
def test_without_a_tau_there_is_a_reason(ours: list[float], why: str) -> None:
    found = rank_agreement(ours, [6.0, 5.0, 4.0][: len(ours)], None, "one seed")
    assert (found.tau, found.low, found.why_not) == (None, None, why)


def test_without_seeds_there_is_a_tau_and_no_interval() -> None:
    found = rank_agreement([4.0, 3.0, 5.0], [6.0, 5.0, 4.0], None, "one seed")
    assert found.tau == pytest.approx(-1 / 3)
    assert (found.low, found.high, found.why_not) == (None, None, "one seed")
