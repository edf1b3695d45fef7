"""The search as an Optuna study: every state by rule 2, in both storages."""

from __future__ import annotations

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from tests.analysis.planted import WITH_DROPOUT, Plan, plant
from wrn_search.analysis.input_tables.joined_tables import material_of
from wrn_search.errors import InputError
from wrn_search.report.by_products.optuna_study import write_optuna_storage

SEARCH = {"searcher": "random", "scheduler": "asha", "trials": 12, "reduction_factor": 2}
TRAINING = {"epochs": 10, "weight_decay": {"loguniform": [1e-5, 5e-3]}}
ENDS = {0: ("failed", "boom"), 1: ("diverged", "nan"), 2: ("running", None), 3: ("interrupted", "SIGINT")}
PLAN = Plan(name="mine", model=WITH_DROPOUT, training=TRAINING, search=SEARCH, ends=ENDS)


def load(path, name):
    """The study as a stranger opens it."""
    if path.suffix.lower() in (".db", ".sqlite", ".sqlite3"):
        storage = f"sqlite:///{path}"
    else:
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
    return optuna.load_study(study_name=name, storage=storage)


@pytest.mark.parametrize("name", ["study.db", "study.journal"])
def test_every_trial_has_the_state_of_rule_2(tmp_path, name):
    material = material_of([plant(tmp_path / "results", PLAN)])
    assert write_optuna_storage(material, tmp_path / name) == ["mine"]
    study = load(tmp_path / name, "mine")
    assert study.direction == optuna.study.StudyDirection.MINIMIZE
    assert len(study.trials) == 12
    expected = {
        "completed": TrialState.COMPLETE,
        "stopped": TrialState.PRUNED,
        "diverged": TrialState.COMPLETE,
        "failed": TrialState.FAIL,
        "running": TrialState.RUNNING,
        "interrupted": TrialState.RUNNING,
    }
    curves = {trial: rows for trial, rows in material.epochs.groupby("trial")}  # noqa: C416
    for place, trial in enumerate(study.trials):
        row = material.trials.loc[place]
        assert trial.state == expected[row["status"]]
        value = {"completed": row["val_error"], "diverged": 90.0}.get(row["status"])
        assert trial.value == (pytest.approx(value) if value is not None else None)
        assert set(trial.params) == {"depth", "widen_factor", "dropout", "weight_decay"}
        assert all(trial.params[name] == row[name] for name in trial.params)
        own = curves.get(place)
        seen = {} if own is None else dict(zip(own["epoch"], own["val_error"], strict=True))
        assert trial.intermediate_values == pytest.approx(seen)
        assert trial.user_attrs["name"] == row["name"]
        assert trial.user_attrs["num_params"] == row["num_params"]
    assert study.best_trial.user_attrs["status"] == "completed"
    distribution = study.trials[4].distributions["weight_decay"]
    assert (distribution.low, distribution.high, distribution.log) == (1e-5, 5e-3, True)
    stopped = next(trial for trial in study.trials if trial.state == TrialState.PRUNED)
    assert stopped.datetime_complete > stopped.datetime_start
    assert study.trials[2].datetime_complete is None


@pytest.mark.parametrize("name", ["study.sqlite", "STUDY.SQLITE3", "study.log", "study.jsonl"])
def test_the_name_says_which_storage(tmp_path, name):
    small = Plan(name="small", model=WITH_DROPOUT, search={**SEARCH, "trials": 1})
    write_optuna_storage(material_of([plant(tmp_path / "results", small)]), tmp_path / name)
    assert len(load(tmp_path / name, "small").trials) == 1


def test_times_are_those_of_the_search_on_the_local_clock(tmp_path):
    material = material_of([plant(tmp_path / "results", PLAN)])
    write_optuna_storage(material, tmp_path / "study.log")
    first = load(tmp_path / "study.log", "mine").trials[0]
    began = material.trials["started_at"][0].to_pydatetime()
    assert first.datetime_start.astimezone() == began


def test_several_searches_are_studies_of_one_storage(tmp_path):
    a = plant(tmp_path / "a", PLAN)
    b = plant(tmp_path / "b", PLAN)
    c = plant(tmp_path / "c", Plan(name="other", model=WITH_DROPOUT, search=SEARCH))
    names = write_optuna_storage(material_of([a, b, c]), tmp_path / "study.log")
    assert names == ["mine", "mine (1)", "other"]
    assert [len(load(tmp_path / "study.log", name).trials) for name in names] == [12, 12, 12]


def test_without_the_space_the_ranges_are_those_that_were_tried(tmp_path):
    path = plant(tmp_path / "results", PLAN)
    (path / "resolved.yaml").unlink()
    material = material_of([path])
    write_optuna_storage(material, tmp_path / "study.log")
    distributions = load(tmp_path / "study.log", "mine").trials[4].distributions
    dropout = material.trials["dropout"]
    assert (distributions["dropout"].low, distributions["dropout"].high) == (dropout.min(), dropout.max())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "study.txt",
            r"--optuna-storage: must end with .db, .sqlite, .sqlite3 \(SQLite\) or .log, .*study.txt'",
        ),
        ("study", r"must end with"),
        ("nowhere/study.db", r"must be in a folder that exists, but .*nowhere is none"),
    ],
)
def test_names_that_say_no_storage_are_refused(tmp_path, name, message):
    material = material_of([plant(tmp_path / "results", PLAN)])
    with pytest.raises(InputError, match=message):
        write_optuna_storage(material, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_an_existing_storage_is_never_touched(tmp_path):
    material = material_of([plant(tmp_path / "results", PLAN)])
    write_optuna_storage(material, tmp_path / "study.db")
    before = (tmp_path / "study.db").read_bytes()
    with pytest.raises(InputError, match=r"must name a new file, but .*study.db exists"):
        write_optuna_storage(material, tmp_path / "study.db")
    assert (tmp_path / "study.db").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results", "study.db"]
