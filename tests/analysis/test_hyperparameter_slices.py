"""Slices hold each trial at its value, and importance names the hyperparameter that was planted."""

from __future__ import annotations

import math

import pytest

from tests.analysis.planted import Plan, plant
from wrn_search.analysis.all_findings import findings_from
from wrn_search.analysis.hyperparameter_slices import BINS, MAX_POINTS, SlicePoint, _thinned, slices_of
from wrn_search.analysis.input_tables.joined_tables import material_of

MODEL = {"depth": {"choice": [16, 22]}, "widen_factor": 2, "dropout": {"uniform": [0.0, 0.5]}}
TRAINING = {"epochs": 5, "weight_decay": {"loguniform": [1e-5, 1e-2]}}


def weight_decay_counts(leaves, weights):
    """Three points for each factor of ten away from 3e-4, and next to nothing for dropout."""
    return 5 + 3 * abs(math.log10(leaves["weight_decay"] / 3e-4)) + 0.1 * leaves["dropout"]


def planted(path, searcher="random", trials=60, **changes):
    search = {"searcher": searcher, "scheduler": "none", "trials": trials}
    plan = Plan(
        model=MODEL, training=TRAINING, search=search, error=weight_decay_counts, noise=0.1, **changes
    )
    return material_of([plant(path, plan)])


def test_slices_put_dropout_and_weight_decay_first_and_count_everybody(tmp_path):
    material = planted(tmp_path / "a", ends={0: ("failed", "x"), 1: ("running", None)})
    slices = slices_of(material)
    assert [s.name for s in slices] == ["dropout", "weight_decay", "depth"]
    assert [(s.log, s.categorical) for s in slices] == [(False, False), (True, False), (False, True)]
    for s in slices:
        assert (len(s.points), s.left_out) == (59, 1)
        assert [point.completed for point in s.points] == [False] + [True] * 58
        assert all(point.value == material.trials[s.name][point.trial] for point in s.points)
        assert sum(n for _, _, _, n in s.summary) == 58


def test_summaries_are_lowest_and_median_of_bins_or_values(tmp_path):
    material = planted(tmp_path / "a")
    dropout, weight_decay, depth = slices_of(material)
    assert len(dropout.summary) == len(weight_decay.summary) == BINS
    assert all(n == 10 for _, _, _, n in dropout.summary)
    rows = material.trials.sort_values("weight_decay").iloc[:10]
    lowest, errors = weight_decay.summary[0], rows["val_error"]
    assert lowest == pytest.approx((rows["weight_decay"].median(), errors.min(), errors.median(), 10))
    by_depth = material.trials.groupby("depth")["val_error"]
    assert [value for value, _, _, _ in depth.summary] == [16, 22]
    assert [low for _, low, _, _ in depth.summary] == by_depth.min().tolist()
    assert [median for _, _, median, _ in depth.summary] == pytest.approx(by_depth.median().tolist())


def test_many_points_are_thinned_and_the_best_stay():
    points = [SlicePoint(i, float(i), 90 - i / 1000, 5, i % 2 == 0) for i in range(5 * MAX_POINTS)]
    thinned = _thinned(points)
    assert len(thinned) == MAX_POINTS
    assert {point.trial for point in points[-MAX_POINTS // 2 :: 2]} <= {point.trial for point in thinned}


def test_importance_finds_the_planted_hyperparameter(tmp_path):
    found = findings_from(planted(tmp_path / "a", trials=80)).importance
    assert next(iter(found.shares)) == "weight_decay"
    low, high = found.intervals["weight_decay"]
    assert 0.8 < low < found.shares["weight_decay"] < high <= 1.0
    assert sum(found.shares.values()) == pytest.approx(1.0)
    assert (found.n, found.others, found.warning) == (80, 0, "")


def test_importance_does_not_follow_from_who_survived(tmp_path):
    """Early stopping leaves one in eight, all of them with the best weight decay: its share stays."""
    search = {"searcher": "random", "scheduler": "asha", "trials": 60, "reduction_factor": 2}
    plan = Plan(
        model=MODEL, training=TRAINING, search=search, error=weight_decay_counts, noise=0.1, jitter=0.3
    )
    found = findings_from(material_of([plant(tmp_path / "a", plan)]))
    decays = [trial.hparams["weight_decay"] for trial in found.trials if trial.status == "completed"]
    assert max(decays) / min(decays) < 10  # of a range of 1,000
    assert found.importance.shares["weight_decay"] > 0.8
    assert found.importance.n == 60


@pytest.mark.parametrize("failed", [5, 8])
def test_importance_of_too_few_is_a_reason(tmp_path, failed):
    ends = dict.fromkeys(range(failed), ("failed", "x"))
    found = findings_from(planted(tmp_path / "a", trials=8, ends=ends)).importance
    assert found.shares == {}
    assert "at least 6 trials must have learned something for the curve model, but" in found.warning


def test_importance_of_what_does_not_vary(tmp_path):
    search = {"searcher": "grid", "scheduler": "none", "repeats": 8}
    model = {"depth": 16, "widen_factor": {"choice": [2]}}
    path = plant(tmp_path / "a", Plan(model=model, search=search, seed=1))
    found = findings_from(material_of([path]))
    assert found.importance.warning == "no hyperparameter differs between the trials"
    assert (
        found.model.winner.low
        < 3.0 + 12.0 * (found.trials[0].num_params / 1e5) ** -0.4
        < found.model.winner.high
    )


def test_a_hyperparameter_that_is_text_is_a_category(tmp_path):
    model = {"depth": 16, "widen_factor": 2, "init": {"choice": ["fan_in", "fan_out"]}}
    search = {"searcher": "random", "scheduler": "none", "trials": 2, "repeats": 10}

    def fan_out_hurts(leaves, weights):
        return 5.0 + 2.0 * (leaves["init"] == "fan_out")

    material = material_of(
        [plant(tmp_path / "a", Plan(model=model, search=search, error=fan_out_hurts, seed=1))]
    )
    (only,) = slices_of(material)
    assert only.categorical
    assert [value for value, _, _, _ in only.summary] == ["fan_in", "fan_out"]
    assert findings_from(material).importance.shares == {"init": pytest.approx(1.0)}


BOTH = {
    "epochs": 5,
    "learning_rate": {"loguniform": [1e-3, 1.0]},
    "weight_decay": {"loguniform": [1e-5, 1e-2]},
}


def test_where_both_are_searched_their_product_is_an_axis_too(tmp_path):
    plan = Plan(
        model={"depth": 16, "widen_factor": 2}, training=BOTH, search={"searcher": "random", "trials": 20}
    )
    material = material_of([plant(tmp_path / "a", plan)])
    assert material.hyperparameters == ("learning_rate", "weight_decay")
    *_, last = slices_of(material)
    assert (last.name, last.log, last.categorical) == ("lr_x_wd", True, False)
    rows = material.trials
    assert [point.value for point in last.points] == pytest.approx(
        [rows["learning_rate"][point.trial] * rows["weight_decay"][point.trial] for point in last.points]
    )


def test_where_one_is_set_there_is_no_such_axis(tmp_path):
    assert "lr_x_wd" not in [each.name for each in slices_of(planted(tmp_path / "a"))]
