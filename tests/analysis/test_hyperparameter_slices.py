"""Slices hold each trial at its value, and importance names the hyperparameter that was planted."""

from __future__ import annotations

import math

import pytest

from tests.analysis.planted import Plan, plant
from wrn_search.analysis.hyperparameter_importance import MOST, importance_of
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
    found = importance_of(planted(tmp_path / "a", trials=80))
    assert next(iter(found.shares)) == "weight_decay"
    assert found.shares["weight_decay"] > 0.8
    assert sum(found.shares.values()) == pytest.approx(1.0)
    assert (found.n, found.others, found.warning) == (80, 0, "")


def test_importance_is_the_same_each_time_and_takes_an_even_choice_of_many(tmp_path):
    material = planted(tmp_path / "a", trials=MOST + 20)
    found = importance_of(material)
    assert found == importance_of(material)
    assert found.n == MOST + 20
    assert found.shares["weight_decay"] > 0.8


def test_importance_warns_of_few_trials_adaptive_searches_and_missing_ends(tmp_path):
    ends = dict.fromkeys(range(3), ("failed", "x"))
    found = importance_of(planted(tmp_path / "a", searcher="tpe", trials=12, ends=ends))
    assert "9 trials are few for 3 hyperparameters" in found.warning
    assert "an adaptive search samples good regions more" in found.warning
    assert "3 trials that were stopped, diverged or failed" in found.warning
    assert (found.n, found.others) == (9, 3)


@pytest.mark.parametrize(
    ("trials", "failed", "reason"),
    [(5, 2, "at least 4 trials must have reached their last epoch, but 3 have"), (5, 5, "but 0 have")],
)
def test_importance_of_too_few_is_a_reason(tmp_path, trials, failed, reason):
    ends = dict.fromkeys(range(failed), ("failed", "x"))
    found = importance_of(planted(tmp_path / "a", trials=trials, ends=ends))
    assert found.shares == {}
    assert reason in found.warning


def test_importance_of_what_does_not_vary(tmp_path):
    search = {"searcher": "grid", "scheduler": "none", "repeats": 5}
    path = plant(tmp_path / "a", Plan(model={"depth": 16, "widen_factor": {"choice": [2]}}, search=search))
    found = importance_of(material_of([path]))
    assert found.warning == "no hyperparameter differs between the trials that reached their last epoch"


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
    assert importance_of(material).shares == {"init": pytest.approx(1.0)}
