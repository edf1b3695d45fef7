"""Each hyperparameter with the network held fixed: who is in it, and who is not."""

from __future__ import annotations

import pytest

from tests.analysis.planted import Plan, plant
from wrn_search.analysis.all_findings import findings_of

MODEL = {
    "depth": {"choice": [10, 16]},
    "widen_factor": {"choice": [1, 2]},
    "dropout": {"uniform": [0.0, 0.5]},
}
RANDOM = {"searcher": "random", "scheduler": "none", "trials": 24}


@pytest.mark.slow
def test_a_trial_that_ended_at_chance_is_told_without_a_point_and_costs_nobody_else_theirs(tmp_path):
    """It has a predicted end and is in no fit: the report of a search with one such trial had no model at all."""

    def law(leaves, num_params):
        return 90.0 if (leaves["depth"], leaves["widen_factor"]) == (16, 2) else 8.0 / leaves["widen_factor"]

    found = findings_of(plant(tmp_path / "stuck", Plan(model=MODEL, search=RANDOM, error=law)))
    stuck = {place for place, trial in enumerate(found.trials) if (trial.val_error or 0) > 80}
    assert stuck
    assert found.model.why_not == ""
    (curve,) = found.model.curves
    assert {point.trial for point in curve.trials} == set(range(24)) - stuck
