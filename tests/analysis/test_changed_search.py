"""A search that was narrowed on resume: what its first sessions searched, and how, stays in report and export."""

from __future__ import annotations

import optuna
import pytest
import yaml

from tests.analysis.planted import Plan, plant, space_of
from tests.results.searches import every_event, proposed, timed
from wrn_search.analysis.input_tables.joined_tables import Material, material_of
from wrn_search.analysis.provenance import searches_of
from wrn_search.cli.search_summary import summary_text
from wrn_search.report.by_products.optuna_study import write_optuna_storage
from wrn_search.results.events import SearchResumed
from wrn_search.results.manifest import add_change
from wrn_search.results.state_from_events import fold
from wrn_search.results.tensorboard.hparams_tab import hparams_searched
from wrn_search.space.domains import Choice
from wrn_search.space.space_file import space_from_mapping

MODEL = {
    "depth": {"choice": [16, 22]},
    "widen_factor": {"choice": [1, 2]},
    "dropout": {"uniform": [0.0, 0.5]},
}
SEARCH = {"searcher": "tpe", "scheduler": "asha", "trials": 12, "reduction_factor": 2}
CHANGED = {
    "model.depth": [{"choice": [16, 22]}, 16],
    "model.widen_factor": [{"choice": [1, 2]}, 2],
    "search.scheduler": ["asha", "none"],
}
NARROWED = {"depth": 16, "widen_factor": 2, "dropout": {"uniform": [0.0, 0.5]}}


@pytest.fixture(params=["told", "by an earlier version"])
def material(request, tmp_path) -> Material:
    """The search after its last session; earlier versions did not tell in the manifest what was changed."""
    path = plant(tmp_path / "results", Plan(name="mine", model=MODEL, search=SEARCH))
    narrowed = space_of(Plan(name="mine", model=NARROWED, search={**SEARCH, "scheduler": "none"}))
    (path / "resolved.yaml").write_text(yaml.safe_dump(narrowed.to_document(), sort_keys=False))
    if request.param == "told":
        add_change(path / "manifest.json", CHANGED)
    return material_of([path])


def test_all_that_was_ever_searched_stays_a_dimension(material: Material) -> None:
    assert set(material.hyperparameters) == {"depth", "widen_factor", "dropout"}
    (search,) = searches_of(material)
    assert set(search.searched) == set(material.hyperparameters)


def test_a_search_that_asha_stopped_is_not_said_to_have_had_no_scheduler(material: Material) -> None:
    (search,) = searches_of(material)
    assert (search.searcher, search.scheduler) == ("tpe", "asha then none")
    assert "asha" in material.sources[0].adaptive_parts
    told = {change.key: (change.was, change.now) for change in search.changes}
    assert told in ({}, {**told, "model.depth": ("{choice: [16, 22]}", "16")})


def test_the_optuna_study_holds_every_value_that_was_tried(material: Material, tmp_path) -> None:
    write_optuna_storage(material, tmp_path / "study.db")
    study = optuna.load_study(study_name="mine", storage=f"sqlite:///{tmp_path / 'study.db'}")
    assert [trial.params["depth"] for trial in study.trials] == material.trials["depth"].to_list()
    assert {trial.params["widen_factor"] for trial in study.trials} == {1, 2}


def test_the_tensorboard_and_the_printed_best_trial_keep_them_too() -> None:
    events = [event for _, event in every_event()]
    events += [SearchResumed({"model.depth": 16}, {"model.depth": {"choice": [16, 22]}})]
    events += [proposed(6, hparams={"init": "fan_in"})]
    state = fold(timed(*events))
    now = space_from_mapping({"name": "small", "dataset": {"name": "digits"}, "model": {"depth": 16}})
    domains = hparams_searched(state, now)
    assert domains.keys() >= {"depth", "init", *state.trials[0].hparams}
    assert domains["depth"] == Choice((16, 22))
    first = state.trials[0]
    assert all(f"{name} " in summary_text(state, "results") for name in (*first.hparams, "init"))


def test_an_unchanged_search_tells_its_one_scheduler(tmp_path) -> None:
    (search,) = searches_of(material_of([plant(tmp_path / "results", Plan(model=MODEL, search=SEARCH))]))
    assert (search.searcher, search.scheduler, search.changes) == ("tpe", "asha", ())
