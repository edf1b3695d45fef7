"""Best so far against a running minimum over the tables."""

from __future__ import annotations

import itertools

import pytest

from tests.analysis.planted import WITH_DROPOUT, Plan, plant
from wrn_search.analysis.best_so_far import best_so_far_of
from wrn_search.analysis.input_tables.joined_tables import material_of

SEARCH = {"searcher": "random", "scheduler": "asha", "trials": 30, "reduction_factor": 2}


def test_the_steps_are_the_running_minimum_of_the_completed_trials(tmp_path):
    ends = {2: ("failed", "x"), 4: ("running", None)}
    material = material_of([plant(tmp_path / "a", Plan(model=WITH_DROPOUT, search=SEARCH, ends=ends))])
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
    material = material_of([plant(tmp_path / "a", Plan(model=WITH_DROPOUT, search=SEARCH, ends=ends))])
    assert best_so_far_of(material).steps == ()
