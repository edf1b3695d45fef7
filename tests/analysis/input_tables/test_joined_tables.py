"""Several directories as one: what is refused, and that every trial keeps its own epochs."""

from __future__ import annotations

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.analysis.planted import Plan, plant
from wrn_search.analysis.input_tables.joined_tables import material_of
from wrn_search.errors import InputError
from wrn_search.results.table_columns import TRIALS_SCHEMA

RANDOM = {"searcher": "random", "scheduler": "none", "trials": 5}
TPE = {"searcher": "tpe", "scheduler": "asha", "trials": 6}
DROPOUT = {"depth": 16, "widen_factor": 2, "dropout": {"uniform": [0.0, 0.5]}}


def change_trials(path, name, values):
    """Replaces a column of trials.parquet."""
    table = pq.read_table(path / "trials.parquet")
    place = TRIALS_SCHEMA.get_field_index(name)
    column = pa.array(values, type=TRIALS_SCHEMA.field(name).type)
    pq.write_table(table.set_column(place, TRIALS_SCHEMA.field(name), column), path / "trials.parquet")


def test_trials_of_two_searches_keep_their_epochs(tmp_path):
    a = plant(tmp_path / "a", Plan(name="a", model=DROPOUT, search=RANDOM))
    b = plant(tmp_path / "b", Plan(name="b", model=DROPOUT, search=RANDOM, seed=1, ends={2: ("failed", "x")}))
    material = material_of([a, b])
    assert material.trials["search"].tolist() == ["a"] * 5 + ["b"] * 5
    assert material.trials.index.tolist() == list(range(10))
    last = material.epochs.groupby("trial")["val_error"].last()
    full = material.completed
    assert len(full) == 9
    np.testing.assert_allclose(last[full.index], full["val_error"])
    assert material.epochs.groupby("trial").size().to_dict() == dict.fromkeys(full.index, 10)


def test_rows_in_another_order_and_epochs_of_nobody_change_nothing(tmp_path):
    path = plant(tmp_path / "a", Plan(model=DROPOUT, search=RANDOM))
    before = material_of([path])
    table = pq.read_table(path / "trials.parquet")
    pq.write_table(table.take([3, 1, 4, 0, 2]), path / "trials.parquet")
    part = path / "epochs" / "part-000000.parquet"
    epochs = pq.read_table(part)
    stranger = epochs.slice(0, 3).set_column(1, "trial_id", pa.array(["nobody"] * 3))
    pq.write_table(pa.concat_tables([epochs.take(np.arange(49, -1, -1)), stranger]), part)
    after = material_of([path])
    assert after.trials.equals(before.trials)
    assert after.epochs.equals(before.epochs)


def test_seeds_of_a_configuration_are_one_and_a_search_that_chose_them_is_not(tmp_path):
    fixed = {"depth": {"choice": [16, 22]}, "widen_factor": 2}
    grid = {"searcher": "grid", "scheduler": "none", "repeats": 2}
    a = plant(tmp_path / "a", Plan(name="a", model=fixed, search=grid))
    b = plant(tmp_path / "b", Plan(name="b", model=fixed, search=grid, seed=1))
    assert material_of([a, b]).trials["configuration"].tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    chosen = {"searcher": "random", "scheduler": "asha", "trials": 2}
    c = plant(tmp_path / "c", Plan(name="c", model=fixed, search=chosen))
    configurations = material_of([a, c]).trials["configuration"].tolist()
    assert configurations[:4] == [0, 0, 1, 1]
    assert not set(configurations[4:]) & {0, 1}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shutil.rmtree, r"results: must be a results directory, but there is no such directory"),
        (
            lambda path: (path / "trials.parquet").write_bytes(b"PAR1 torn"),
            r"must be a readable Parquet file",
        ),
        (
            lambda path: change_trials(path, "status", ["completed"] * 4 + ["done"]),
            r"results: status must be one of completed, .*, but got 'done'",
        ),
        (
            lambda path: change_trials(path, "depth", [16, None, 16, 16, 16]),
            r"results: column depth must hold a value for every trial, but 1 are missing",
        ),
        (
            lambda path: change_trials(path, "val_error", [5.0, float("nan"), None, 5.0, 5.0]),
            r"results: val_error of a completed trial must be a number, but 2 are none",
        ),
        (
            lambda path: change_trials(path, "depth", [17] * 5),
            r"must be a table of networks, but got trial 0: depth must be 6\*N \+ 4 with block",
        ),
        (
            lambda path: change_trials(path, "precision", ["fp32"] * 4 + ["bf16"]),
            r"precision: trials that are compared must have one precision, but got bf16 in .*; fp32 in .*results",
        ),
    ],
)
def test_what_is_no_result_is_refused_with_the_reason(tmp_path, spoil, message):
    path = plant(tmp_path / "results", Plan(model=DROPOUT, search=RANDOM))
    spoil(path)
    with pytest.raises(InputError, match=message):
        material_of([path])


