"""The curve model's table against the tables on disk: every trial, every epoch, every searched value, once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.planted import WITH_DROPOUT, Plan, plant
from wrn_search.analysis.curve_model.table_of_curves import MOST, curves_on_record
from wrn_search.analysis.input_tables.joined_tables import material_of

ASHA = {"searcher": "random", "scheduler": "asha", "trials": 24, "reduction_factor": 2}
REGULARISED = {"epochs": 10, "weight_decay": {"loguniform": [1e-5, 5e-3]}}


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    ends = {3: ("diverged", "nan"), 5: ("failed", "boom"), 7: ("running", None), 9: ("interrupted", None)}
    plan = Plan(model=WITH_DROPOUT, training=REGULARISED, search=ASHA, ends=ends)
    return material_of([plant(tmp_path_factory.mktemp("table") / "results", plan)])


def test_every_trial_is_there_with_every_epoch_on_record(material):
    table = curves_on_record(material).table
    assert [each.trial for each in table.trials] == [str(place) for place in material.trials.index]
    assert [len(each.epochs) for each in table.trials] == material.trials["epochs_done"].tolist()
    rows = material.epochs.groupby("trial")["val_error"].apply(list)
    for place, errors in rows.items():
        assert np.allclose(np.array(table.trials[place].wrong) / 50, errors)  # 5,000 images
    assert (table.images, table.last_epoch, table.chance_error) == (5000, 10, 90.0)
    assert table.rungs == (3, 6, 8)


def test_statuses_settings_and_scales(material):
    table = curves_on_record(material).table
    assert [table.trials[place].status for place in (3, 5, 7, 9)] == [
        "diverged",
        "failed",
        "running",
        "running",
    ]
    for trial, row in zip(table.trials, material.trials.to_dict("records"), strict=True):
        assert trial.hyperparameters == {
            name: float(row[name]) for name in ("depth", "widen_factor", "dropout", "weight_decay")
        }
    assert [table.scale(name) for name in sorted(table.trials[0].hyperparameters)] == [
        "blocks",
        "linear",
        "log10",
        "log2",
    ]


def test_repeats_share_a_configuration_also_across_searches(tmp_path):
    grid = {"searcher": "grid", "scheduler": "none", "repeats": 2}
    model = {"depth": {"choice": [10, 16]}, "widen_factor": {"choice": [1, 2]}}
    first = plant(tmp_path / "a", Plan(name="a", model=model, search=grid))
    second = plant(
        tmp_path / "b", Plan(name="b", model=model, search={**grid, "searcher": "random", "trials": 4})
    )
    table = curves_on_record(material_of([first, second])).table
    assert len(table.trials) == 16
    cells = {
        each.configuration: (each.hyperparameters["depth"], each.hyperparameters["widen_factor"])
        for each in table.trials
    }
    assert len(cells) == len(set(cells.values())) == 4
    assert {each.search for each in table.trials} == {"a", "b"}


def test_categories_and_a_weight_decay_of_zero_have_levels(tmp_path):
    model = {"depth": 16, "widen_factor": {"choice": [1, 2]}, "init": {"choice": ["fan_in", "fan_out"]}}
    training = {"epochs": 10, "weight_decay": {"choice": [0.0, 0.0005]}}
    material = material_of([plant(tmp_path / "a", Plan(model=model, training=training))])
    table = curves_on_record(material).table
    assert {each.hyperparameters["init"] for each in table.trials} == {"fan_in", "fan_out"}
    assert {each.hyperparameters["weight_decay"] for each in table.trials} == {"0", "0.0005"}
    assert table.scale("depth") == "blocks"


def test_anchors_come_from_the_record(material):
    marked = replace(
        material, trials=material.trials.assign(anchor=[number % 6 == 0 for number in range(24)])
    )
    table = curves_on_record(marked).table
    assert [each.trial for each in table.trials if each.anchor] == ["0", "6", "12", "18"]
    assert not any(each.anchor for each in curves_on_record(material).table.trials)  # older tables have none


def test_without_the_number_of_images_the_reason_is_told(material):
    unknown = replace(material, dataset=replace(material.dataset, validation_images=None))
    found = curves_on_record(unknown)
    assert found.table is None
    assert "the number of validation images is not on record" in found.why_not


def test_a_hyperparameter_with_missing_values_is_left_out_and_named(material):
    trials = material.trials.copy()
    trials.loc[4, "weight_decay"] = np.nan
    found = curves_on_record(replace(material, trials=trials))
    assert found.left_out == ("weight_decay",)
    assert set(found.table.trials[0].hyperparameters) == {"depth", "widen_factor", "dropout"}


def test_of_many_trials_the_same_simple_random_sample_is_taken(tmp_path):
    plan = Plan(model=WITH_DROPOUT, search={**ASHA, "trials": MOST + 500}, training={"epochs": 4})
    material = material_of([plant(tmp_path / "a", plan)])
    found = curves_on_record(material)
    assert (len(found.table.trials), found.of) == (MOST, MOST + 500)
    assert found == curves_on_record(material)
    chosen = np.array([int(each.trial) for each in found.table.trials])
    share = (material.trials["status"].iloc[chosen] == "stopped").mean()
    assert share == pytest.approx((material.trials["status"] == "stopped").mean(), abs=0.05)
    assert len(curves_on_record(material, most=None).table.trials) == MOST + 500


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 5e-4), ("adamw", 1e-2)])
def test_a_cell_to_which_a_key_does_not_apply_is_held_at_what_is_trained_there(tmp_path, optimizer, rate):
    """The optimiser has rates of its own."""
    decay = {"loguniform": [1e-5, 5e-3], "when": {"depth": [16]}}
    plan = Plan(
        model={"depth": {"choice": [16, 22]}, "widen_factor": {"choice": [1, 2]}},
        training={"epochs": 10, "optimizer": optimizer, "weight_decay": decay},
        search={"searcher": "random", "scheduler": "none", "trials": 12},
    )
    found = material_of([plant(tmp_path / "results", plan)])
    table = curves_on_record(found).table
    assert set(found.trials["weight_decay"][found.trials["depth"] == 22]) == {rate}
    assert table.held((16.0, 1.0)) == {}
    assert table.held((22.0, 1.0)) == {"weight_decay": pytest.approx(rate)}
