"""What to run next, as a space file: the configurations that the report plans, with fresh seeds."""

from __future__ import annotations

import json

import pytest

from tests.analysis.planted import WITH_DROPOUT, Plan, plant
from wrn_search.__main__ import main
from wrn_search.analysis.all_findings import findings_from
from wrn_search.analysis.input_tables.joined_tables import material_of
from wrn_search.errors import InputError
from wrn_search.report.by_products.planned_trainings import write_planned_trainings
from wrn_search.space.space_file import read_space

pytestmark = pytest.mark.usefixtures("few_draws")

SEARCH = {"searcher": "tpe", "scheduler": "asha", "trials": 24, "reduction_factor": 2}
TRAINING = {"epochs": 10, "weight_decay": {"loguniform": [1e-5, 5e-3]}, "lr_drops": [0.4, 0.7]}
PLAN = Plan(name="first", model=WITH_DROPOUT, training=TRAINING, search=SEARCH, noise=3.0)


def test_the_file_holds_the_configurations_of_the_plan_and_nothing_else(tmp_path) -> None:
    material = material_of([plant(tmp_path / "results", PLAN)])
    findings = findings_from(material)
    planned = findings.model.next
    assert planned
    written = write_planned_trainings(material, findings, tmp_path / "next.yaml")
    space = read_space(tmp_path / "next.yaml")
    assert space == written
    assert set(space.hyperparameters) == {"depth", "widen_factor", "dropout", "weight_decay"}
    assert (space.trials, space.search.searcher, space.search.scheduler) == (len(planned), "grid", "none")
    assert space.search.repeats == max(1, round(sum(each.count for each in planned) / len(planned)))
    assert [dict(each) for each in space.search.points] == [dict(each.hparams) for each in planned]
    assert {"depth", "widen_factor", "dropout", "weight_decay"} <= set(planned[0].hparams)
    assert space.search.seed != material.sources[0].space.search.seed
    assert (space.training.epochs, space.training.lr_drops) == (10, (0.4, 0.7))
    header = (tmp_path / "next.yaml").read_text().split("name:")[0]
    assert all(line.startswith("#") for line in header.splitlines())
    assert f"costs     {len(planned) * space.search.repeats} trainings to the end, " in header


def test_where_nothing_is_planned_the_reason_is_told(tmp_path, capsys) -> None:
    few = Plan(model=WITH_DROPOUT, search=SEARCH | {"trials": 4})
    results = plant(tmp_path / "few", few)
    material = material_of([results])
    with pytest.raises(InputError, match=r"--next: a plan needs a question .* but at least 6 trials"):
        write_planned_trainings(material, findings_from(material), tmp_path / "next.yaml")
    assert main(["report", str(results), "--next", str(tmp_path / "next.yaml")]) == 2
    assert "--next: a plan needs a question" in capsys.readouterr().err
    assert not (tmp_path / "next.yaml").exists()


def test_a_file_that_is_there_is_kept_and_json_stays_json(tmp_path, capsys) -> None:
    results = plant(tmp_path / "results", PLAN)
    (tmp_path / "there.yaml").write_text("mine")
    assert main(["report", str(results), "--next", str(tmp_path / "there.yaml")]) == 2
    assert (tmp_path / "there.yaml").read_text() == "mine"
    capsys.readouterr()
    assert main(["report", str(results), "--json", "--next", str(tmp_path / "next.yaml")]) == 0
    assert len(json.loads(capsys.readouterr().out)["next"]) == len(
        read_space(tmp_path / "next.yaml").search.points
    )