def test_a_search_without_a_trial_says_so(tmp_path):
    path = plant(tmp_path / "results", Plan(model=DROPOUT, search=RANDOM))
    pq.write_table(pq.read_table(path / "trials.parquet").slice(0, 0), path / "trials.parquet")
    with pytest.raises(
        InputError, match=r"results: at least one trial must be on record, but there is none yet"
    ):
        material_of([path])


def test_no_directory_and_one_twice_are_refused(tmp_path):
    path = plant(tmp_path / "results", Plan(model=DROPOUT, search=RANDOM))
    with pytest.raises(InputError, match="at least one results directory must be named"):
        material_of([])
    with pytest.raises(InputError, match="must be named once, but came again"):
        material_of([path, path / ".." / "results"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"dataset": {"name": "cifar100"}},
            "must have one data set, but got cifar10 in .*a; cifar100 in .*b",
        ),
        (
            {"training": {"epochs": 12}},
            r"must have equal epochs .*, but got 10 in .*a; 12 in .*b; report them one",
        ),
        (
            {"split_hash": "another"},
            "must have the same validation images .*, but got planted split in .*; another",
        ),
        (
            {"dataset": {"name": "cifar10", "validation": 1000}, "split_hash": "another"},
            r"^dataset.validation: trials that are compared must have one dataset.validation, but got 5000 in .*$",
        ),
        (
            {"dataset": {"name": "cifar10", "preprocessing": "zca"}},
            "dataset.preprocessing: .* meanstd in .*; zca in",
        ),
    ],
)
def test_searches_that_cannot_be_compared_are_refused_with_the_difference(tmp_path, changes, message):
    a = plant(tmp_path / "a", Plan(name="a", model=DROPOUT, search=RANDOM))
    b = plant(tmp_path / "b", Plan(name="b", model=DROPOUT, search=RANDOM, **changes))
    with pytest.raises(InputError, match=message):
        material_of([a, b])
    assert len(material_of([b]).trials) == 5


def test_searched_names_come_from_the_space_and_without_it_from_what_varies(tmp_path):
    path = plant(tmp_path / "a", Plan(model=DROPOUT, search=TPE))
    assert material_of([path]).hyperparameters == ("dropout",)
    (path / "resolved.yaml").unlink()
    material = material_of([path])
    assert material.hyperparameters == ("dropout",)
    assert material.sources[0].adaptive is None
    assert material.trials["adaptive"].all()


def test_a_copy_of_a_search_is_not_read_as_other_seeds(tmp_path):
    first = plant(tmp_path / "first", Plan())
    shutil.copytree(first, tmp_path / "copy")
    with pytest.raises(InputError, match=r"must be named once, but this is a copy of .*first"):
        material_of([first, tmp_path / "copy"])


def test_pixels_that_one_record_does_not_know_are_not_held_against_another(tmp_path):
    old, new, other = (
        plant(tmp_path / name, Plan(name=name, model=DROPOUT, search=RANDOM, split_hash=split))
        for name, split in (("old", "abc"), ("new", "abc-1"), ("other", "abc-2"))
    )
    assert len(material_of([old, new]).trials) == len(material_of([new, old]).trials) == 10
    with pytest.raises(InputError, match="must have the same validation images"):
        material_of([new, other])


def test_null_of_what_does_not_apply_is_what_was_trained(tmp_path) -> None:
    model = {
        "widen_factor": {"choice": [1, 4]},
        "dropout": {"choice": [0.1, 0.2], "when": {"widen_factor": {"min": 4}}},
    }
    plan = Plan(model=model, search={"searcher": "random", "scheduler": "none", "trials": 3})
    path = plant(tmp_path / "planted", plan)
    table = pq.read_table(path / "trials.parquet")
    dropouts = table["dropout"].to_pylist()

    assert None in dropouts
    assert material_of([path]).trials["dropout"].tolist() == [each or 0.0 for each in dropouts]
