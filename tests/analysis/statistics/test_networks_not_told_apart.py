"""The best network and those that cannot be told from it, against closed forms and repeated draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tests.analysis.input_tables.test_configurations import configuration
from wrn_search.analysis.curve_model.best_when_retrained import best_of
from wrn_search.analysis.input_tables.configurations import binomial_variance
from wrn_search.analysis.statistics.networks_not_told_apart import compare, margin
from wrn_search.curves.winner_and_smallest import hsu_constant

TWO = hsu_constant(2)


def test_of_two_networks_with_one_seed_the_margin_is_the_one_sided_normal_one_of_two_proportions():
    best, other = configuration(5.0), configuration(6.0)
    shares = [(5000 * error / 100 + 1) / 5002 for error in (5.0, 6.0)]
    expected = 1.644854 * 100 * math.sqrt(sum(p * (1 - p) / 5002 for p in shares))
    assert margin(best, other, 5000, None, 0, TWO) == pytest.approx(expected, rel=1e-5)


def test_without_images_the_margin_is_that_of_the_one_sided_pooled_t_test():
    rng = np.random.default_rng(3)
    a, b = rng.normal(5, 0.2, 5), rng.normal(5.4, 0.2, 5)
    deviation = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    found = margin(configuration(*a), configuration(*b), None, deviation, 8, TWO)
    interval = stats.ttest_ind(b, a).confidence_interval(0.90)
    assert found == pytest.approx((interval.high - interval.low) / 2)


def test_with_both_the_degrees_of_freedom_lie_between_those_of_each():
    best, other = configuration(5.0, 5.2), configuration(6.0, 6.1)
    seeds = 0.04 * (1 / 2 + 1 / 2)
    counted = binomial_variance(5.1, 5000) + binomial_variance(6.05, 5000)
    freedom = 2 * ((counted + seeds) / seeds) ** 2
    expected = stats.t.ppf(0.95, freedom) * math.sqrt(counted + seeds)
    assert margin(best, other, 5000, 0.2, 2, TWO) == pytest.approx(expected)
    assert margin(best, other, None, None, 0, TWO) == 0.0


def test_no_error_of_300_images_is_not_told_from_five_errors_of_them():
    """Fisher's exact test gives p = 0.06 two-sided; counting 0 as certain told them apart."""
    assert stats.fisher_exact([[0, 300], [5, 295]]).pvalue > 0.05
    none, five = configuration(0.0, number=5), configuration(100 * 5 / 300, number=0)
    found = compare([none, five], none, 300, 90.0)
    assert found.equivalents == (five, none)


@pytest.mark.parametrize("networks", [2, 20])
def test_of_equal_networks_the_smallest_is_excluded_as_seldom_as_promised(networks):
    """The best of 20 is lucky: a margin for two networks excluded the smallest in a third of such searches."""
    rng = np.random.default_rng(0)
    excluded, told = 0, 400
    for draws in 100 * rng.binomial(5000, 0.06, size=(told, networks)) / 5000:
        found = [configuration(float(error), number=number) for number, error in enumerate(draws)]
        names = [c.network for c in compare(found, best_of(found, 90.0), 5000, 90.0).equivalents]
        excluded += found[0].network not in names
    assert excluded / told < 0.05 + 3 * math.sqrt(0.05 * 0.95 / told)


def test_the_smallest_that_cannot_be_told_apart_is_found_among_networks():
    trials = [
        configuration(9.0, number=0),  # smallest, but worse
        configuration(5.9, number=1),
        configuration(5.6, number=1),  # the same network, better
        configuration(5.2, number=2),
        configuration(5.1, number=5),
        configuration(5.3, number=7),
    ]
    found = compare(trials, best_of(trials, 90.0), 5000, 90.0)
    assert found.best is trials[4]
    assert [c.network for c in found.equivalents] == ["WRN-16-2", "WRN-16-3", "WRN-16-6", "WRN-16-8"]
    assert found.equivalents[0] is trials[2]
    assert (found.candidates, found.tested) == (6, True)


def test_configurations_with_and_without_repeats_stand_side_by_side():
    """Those with one seed used to vanish as soon as another had two."""
    single, repeated = configuration(3.65, number=5), configuration(4.95, 5.0, 5.1, number=1)
    found = compare([single, repeated], best_of([single, repeated], 90.0), 5000, 90.0)
    assert (found.best, found.candidates) == (single, 2)


def test_the_best_is_the_lowest_expected_one_where_a_model_tells_it():
    lucky, repeated = configuration(4.0, number=0), configuration(5.0, 5.1, 5.2, number=1)
    assert best_of([lucky, repeated], 90.0) is lucky
    assert best_of([lucky, repeated], 90.0, {0: 5.6, 1: 5.2}) is repeated
    assert best_of([lucky, repeated], 90.0, {1: 5.2}) is repeated
    assert best_of([], 90.0) is None


def test_configurations_whose_repeats_have_all_ended_come_first():
    early = configuration(4.0, 4.1, number=0, trials=5)
    whole = configuration(5.0, 5.1, 5.2, number=1)
    assert best_of([early, whole], 90.0) is whole
    assert best_of([early], 90.0) is early


def test_a_repeat_that_diverged_counts_against_a_configuration():
    steady = configuration(5.0, 5.2, 5.3, number=0)
    wild = configuration(4.8, number=1, diverged=2, ended=3, trials=3)
    assert best_of([steady, configuration(4.7, 4.8, number=2, diverged=3)], 90.0) is steady
    assert best_of([wild, configuration(6.0, number=3)], 90.0).number == 3


def test_nothing_completed_and_nothing_known():
    assert compare([], None, 5000, 90.0) is None
    both = [configuration(5.0), configuration(5.1, number=1)]
    alone = compare(both, both[0], None, None)
    assert not alone.tested
    assert alone.equivalents == (alone.best,)
