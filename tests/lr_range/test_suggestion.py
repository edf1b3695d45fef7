"""What losses suggest: planted curves whose steepest fall and divergence are known."""

from __future__ import annotations

import math
import random

import pytest

from wrn_search.lr_range.suggestion import has_diverged, rates_of, smoothed, suggestion

_STEPS = 200


def planted(
    fall_at: float, rise_at: float, noise: float = 0.0, seed: int = 0
) -> tuple[list[float], list[float]]:
    """Rates, and losses that fall from 2.3 to 0.3 around one rate and rise to 6 around another, both sigmoids in the
    logarithm: steepest where they stand.
    """
    generator = random.Random(seed)
    rates = rates_of(1e-5, 10.0, _STEPS)

    def loss(rate: float) -> float:
        fallen = 1 / (1 + (fall_at / rate) ** 1.5)
        risen = 1 / (1 + (rise_at / rate) ** 4)
        return float(2.3 - 2.0 * fallen + 5.7 * risen + generator.gauss(0, noise))

    return rates, [loss(rate) for rate in rates]


def test_rates_rise_by_one_factor_from_the_first_to_the_last() -> None:
    rates = rates_of(1e-4, 1.0, 5)
    assert rates == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1.0])


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize(("fall_at", "rise_at"), [(0.01, 3.0), (0.05, 2.0), (0.001, 0.3)])
def test_the_steepest_fall_and_the_edge_are_found(fall_at: float, rise_at: float, noise: float) -> None:
    rates, losses = planted(fall_at, rise_at, noise)
    found = suggestion(rates, losses, _STEPS)

    assert found.steepest is not None
    assert found.edge is not None
    assert found.interval is not None
    assert fall_at / 2.5 <= found.steepest <= 2.5 * fall_at
    # Half of the 2.0 gained is lost where 5.7 * risen is 1.0: at rise_at * (1 / 4.7) ** 0.25.
    assert found.edge == pytest.approx(rise_at * (1 / 4.7) ** 0.25, rel=0.25)
    low, high = found.interval
    assert low == pytest.approx(found.steepest / 3, rel=0.05)
    assert high == pytest.approx(found.edge, rel=0.05)
    assert found.steepest < (found.lowest or 0) < found.edge


def test_a_loss_that_is_not_finite_is_the_edge() -> None:
    rates, losses = planted(0.01, 1e9)
    found = suggestion(rates[:150], [*losses[:149], math.inf], _STEPS)
    assert found.edge == rates[149]


def test_without_divergence_the_interval_ends_with_the_test_and_says_so() -> None:
    rates, losses = planted(0.01, 1e9)
    found = suggestion(rates, losses, _STEPS)
    assert (found.edge, found.interval and found.interval[1]) == (None, 10.0)
    assert "above --to" in found.reason


@pytest.mark.parametrize(
    ("losses", "word"),
    [
        ([2.3] * 200, "did not fall"),
        ([2.3] * 4 + [math.nan], "finite in 4 steps"),
        ([2.3] * 10 + [9.0] * 5, "fall"),
    ],
)
def test_nothing_is_suggested_where_nothing_fell(losses: list[float], word: str) -> None:
    found = suggestion(rates_of(1e-5, 10.0, _STEPS)[: len(losses)], losses, _STEPS)
    assert (found.interval, found.steepest) == (None, None)
    assert word in found.reason


@pytest.mark.parametrize(
    ("losses", "diverged"),
    [
        ([2.3, math.nan], True),
        ([2.3, math.inf], True),
        ([2.3] * 30, False),
        ([2.3] * 20 + [1.0] * 10, False),
        ([2.3] * 20 + [1.0] * 10 + [2.0] * 5, False),  # half is lost again: the edge, but not the end
        ([2.3] * 20 + [1.0] * 10 + [2.4] * 5, True),
        ([2.3] * 20 + [1.0] * 10 + [9.0], False),  # one batch
        ([2.3] * 20 + [4.7] * 5, True),
        ([2.3] * 20 + [2.25] * 10 + [2.31] * 5, False),  # nothing had been gained
    ],
)
def test_a_run_ends_when_all_is_lost(losses: list[float], diverged: bool) -> None:
    assert has_diverged(losses) is diverged


def test_smoothing_shifts_nothing() -> None:
    ramp = [float(step) for step in range(100)]
    assert smoothed(ramp, 200)[30:70] == pytest.approx(ramp[30:70])
    assert smoothed([1.0] * 50, 200) == pytest.approx([1.0] * 50)
