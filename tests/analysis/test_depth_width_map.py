"""Cells of depth x widening factor, by rule 5: value, n, stopped; medians only of repeats; gaps stay gaps."""

from __future__ import annotations

import statistics

import pytest

from tests.analysis.planted import WITH_DROPOUT, Plan, plant
from wrn_search.analysis.depth_width_map import BINS, error_map_of, time_map_of
from wrn_search.analysis.input_tables.configurations import configurations_of, seconds_per_epoch
from wrn_search.analysis.input_tables.joined_tables import material_of


def maps(*paths):
    material = material_of(paths)
    seconds = seconds_per_epoch(material)
    return (
        material,
        error_map_of(material, configurations_of(material, seconds)),
        time_map_of(material, seconds),
    )


def test_every_trial_is_counted_in_one_cell(tmp_path):
    search = {"searcher": "tpe", "scheduler": "asha", "trials": 60, "reduction_factor": 2}
    ends = {1: ("failed", "x"), 2: ("diverged", "nan"), 3: ("running", None), 4: ("interrupted", "SIGINT")}
    material, errors, times = maps(plant(tmp_path / "a", Plan(model=WITH_DROPOUT, search=search, ends=ends)))
    for found in (errors, times):
        assert sum(cell.total for cell in found.cells) == 60
        for cell in found.cells:
            rows = material.trials.query("depth == @cell.depth and widen_factor == @cell.widen_factor")
            assert cell.total == len(rows) > 0
    for cell in errors.cells:
        rows = material.trials.query("depth == @cell.depth and widen_factor == @cell.widen_factor")
        full = rows[rows["status"] == "completed"]["val_error"]
        assert cell.n == len(full)
        assert cell.value == (full.min() if len(full) else None)
        assert cell.trial == (full.idxmin() if len(full) else None)
        assert cell.stopped == (rows["status"] == "stopped").sum()
        assert (cell.median, cell.low, cell.high, cell.repeats) == (None, None, None, 0)
    assert not errors.repeated
    assert sum(cell.failed for cell in errors.cells) == sum(cell.diverged for cell in errors.cells) == 1
    assert sum(cell.other for cell in errors.cells) == 2


def test_pairs_that_were_never_tried_are_gaps(tmp_path):
    search = {"searcher": "grid", "scheduler": "none", "trials": 3}  # the first three of the grid
    _, errors, _ = maps(plant(tmp_path / "a", Plan(search=search)))
    a = plant(tmp_path / "b", Plan(name="b", model={"depth": 40, "widen_factor": 1, "dropout": 0.1}))
    _, both, _ = maps(tmp_path / "a", a)
    assert [(cell.depth, cell.widen_factor) for cell in errors.cells] == [(16, 1.0), (16, 2.0), (16, 4.0)]
    assert (both.depths, both.widen_factors) == ((16, 40), (1.0, 2.0, 4.0))
    assert len(both.cells) == 4


def test_with_repeats_a_cell_shows_the_median_and_range_of_its_best_configuration(tmp_path):
    search = {"searcher": "grid", "scheduler": "none", "repeats": 5}
    model = {"depth": {"choice": [16, 22]}, "widen_factor": 2, "dropout": {"choice": [0.0, 0.4]}}

    def dropout_hurts(leaves, weights):
        return 5.0 + leaves["dropout"]

    plan = Plan(model=model, search=search, error=dropout_hurts, noise=0.05, ends={0: ("diverged", "nan")})
    material, errors, _ = maps(plant(tmp_path / "a", plan))
    assert errors.repeated
    first, second = errors.cells
    own = material.trials.iloc[1:5]["val_error"].tolist()
    assert (first.median, first.low, first.high, first.repeats) == (
        statistics.median([*own, 90.0]),
        min(own),
        90.0,
        5,
    )
    best = material.trials.iloc[10:15]["val_error"]
    assert (second.median, second.low, second.high) == (best.median(), best.min(), best.max())
    assert second.n == 10


def test_times_are_medians_over_all_trials_with_an_epoch(tmp_path):
    search = {"searcher": "grid", "scheduler": "none", "repeats": 3}
    model = {"depth": 16, "widen_factor": {"choice": [1, 2]}}
    plan = Plan(model=model, search=search, ends={0: ("failed", "x"), 1: ("running", None)})
    material, _, times = maps(plant(tmp_path / "a", plan))
    first, second = times.cells
    expected = 1.0 + material.trials["macs"] / 1e9
    assert (first.value, first.n, first.failed) == (pytest.approx(expected[1]), 2, 1)
    assert (second.value, second.low, second.high, second.n) == (*[pytest.approx(expected[3])] * 3, 3)
    assert times.unit == "seconds"


def test_a_continuous_widening_factor_is_binned(tmp_path):
    search = {"searcher": "random", "scheduler": "none", "trials": 60}
    model = {"depth": 16, "widen_factor": {"uniform": [1.0, 16.0]}}
    _, errors, _ = maps(plant(tmp_path / "a", Plan(model=model, search=search)))
    assert errors.binned
    assert len(errors.cells) <= BINS
    assert sum(cell.n for cell in errors.cells) == 60
    assert 1.0 < errors.widen_factors[0] < errors.widen_factors[-1] < 16.0


def test_a_map_of_nothing_completed_has_cells_without_values(tmp_path):
    search = {"searcher": "grid", "scheduler": "none"}
    plan = Plan(model={"depth": 16, "widen_factor": {"choice": [1, 2]}}, search=search)
    plan = Plan(model=plan.model, search=search, ends={0: ("failed", "x"), 1: ("failed", "x")})
    _, errors, times = maps(plant(tmp_path / "a", plan))
    assert [(cell.value, cell.trial, cell.n, cell.failed) for cell in errors.cells] == [
        (None, None, 0, 1)
    ] * 2
    assert [(cell.value, cell.n) for cell in times.cells] == [(None, 0)] * 2
