"""Intervals from repeats: by hand, by simulation, and where the curve does not fit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution

from wrn_search.analysis.statistics.equal_size_trend import intervals, repeated_trend, slope_error
from wrn_search.analysis.statistics.pure_error import is_repeated, repeated_fit
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import num_params

SLOPE = np.array([1.0, 0.0])


def grid(depths, widths):
    networks = [Architecture.of(depth, width, "B(3,3)") for depth in depths for width in widths]
    sizes = np.log2([float(num_params(each)) for each in networks])
    return networks, sizes, np.log2([each.depth / each.widen_factor for each in networks])


def test_a_line_through_repeats_by_hand():
    """Means 1, 2 and 6 at -1, 0 and 1: slope 2.5, intercept 3; squares 0.5 within each, 6 around the line."""
    design = np.array([[1.0, -1.0], [1.0, 0.0], [1.0, 1.0]])
    fit = repeated_fit(design, [(0.5, 1.5), (1.5, 2.5), (5.5, 6.5)])
    assert fit.coefficients == pytest.approx([3.0, 2.5])
    variance = 1.5 / 3
    assert fit.freedom == 3
    assert fit.lack_of_fit.statistic == pytest.approx(2 * (0.5**2 + 1 + 0.5**2) / variance)
    assert fit.lack_of_fit.freedom == (1, 3)
    assert fit.lack_of_fit.probability == pytest.approx(f_distribution.sf(6.0, 1, 3))
    low, high = fit.interval(np.array([0.0, 1.0]))
    assert (high - low) / 2 == pytest.approx(t_distribution.ppf(0.975, 3) * (variance / 4) ** 0.5)


def test_more_repeats_weigh_more():
    fit = repeated_fit(np.ones((2, 1)), [(1.0, 1.0, 1.0, 1.5), (3.0, 3.5)])
    assert fit.coefficients == pytest.approx([(4.5 + 6.5) / 6])


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ([(1, 2)] * 9, True),
        ([(1, 2)] * 8 + [(1,)], True),  # a seed that was lost takes nothing away
        ([(1,)] * 9, False),
        ([(1,)] * 100 + [(1, 2, 3, 4, 5)] * 9, False),  # a few repeats do not speak for all
        ([], False),
    ],
)
def test_what_counts_as_repeated(groups, told):
    assert is_repeated(groups) is told


@pytest.mark.parametrize("sides", [((16, 28, 52), (1.0, 2.0, 4.0)), ((16, 28), (1.0, 2.0, 4.0))])
def test_the_interval_covers_and_is_narrower_than_that_over_configurations(sides):
    """n = 300 of a power law with seeds 5 times; the benchmark repeated_designs counts more of them."""
    generator = np.random.default_rng(5)
    networks, sizes, ratios = grid(*sides)
    truth = 3 + 12 * (2.0**sizes / 1e5) ** -0.4 + 0.2 * ratios
    covered, widths = [], []
    for _ in range(300):
        groups = truth[:, None] + 0.3 * generator.standard_normal((len(truth), 5))
        told = repeated_trend(sizes, ratios, groups.tolist())
        low, high = told.interval(SLOPE)
        covered.append(low <= 0.2 <= high)
        widths.append(high - low)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.035)
    low, high = intervals(sizes, ratios, groups.mean(1), SLOPE)
    assert np.mean(widths) < high - low
    expected = 2 * t_distribution.ppf(0.975, 4 * len(truth)) * 0.3 * slope_error(networks, 5)
    assert np.mean(widths) == pytest.approx(expected, rel=0.05)


def test_a_curve_that_misses_the_means_fails_its_test():
    generator = np.random.default_rng(1)
    _, sizes, ratios = grid((16, 22, 28, 40), (1.0, 2.0, 4.0, 8.0))
    kink = 5 + 3 * np.maximum(0, sizes.mean() - sizes)  # no polynomial of degree 4
    bent = repeated_trend(sizes, ratios, (kink[:, None] + 0.1 * generator.standard_normal((16, 5))).tolist())
    flat = repeated_trend(sizes, ratios, (5 + 0.1 * generator.standard_normal((16, 5))).tolist())
    assert bent.fit.lack_of_fit.fails
    assert not flat.fit.lack_of_fit.fails


def test_without_repeats_or_with_too_few_networks_there_is_none():
    _, sizes, ratios = grid((16, 28, 52), (1.0, 2.0, 4.0))
    assert repeated_trend(sizes, ratios, [(5.0,)] * 9) is None
    assert repeated_trend(sizes, ratios, [(5.0, 5.0)] * 9) is None  # no spread at all
    assert repeated_trend(sizes[:4], ratios[:4], [(5.0, 5.5)] * 4) is None


def test_few_single_networks_have_no_interval_many_times_too_wide():
    """Six networks, one seed each: the signs of three residuals gave intervals several times those of a true spread."""
    generator = np.random.default_rng(2)
    _, sizes, ratios = grid((16, 28), (1.0, 2.0, 4.0))
    told = [intervals(sizes, ratios, 5 + 0.3 * generator.standard_normal(6), SLOPE) for _ in range(400)]
    assert np.mean([low <= 0 <= high for low, high in told]) == pytest.approx(0.95, abs=0.03)
    ideal = 2 * 1.96 * 0.3 * 0.637  # the spread known
    assert np.mean([high - low for low, high in told]) < 2.5 * ideal
