"""The trend at equal parameters: found where it was planted, and seldom where it was not."""

from __future__ import annotations

import numpy as np
import pytest

from wrn_search.analysis.statistics.equal_size_trend import Trend, fit, intervals
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import num_params

GRID = [(depth, k) for depth in (16, 22, 28, 40) for k in (1, 2, 4, 8)]
SLOPE = np.array([1.0, 0.0])
SEEDS = 200


def sizes(networks):
    """(log2 num_params, log2 depth:width), (n,) each."""
    weights = [float(num_params(Architecture.of(depth, k))) for depth, k in networks]
    return np.log2(weights), np.log2([depth / k for depth, k in networks])


def law(log_params, log_ratio, slope):
    """A power law of parameters that flattens out, and `slope` points for each doubling of depth:width."""
    return 3 + 12 * (2**log_params / 1e5) ** -0.4 + slope * (log_ratio - log_ratio.mean())


def found(networks, slope, noise, seed):
    """(whether the interval excludes 0, whether it holds the truth) of one planted table with three repeats."""
    log_params, log_ratio = sizes(networks)
    rng = np.random.default_rng(seed)
    error = law(log_params, log_ratio, slope) + noise * rng.standard_normal((3, len(networks))).mean(axis=0)
    low, high = intervals(log_params, log_ratio, error, SLOPE)
    return not low <= 0 <= high, low <= slope <= high


def test_a_trend_without_noise_is_recovered():
    log_params, log_ratio = sizes(GRID)
    centred = log_params - log_params.mean()
    error = 6 - 0.8 * centred + 0.1 * centred**2 - 0.01 * centred**3 + 0.35 * log_ratio
    trend = fit(log_params, log_ratio, error)
    assert isinstance(trend, Trend)
    assert trend.slope == pytest.approx(0.35)
    expected = (-0.8 + 0.2 * centred - 0.03 * centred**2).mean()
    assert trend.per_doubling == pytest.approx(expected)
    fitted = [trend.error_at(p, r) for p, r in zip(log_params, log_ratio, strict=True)]
    assert fitted == pytest.approx(error.tolist())
    low, high = intervals(log_params, log_ratio, error, SLOPE)
    assert (low, high) == pytest.approx((0.35, 0.35))


def test_a_planted_trend_is_found_in_at_least_80_of_100():
    results = [found(GRID, 0.3, 0.3, seed) for seed in range(SEEDS)]
    assert sum(excludes for excludes, _ in results) >= 0.8 * SEEDS
    assert sum(covers for _, covers in results) >= SEEDS - 18


def test_no_trend_is_found_where_none_was_planted():
    """Of 200 at the 5 % level ten are expected; more than 18 would come once in a hundred times."""
    assert sum(found(GRID, 0.0, 0.3, seed)[0] for seed in range(SEEDS)) <= 18


def test_a_random_design_with_other_hyperparameters_in_play_keeps_the_level():
    """One seed each: regularisation differs from trial to trial and spreads the errors more than seeds do."""
    rng = np.random.default_rng(5)
    networks = [GRID[place] for place in rng.integers(len(GRID), size=60)]
    log_params, log_ratio = sizes(networks)
    count = {0.0: 0, 0.5: 0}
    for slope in count:
        for seed in range(SEEDS):
            draw = np.random.default_rng(seed)
            spread = 2 * draw.uniform(size=60) ** 2 + 0.3 * draw.standard_normal(60)
            low, high = intervals(log_params, log_ratio, law(log_params, log_ratio, slope) + spread, SLOPE)
            count[slope] += not low <= 0 <= high
    assert count[0.0] <= 18
    assert count[0.5] >= 0.8 * SEEDS


def test_the_interval_agrees_with_the_normal_one_for_many_points():
    rng = np.random.default_rng(0)
    networks = [GRID[place] for place in rng.integers(len(GRID), size=2000)]
    log_params, log_ratio = sizes(networks)
    error = law(log_params, log_ratio, 0.2) + rng.standard_normal(2000)
    low, high = intervals(log_params, log_ratio, error, SLOPE)
    centred = log_params - log_params.mean()
    design = np.column_stack([centred**power for power in range(4)] + [log_ratio])
    deviation = np.sqrt(np.linalg.inv(design.T @ design)[-1, -1])  # of noise with deviation 1
    assert high - low == pytest.approx(2 * 1.96 * deviation, rel=0.1)


def test_the_same_points_give_the_same_interval():
    log_params, log_ratio = sizes(GRID)
    error = law(log_params, log_ratio, 0.1) + np.random.default_rng(0).standard_normal(16)
    assert intervals(log_params, log_ratio, error, SLOPE) == intervals(log_params, log_ratio, error, SLOPE)


def test_too_few_networks_and_sizes_that_tell_nothing_give_reasons():
    few = sizes(GRID[:4])
    assert fit(*few, np.arange(4.0)) == "at least 5 networks must have been trained to the end, but 4 were"
    assert intervals(*few, np.arange(4.0), SLOPE) is None
    together = "depth:width and the number of parameters rise and fall together in these networks"
    growing = np.log2([1e5, 2e5, 4e5, 8e5, 16e5])
    assert fit(growing, np.full(5, 3.0), np.arange(5.0)) == together
    assert fit(growing, 0.9 * growing, np.arange(5.0)) == together
