"""Error distributions: steps that can be counted by hand, and halves of equal complexity."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.analysis.planted import WITH_DROPOUT, Plan, plant, power_law
from wrn_search.analysis.error_distributions import (
    LEAST_IN_A_BAND,
    MAX_BANDS,
    MAX_STEPS,
    complexity_bands,
    edf_curve,
    edf_of,
)
from wrn_search.analysis.input_tables.joined_tables import material_of


def test_the_curve_is_the_share_of_all_trials_at_or_below_each_error():
    found = edf_curve("x", np.array([5.0, np.inf, 4.0, 5.0, 9.0]))
    assert found.errors == (4.0, 5.0, 9.0)
    assert found.shares == pytest.approx((0.2, 0.6, 0.8))
    assert (found.n, found.reached) == (5, 4)
    assert edf_curve("nothing", np.array([])).errors == ()
    assert edf_curve("none reached", np.full(3, np.inf)).shares == ()


def test_weights_move_the_steps():
    found = edf_curve("x", np.array([1.0, 2.0]), np.array([0.25, 0.75]))
    assert found.shares == (0.25, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_a_thinned_curve_is_the_curve_at_its_errors(seed):
    error = np.random.default_rng(seed).normal(10, 2, 5 * MAX_STEPS)
    found = edf_curve("x", error)
    assert len(found.errors) == MAX_STEPS
    assert (found.errors[0], found.errors[-1]) == (error.min(), error.max())
    for e, share in zip(found.errors[::50], found.shares[::50], strict=True):
        assert share == pytest.approx((error <= e).mean())


def test_bands_hold_about_equally_many_and_never_split_a_network():
    weights = np.random.default_rng(0).choice([100, 200, 300, 400, 500, 600, 700, 800], size=200)
    band = complexity_bands(weights)
    assert len(set(band)) == MAX_BANDS
    assert all(len(set(band[weights == size])) == 1 for size in set(weights))
    assert max(np.bincount(band)) < 0.4 * 200
    assert set(complexity_bands(weights[: LEAST_IN_A_BAND - 1])) == {0}
    assert len(complexity_bands(np.array([], dtype=np.int64))) == 0


def test_trials_without_an_error_count_in_every_denominator(tmp_path):
    search = {"searcher": "tpe", "scheduler": "asha", "trials": 40, "reduction_factor": 2}
    ends = {0: ("failed", "x"), 1: ("diverged", "nan"), 2: ("running", None)}
    material = material_of([plant(tmp_path / "a", Plan(model=WITH_DROPOUT, search=search, ends=ends))])
    found = edf_of(material)
    completed = len(material.completed)
    assert (found.all.n, found.all.reached) == (39, completed)
    assert found.all.shares[-1] == pytest.approx(completed / 39)
    assert sum(band.n for band in found.bands) == 39
    assert f"39 trials ended, {39 - completed} of them without an error" in found.note


def test_halves_of_equal_complexity_show_the_planted_side(tmp_path):
    """Where only size matters the halves agree; where depth hurts the wider half lies to the left."""
    search = {"searcher": "grid", "scheduler": "none", "repeats": 4}
    model = {"depth": {"choice": [16, 22, 28, 34, 40]}, "widen_factor": {"choice": [1, 2, 4, 6, 8, 10]}}

    def wide_wins(leaves, weights):
        return power_law(leaves, weights) + 1.5 * math.log2(leaves["depth"] / leaves["widen_factor"])

    def middle(path, law):
        found = edf_of(material_of([plant(path, Plan(model=model, search=search, error=law, noise=0.1))]))
        assert [curve.label for curve in found.halves] == [
            "deeper half of each band",
            "wider half of each band",
        ]
        for curve in found.halves:
            assert curve.shares[-1] == pytest.approx(1.0)
        return [np.interp(0.5, curve.shares, curve.errors) for curve in found.halves]

    deeper, wider = middle(tmp_path / "size", power_law)
    assert deeper == pytest.approx(wider, abs=1.0)
    deeper, wider = middle(tmp_path / "wide", wide_wins)
    assert deeper > wider + 2.0


def test_one_network_has_no_halves(tmp_path):
    search = {"searcher": "random", "scheduler": "none", "trials": 10}
    model = {"depth": 16, "widen_factor": 2, "dropout": {"uniform": [0.0, 0.5]}}
    found = edf_of(material_of([plant(tmp_path / "a", Plan(model=model, search=search))]))
    assert (found.halves, found.bands) == ((), ())
    assert "cannot be set apart" in found.note


def test_a_band_too_small_to_say_anything_joins_its_neighbour():
    """Of 21 and 3 trials the page said that they were equally many."""
    weights = np.repeat([77_562, 174_778, 303_418, 691_386], [1, 5, 15, 3])
    assert set(complexity_bands(weights)) == {0}
    assert np.bincount(complexity_bands(np.repeat([1, 2, 3, 4], [8, 3, 5, 20]))).tolist() == [8, 8, 20]
