"""Repeats of a configuration: median, pooled deviation, and those that diverged in the denominator."""

from __future__ import annotations

import dataclasses
import itertools
import math
import statistics

import numpy as np
import pytest

from tests.analysis.planted import Plan, plant
from wrn_search.analysis.depth_width_map import error_map_of
from wrn_search.analysis.input_tables.configurations import (
    Configuration,
    binomial_variance,
    configurations_of,
    estimate_of,
    pooled_seed_deviation,
    seconds_per_epoch,
)
from wrn_search.analysis.input_tables.joined_tables import material_of

GRID = {"searcher": "grid", "scheduler": "none", "repeats": 3}
MODEL = {"depth": {"choice": [16, 22]}, "widen_factor": {"choice": [1, 2]}}


def configuration(*errors: float, number: int = 0, **changes) -> Configuration:
    """A configuration with these completed repeats."""
    plain = Configuration(
        number=number,
        source=0,
        adaptive=False,
        network=f"WRN-16-{number + 1}",
        depth=16,
        widen_factor=float(number + 1),
        num_params=1000 * (number + 1),
        macs=2000,
        completed=tuple(sorted(errors)),
        diverged=0,
        ended=len(errors),
        trials=len(errors),
        trial=0,
        seconds_per_epoch=1.0,
    )
    return dataclasses.replace(plain, **changes)


def test_the_pooled_deviation_is_that_of_a_one_way_analysis_of_variance():
    rng = np.random.default_rng(0)
    groups = [rng.normal(center, 0.2, size) for center, size in ((5, 3), (6, 5), (7, 2), (8, 1))]
    found, freedom = pooled_seed_deviation([configuration(*group) for group in groups])
    everything = np.concatenate(groups)
    membership = np.repeat(np.arange(4), [3, 5, 2, 1])
    dummies = (membership[:, None] == np.arange(4)).astype(float)
    left = everything - dummies @ np.linalg.lstsq(dummies, everything, rcond=None)[0]
    assert freedom == 11 - 4
    assert found == pytest.approx(math.sqrt(float(left @ left) / 7))


def test_without_repeats_there_is_no_deviation():
    assert pooled_seed_deviation([configuration(5.0), configuration(6.0)]) == (None, 0)
    assert pooled_seed_deviation([]) == (None, 0)
    assert pooled_seed_deviation([configuration(5.0, 5.0)]) == (0.0, 1)


def test_the_binomial_variance_is_that_of_counting():
    rng = np.random.default_rng(1)
    counted = 100 * rng.binomial(5000, 0.05, size=200_000) / 5000
    assert counted.var() == pytest.approx(binomial_variance(5.0, 5000), rel=0.02)
    assert binomial_variance(5.0, None) is None
    assert binomial_variance(0.0, 5000) == pytest.approx(1e4 / 5002 / 5002, rel=1e-3)  # never certain


def test_repeats_of_the_tables_become_one_configuration_each(tmp_path):
    ends = {1: ("diverged", "nan"), 3: ("failed", "x"), 6: ("running", None), 9: ("failed", "x")}
    ends |= {10: ("failed", "y"), 11: ("failed", "z")}
    material = material_of([plant(tmp_path / "a", Plan(model=MODEL, search=GRID, ends=ends))])
    found = configurations_of(material, seconds_per_epoch(material))
    errors = material.trials["val_error"]
    assert [c.completed for c in found] == [
        tuple(sorted(errors[[0, 2]])),
        tuple(sorted(errors[[4, 5]])),
        tuple(sorted(errors[[7, 8]])),
    ]
    assert [(c.trials, c.ended, c.diverged) for c in found] == [(3, 3, 1), (3, 3, 0), (3, 2, 0)]
    assert [c.trial for c in found] == [
        errors[[0, 2]].idxmax(),  # the median is over three, of which one counts as guessing
        errors[[4, 5]].idxmin(),
        errors[[7, 8]].idxmin(),
    ]
    assert found[0].values(90.0) == (*found[0].completed, 90.0)
    assert found[0].values(None) == found[0].completed


def test_a_configuration_of_which_a_rung_stopped_some_repeats_has_no_error_at_full_epochs(tmp_path):
    """Versions that stopped repeats one by one left the lucky ones."""
    search = {**GRID, "searcher": "tpe", "trials": 4}
    ends = {1: ("stopped", None), 6: ("stopped", None), 7: ("stopped", None), 8: ("stopped", None)}
    material = material_of([plant(tmp_path / "a", Plan(model=MODEL, search=search, ends=ends))])
    found = configurations_of(material, seconds_per_epoch(material))
    rows = material.trials.groupby("configuration")["status"].agg(set)
    assert [c.number for c in found] == [number for number in rows.index if rows[number] == {"completed"}]
    assert len(found) == 2
    cells = error_map_of(material, found).cells
    assert sum(cell.n for cell in cells) == 6
    assert sum(cell.stopped for cell in cells) == 4


def test_the_error_of_a_configuration_counts_what_diverged_as_guessing():
    one = configuration(4.0, 8.0, diverged=1)
    assert (one.mean, one.mean_error(None), one.mean_error(90.0)) == (6.0, 6.0, 34.0)


def test_an_estimate_counts_what_diverged_with_the_error_of_chance(tmp_path):
    plan = Plan(model=MODEL, search=GRID, ends={1: ("diverged", "nan")})
    material = material_of([plant(tmp_path / "a", plan)])
    first = configurations_of(material, seconds_per_epoch(material))[0]
    estimate = estimate_of(first, material, 0.3)
    assert (estimate.val_error, estimate.highest) == (first.completed[1], 90.0)
    assert (estimate.n, estimate.ended) == (2, 3)
    p = statistics.fmean(first.completed)
    counted = binomial_variance(p, 5000)
    assert estimate.standard_error == pytest.approx(math.sqrt(counted + 0.09 / 2))


def test_the_range_of_five_covers_the_median_as_often_as_signs_allow():
    """Each value lies above or below the median as a coin falls; only all on one side miss it."""
    sides = list(itertools.product([-1, 1], repeat=5))
    covered = sum(min(side) < 0 < max(side) for side in sides)
    assert 100 * covered / len(sides) == 93.75


def test_seconds_of_an_epoch_are_the_median_and_else_the_mean(tmp_path):
    path = plant(tmp_path / "a", Plan(model=MODEL, search=GRID))
    material = material_of([path])
    seconds = seconds_per_epoch(material)
    assert seconds == pytest.approx((1.0 + material.trials["macs"] / 1e9).to_dict())
    for part in (path / "epochs").iterdir():
        part.unlink()
    assert seconds_per_epoch(material_of([path])) == pytest.approx(seconds)
