"""The best network and those that cannot be told from it, against closed forms and repeated draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tests.analysis.input_tables.test_configurations import configuration
from wrn_search.analysis.statistics.networks_not_told_apart import compare, margin, quantile


def test_with_one_seed_the_margin_is_the_normal_one_of_two_proportions():
    best, other = configuration(5.0), configuration(6.0)
    expected = 1.959964 * math.sqrt((5 * 95 + 6 * 94) / 5000)
    assert margin(best, other, 5000, None, 0) == pytest.approx(expected, rel=1e-6)


def test_without_images_the_margin_is_that_of_the_pooled_t_test():
    rng = np.random.default_rng(3)
    a, b = rng.normal(5, 0.2, 5), rng.normal(5.4, 0.2, 5)
    deviation = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    found = margin(configuration(*a), configuration(*b), None, deviation, 8)
    interval = stats.ttest_ind(b, a).confidence_interval(0.95)
    assert found == pytest.approx((interval.high - interval.low) / 2)


def test_with_both_the_degrees_of_freedom_lie_between_those_of_each():
    best, other = configuration(5.0, 5.2), configuration(6.0, 6.1)
    seeds = 0.04 * (1 / 2 + 1 / 2)
    counted = (5.1 * 94.9 + 6.05 * 93.95) / 5000
    freedom = 2 * ((counted + seeds) / seeds) ** 2
    expected = stats.t.ppf(0.975, freedom) * math.sqrt(counted + seeds)
    assert margin(best, other, 5000, 0.2, 2) == pytest.approx(expected)
    assert margin(best, other, None, None, 0) == 0.0


def test_the_quantile_is_students():
    for freedom in (1, 2.5, 8, 1e6):
        assert quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom))
    assert quantile(math.inf) == pytest.approx(1.959964, rel=1e-6)


def test_equal_networks_are_told_apart_as_seldom_as_promised():
    """Two networks of one true error, counted on other images each: 5 % of 2,000 draws, within three deviations."""
    rng = np.random.default_rng(0)
    draws = 100 * rng.binomial(5000, 0.06, size=(2000, 2)) / 5000
    apart = [abs(a - b) > margin(configuration(a), configuration(b), 5000, None, 0) for a, b in draws]
    assert 0.035 < np.mean(apart) < 0.065


def test_the_smallest_that_cannot_be_told_apart_is_found_among_networks():
    trials = [
        configuration(9.0, number=0),  # smallest, but worse
        configuration(5.9, number=1),
        configuration(5.6, number=1),  # the same network, better
        configuration(5.2, number=2),
        configuration(5.1, number=5),
        configuration(5.3, number=7),
    ]
    found = compare(trials, 5000, 90.0)
    assert found.best is trials[4]
    assert [c.network for c in found.equivalents] == ["WRN-16-2", "WRN-16-3", "WRN-16-6", "WRN-16-8"]
    assert found.equivalents[0] is trials[2]
    assert (found.candidates, found.tested, found.chosen_by_repeats) == (6, True, False)


def test_one_lucky_seed_does_not_beat_a_repeated_configuration():
    lucky, repeated = configuration(4.0, number=0), configuration(5.0, 5.1, 5.2, number=1)
    found = compare([lucky, repeated], 5000, 90.0)
    assert found.best is repeated
    assert found.chosen_by_repeats
    assert found.equivalents == (repeated,)


def test_configurations_whose_repeats_have_all_ended_come_first():
    early = configuration(4.0, 4.1, number=0, trials=5)
    whole = configuration(5.0, 5.1, 5.2, number=1)
    assert compare([early, whole], None, 90.0).best is whole
    assert compare([early], None, 90.0).best is early


def test_a_repeat_that_diverged_counts_against_a_configuration():
    steady = configuration(5.0, 5.2, 5.3, number=0)
    wild = configuration(4.8, number=1, diverged=2, ended=3, trials=3)
    assert compare([steady, configuration(4.7, 4.8, number=2, diverged=3)], 5000, 90.0).best is steady
    assert compare([wild, configuration(6.0, number=3)], 5000, 90.0).best.number == 3


def test_nothing_completed_and_nothing_known():
    assert compare([], 5000, 90.0) is None
    alone = compare([configuration(5.0), configuration(5.1, number=1)], None, None)
    assert not alone.tested
    assert alone.equivalents == (alone.best,)
