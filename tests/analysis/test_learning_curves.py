"""Learning curves: all of a small search, a documented choice of a large one, drops where the rate falls."""

from __future__ import annotations

import itertools

import pytest

from tests.analysis.planted import WITH_DROPOUT, Plan, plant
from wrn_search.analysis.input_tables.joined_tables import material_of
from wrn_search.analysis.learning_curves import (
    BEST_KEPT,
    MAX_CURVE_POINTS,
    MAX_CURVES,
    best_so_far_of,
    curves_of,
)

RANDOM = {"searcher": "random", "scheduler": "none", "trials": 6}


def test_a_small_search_is_shown_whole_the_best_first(tmp_path):
    plan = Plan(search=RANDOM, ends={0: ("failed", "x"), 1: ("running", None)}, training={"epochs": 20})
    material = material_of([plant(tmp_path / "a", plan)])
    found = curves_of(material)
    assert (found.total, found.thinned) == (5, False)
    full = material.completed.sort_values("val_error").index.tolist()
    assert [curve.trial for curve in found.curves] == [*full, 1]
    for curve in found.curves:
        rows = material.epochs[material.epochs["trial"] == curve.trial]
        assert curve.epochs == tuple(rows["epoch"])
        assert curve.val_error == tuple(rows["val_error"])
        assert curve.train_error == tuple(rows["train_error"])


def test_drops_are_the_first_epochs_at_a_lower_rate(tmp_path):
    plan = Plan(search=RANDOM, training={"epochs": 20})
    assert curves_of(material_of([plant(tmp_path / "a", plan)])).drops == (6, 12, 16)


def test_a_cosine_has_no_drops(tmp_path):
    plan = Plan(search=RANDOM, training={"epochs": 20, "lr_schedule": "cosine"})
    assert curves_of(material_of([plant(tmp_path / "a", plan)])).drops == ()


def test_many_and_long_curves_are_thinned_to_the_cap(tmp_path):
    search = {"searcher": "random", "scheduler": "none", "trials": MAX_CURVES + 50}
    plan = Plan(model=WITH_DROPOUT, search=search, training={"epochs": 2 * MAX_CURVE_POINTS})
    material = material_of([plant(tmp_path / "a", plan)])
    found = curves_of(material)
    assert (len(found.curves), found.total, found.thinned) == (MAX_CURVES, MAX_CURVES + 50, True)
    best = material.completed.sort_values(["val_error", "number"]).index.tolist()
    assert [curve.trial for curve in found.curves[:BEST_KEPT]] == best[:BEST_KEPT]
    assert found.curves[-1].trial == best[-1]
    for curve in found.curves:
        assert len(curve.epochs) <= MAX_CURVE_POINTS
        assert (curve.epochs[0], curve.epochs[-1]) == (1, 2 * MAX_CURVE_POINTS)
        assert {*found.drops, *(drop - 1 for drop in found.drops)} <= set(curve.epochs)
        assert curve.val_error[-1] == pytest.approx(material.trials["val_error"][curve.trial])


def test_a_search_without_an_epoch_has_no_curves(tmp_path):
    plan = Plan(search=RANDOM, ends=dict.fromkeys(range(6), ("failed", "x")))
    found = curves_of(material_of([plant(tmp_path / "a", plan)]))
    assert (found.curves, found.drops, found.total, found.thinned) == ((), (), 0, False)


STOPPED_EARLY = {"searcher": "random", "scheduler": "asha", "trials": 30, "reduction_factor": 2}


def test_the_steps_are_the_running_minimum_of_the_completed_trials(tmp_path):
    ends = {2: ("failed", "x"), 4: ("running", None)}
    material = material_of([plant(tmp_path / "a", Plan(model=WITH_DROPOUT, search=STOPPED_EARLY, ends=ends))])
    rows = material.trials[material.trials["status"] != "running"].sort_values("finished_at")
    spent = list(itertools.accumulate(rows["epochs_done"]))
    full = [
        (done, row.val_error)
        for done, row in zip(spent, rows.itertuples(), strict=True)
        if row.status == "completed"
    ]
    lowest = list(itertools.accumulate((error for _, error in full), min))
    found = best_so_far_of(material)
    steps = {epochs: error for epochs, error, _ in found.steps}
    for (done, _), error in zip(full, lowest, strict=True):
        assert min(value for epochs, value in steps.items() if epochs <= done) == pytest.approx(error)
    assert found.epochs == spent[-1] == found.steps[-1][0]
    assert all(material.trials["val_error"][trial] == error for _, error, trial in found.steps)


def test_without_an_end_there_is_no_step(tmp_path):
    ends = dict.fromkeys(range(30), ("failed", "x"))
    material = material_of([plant(tmp_path / "a", Plan(model=WITH_DROPOUT, search=STOPPED_EARLY, ends=ends))])
    assert best_so_far_of(material).steps == ()
