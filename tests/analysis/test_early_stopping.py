"""Rungs: arithmetic of what was saved, and rank correlations against counting pairs."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from tests.analysis.planted import WITH_DROPOUT, Plan, plant
from wrn_search.analysis.early_stopping import rungs_of, tau
from wrn_search.analysis.input_tables.joined_tables import material_of


def tau_b(x, y):
    """Kendall's tau-b by its definition: concordant minus discordant pairs, ties out of each denominator."""
    pairs = list(itertools.combinations(range(len(x)), 2))
    signs = [(np.sign(x[i] - x[j]), np.sign(y[i] - y[j])) for i, j in pairs]
    agree = sum(a * b for a, b in signs)
    return agree / math.sqrt(sum(a != 0 for a, _ in signs) * sum(b != 0 for _, b in signs))


@pytest.mark.parametrize("seed", range(10))
def test_tau_is_kendalls_also_with_ties(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 6, size=(2, 12)).astype(float)
    assert tau(x, y) == pytest.approx(tau_b(x, y))


def test_tau_of_too_few_of_ties_and_of_gaps():
    assert tau(np.array([1.0, 2.0]), np.array([1.0, 2.0])) is None
    assert tau(np.ones(5), np.arange(5.0)) is None
    assert tau(np.array([1.0, np.nan, 2.0, 3.0]), np.array([1.0, 0.0, 2.0, 3.0])) == 1.0


SEARCH = {"searcher": "random", "scheduler": "asha", "trials": 27, "reduction_factor": 3, "rungs": [2, 5]}


def test_what_each_rung_stopped_and_saved_is_successive_halving(tmp_path):
    """27 at epoch 2, 9 at epoch 5, 3 to the end at 10: 18 saved 8 epochs each and 6 saved 5."""
    found = rungs_of(material_of([plant(tmp_path / "a", Plan(model=WITH_DROPOUT, search=SEARCH))]))
    assert [(rung.epoch, rung.reached, rung.stopped, rung.n) for rung in found.rungs] == [
        (2, 27, 18, 3),
        (5, 9, 6, 3),
    ]
    assert found.epochs_saved == 18 * 8 + 6 * 5
    assert found.epochs_planned == 270
    assert found.epochs_done == 18 * 2 + 6 * 5 + 3 * 10 == 270 - found.epochs_saved
    assert found.n == 3
    assert "among the 3 trials that reached their last epoch" in found.note


def test_a_rung_counts_the_trials_of_the_searches_that_have_it(tmp_path):
    """Trials of a grid without rungs pass none; they used to be counted as having reached it."""
    first = plant(tmp_path / "a", Plan(name="a", model=WITH_DROPOUT, search=SEARCH))
    second = plant(tmp_path / "b", Plan(name="b"))
    found = rungs_of(material_of([first, second]))
    assert [(rung.epoch, rung.reached, rung.stopped) for rung in found.rungs] == [(2, 27, 18), (5, 9, 6)]


def test_failed_trials_are_not_saved_epochs(tmp_path):
    path = plant(
        tmp_path / "a",
        Plan(model=WITH_DROPOUT, search=SEARCH, ends={0: ("failed", "x"), 1: ("running", None)}),
    )
    material = material_of([path])
    found = rungs_of(material)
    stopped = material.trials[material.trials["status"] == "stopped"]
    assert found.epochs_saved == (10 - stopped["epochs_done"]).sum()
    assert found.epochs_saved < found.epochs_planned - found.epochs_done


def test_rungs_are_those_of_the_manifest_and_else_where_trials_stopped(tmp_path):
    path = plant(tmp_path / "a", Plan(model=WITH_DROPOUT, search=SEARCH))
    told = rungs_of(material_of([path]))
    (path / "manifest.json").unlink()
    assert rungs_of(material_of([path])) == told


def test_the_ranking_at_an_epoch_is_compared_with_that_at_the_end(tmp_path):
    none = {"searcher": "random", "scheduler": "none", "trials": 20}
    path = plant(tmp_path / "a", Plan(model=WITH_DROPOUT, search=none, noise=2.0, jitter=8.0))
    material = material_of([path])
    found = rungs_of(material)
    final = material.completed["val_error"].to_numpy()
    assert (len(found.tau_by_epoch), found.n) == (10, 20)
    for epoch, value in found.tau_by_epoch:
        early = material.epochs[material.epochs["epoch"] == epoch].set_index("trial")["val_error"]
        assert value == pytest.approx(tau_b(early[material.completed.index].to_numpy(), final))
    assert found.tau_by_epoch[-1] == (10, 1.0)
    assert found.tau_by_epoch[0][1] < 0.9
    assert found.rungs == ()
    assert found.note == "No trial could be stopped early: the searches have no rungs."
