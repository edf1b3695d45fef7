"""Findings of whole directories: the answer in words, its limits, JSON, and every state a search can be found in."""

from __future__ import annotations

import json
import math

import pytest

from tests.analysis.planted import WITH_DROPOUT, Plan, plant, power_law
from wrn_search.analysis.all_findings import findings_of, to_json
from wrn_search.results.event_lines import to_line
from wrn_search.results.events import Looked

pytestmark = pytest.mark.usefixtures("few_draws")

KEYS = [
    "verdicts",
    "audit",
    "next",
    "best",
    "smallest_equivalent",
    "cells",
    "iso_params",
    "pareto",
    "importance",
    "rungs",
    "counts",
    "provenance",
]
GRID = {"searcher": "grid", "scheduler": "none", "repeats": 3}
TPE = {"searcher": "tpe", "scheduler": "asha", "trials": 12, "reduction_factor": 2}
TINY = {"depth": {"choice": [10, 16]}, "widen_factor": {"choice": [1, 2]}}


def plain(findings):
    """The JSON, through its text; NaN would raise."""
    return json.loads(json.dumps(to_json(findings), allow_nan=False))


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """Findings of a whole grid with three seeds each."""
    return findings_of(plant(tmp_path_factory.mktemp("grid") / "results", Plan(search=GRID)))


def line(findings, head):
    """The only line of the answer about it."""
    (found,) = [each for each in findings.answer.lines if each.head.startswith(head)]
    return found


def test_a_repeated_grid_answers_question_by_question(grid):
    assert [each.head for each in grid.answer.lines] == [
        "Depth",
        "Width",
        "Depth against width",
        "Winner",
        "Smallest as good within 0.5 points",
        "How sure",
    ]
    assert line(grid, "Width").text.startswith("doubling the width multiplies the odds of an error by 0.")
    assert line(grid, "Width").verdict == "helps"
    assert "the median of 3 seeds; expected when retrained" in line(grid, "Winner").text
    assert "of 16 networks of the space" in line(grid, "Smallest").text
    assert "every trial reached its end, so nothing is extrapolated" in line(grid, "How sure").text
    assert grid.answer.seed_freedom == 32
    assert grid.answer.seed_deviation == pytest.approx(0.3, abs=0.12)
    assert grid.answer.smallest_equivalent.num_params <= grid.answer.best.num_params
    assert grid.notes == ()


def test_the_json_has_the_documented_keys_and_resolves_its_trials(grid):
    told = plain(grid)
    assert set(KEYS) <= set(told)
    assert told["best"]["val_error"] == grid.answer.best.val_error
    assert told["best"]["hparams"] == dict(grid.trials[grid.answer.best.trial].hparams)
    assert told["trials"][told["best"]["trial"]]["trial_id"] == told["best"]["trial_id"]
    assert len(told["cells"]) == 16
    assert sum(cell["total"] for cell in told["cells"]) == told["counts"]["trials"] == 48
    assert {"value", "n", "stopped", "failed", "median", "seconds_per_epoch"} <= set(told["cells"][0])
    assert [cell["lowest"] <= cell["median"] <= cell["highest"] for cell in told["cells"]] == [True] * 16
    assert [cell["low"] < cell["estimate"] < cell["high"] for cell in told["cells"]] == [True] * 16
    assert told["iso_params"]["interval"] == list(grid.iso_params.interval)
    assert [front["cost"] for front in told["pareto"]["fronts"]] == [
        "num_params",
        "macs",
        "seconds_per_epoch",
    ]
    assert set(told["importance"]["shares"]) == {"depth", "widen_factor"}
    assert told["provenance"][0]["seed"] == 0


@pytest.mark.parametrize(("slope", "verdict"), [(2.0, "width is worth more"), (-2.0, "depth is worth more")])
def test_the_sentence_names_the_dimension_that_was_planted(tmp_path, slope, verdict):
    def law(leaves, weights):
        return 20 + power_law(leaves, weights) + slope * math.log2(leaves["depth"] / leaves["widen_factor"])

    found = findings_of(plant(tmp_path / "results", Plan(search=GRID, error=law)))
    assert line(found, "Depth against width").verdict == verdict
    assert found.iso_params.found


def test_an_adaptive_search_says_what_it_cannot_tell(tmp_path):
    plan = Plan(
        model=WITH_DROPOUT, search=TPE, ends={0: ("failed", "boom"), 1: ("running", None)}, ended=None
    )
    found = findings_of(plant(tmp_path / "results", plan))
    limits = " ".join(found.answer.limits)
    assert "This search is adaptive" in limits
    assert "--follow-up FILE" in limits
    assert "1 trial has not ended: the answer may change." in limits
    assert "Every configuration was trained with one seed" in limits
    assert found.iso_params.interval is None
    assert found.answer.bought.depth_interval is None
    assert found.searches[0].state == "unfinished"
    assert "no end on record" in found.notes[0]
    assert found.failures[0].reason == "boom"
    plain(found)


def test_divergence_is_told_also_where_nothing_can_be_fitted(tmp_path):
    """8 of 12 trainings at k = 8 diverged and no sentence said so: without validation images there is no model."""
    plan = Plan(
        model={"depth": {"choice": [16]}, "widen_factor": {"choice": [1, 8]}},
        search=GRID | {"repeats": 12},
        ends=dict.fromkeys(range(12, 20), ("diverged", "nan")),
    )
    path = plant(tmp_path / "results", plan)
    (path / "manifest.json").unlink()
    (path / "resolved.yaml").unlink()
    found = findings_of(path)
    assert found.model.epoch is None
    assert line(found, "Divergence").text == (
        "8 of 24 trainings diverged; the most at depth 16, widening factor 8: 8 of 12"
    )


def test_a_search_that_stopped_because_it_was_decided_says_so(tmp_path):
    path = plant(tmp_path / "results", Plan(search=GRID, ended="decided"))
    lines = (path / "events.jsonl").read_text().splitlines()
    look = Looked(24, {"depth_vs_width": "hurts", "winner": "WRN-16-8", "smallest_as_good": "WRN-16-4"})
    lines.insert(1, to_line(look, 1, 1.0))
    (path / "events.jsonl").write_text("\n".join(lines) + "\n")
    found = findings_of(path)
    assert found.notes[0].startswith(
        "the search stopped because it was decided: at equal parameters width is worth more than depth, WRN-16-8 is "
        "the winner, WRN-16-4 is the smallest network as good. Each question was answered at 99 % in two looks in a row"
    )
    assert not any("have not" in limit for limit in found.answer.limits)


@pytest.mark.parametrize(
    ("values", "slope", "told"),
    [
        ([0.2, 0.3, 0.4], 20.0, "smallest dropout of the search (0.2): less was not tried"),
        ([0.0, 0.1, 0.2], 20.0, ""),  # there is none below 0
        ([0.2, 0.3, 0.4], -20.0, "largest dropout of the search (0.4): more was not tried"),
    ],
)
def test_edges_of_regularisation_are_limits_at_both_ends(tmp_path, values, slope, told):
    model = {"depth": {"choice": [16, 28]}, "widen_factor": {"choice": [1, 2]}, "dropout": {"choice": values}}
    law = lambda leaves, weights: 12 + slope * (leaves["dropout"] - values[1])  # noqa: E731
    found = findings_of(
        plant(tmp_path / "results", Plan(model=model, search=GRID | {"repeats": 2}, error=law))
    )
    edges = [each for each in found.answer.edges if each.name == "dropout"]
    assert bool(edges) is bool(told)
    assert any(told in limit for limit in found.answer.limits) or not told


def test_less_than_off_is_no_limit(tmp_path):
    training = {
        "epochs": 10,
        "label_smoothing": {"choice": [0, 0.1, 0.2]},
        "cutout": {"choice": [4, 8, 16]},
    }
    law = lambda leaves, weights: 12 + 20 * leaves["label_smoothing"] + leaves["cutout"] / 4  # noqa: E731
    found = findings_of(
        plant(tmp_path / "results", Plan(model=TINY, training=training, search=GRID, error=law, noise=0.0))
    )
    assert [each.name for each in found.answer.edges if each.name in training] == ["cutout"]


def test_what_is_no_number_or_does_not_apply_has_no_edge(tmp_path):
    """True is not the largest nesterov, and the best trial of adamw has none."""
    optimiser = {
        "optimizer": {"choice": ["sgd", "adamw"]},
        "nesterov": {"choice": [True, False], "when": {"optimizer": ["sgd"]}},
    }
    for best in ("sgd", "adamw"):
        law = lambda leaves, weights, best=best: (  # noqa: E731
            12.0 - (leaves["optimizer"] == best) - leaves["nesterov"] / 2
        )
        plan = Plan(model=TINY, training={"epochs": 10} | optimiser, search=GRID, error=law, noise=0.0)
        path = plant(tmp_path / best, plan)
        (path / "manifest.json").unlink()  # so that no model tells where the lowest error is expected
        found = findings_of(path)
        chosen = found.trials[found.answer.best.trial]
        assert chosen.hparams.get("nesterov") == {"sgd": True, "adamw": None}[best]
        assert {each.name for each in found.answer.edges} <= {"depth", "widen_factor"}
        assert not any("nesterov" in limit for limit in found.answer.limits)


def test_the_smallest_depth_that_exists_is_no_edge(tmp_path):
    model = {"depth": {"choice": [10, 16, 22]}, "widen_factor": {"choice": [1, 2, 4]}}
    law = lambda leaves, weights: 5 + 0.5 * leaves["depth"] + abs(leaves["widen_factor"] - 2)  # noqa: E731
    found = findings_of(plant(tmp_path / "results", Plan(model=model, search=GRID, error=law, noise=0.0)))
    assert found.answer.best.network == "WRN-10-2"
    assert found.answer.edges == ()
    model["depth"] = {"choice": [16, 22, 28]}
    found = findings_of(plant(tmp_path / "second", Plan(model=model, search=GRID, error=law, noise=0.0)))
    assert [(each.name, each.is_upper) for each in found.answer.edges] == [("depth", False)]


def test_the_lowest_of_those_at_full_epochs_was_selected_from_all_tried(tmp_path):
    plan = Plan(model=WITH_DROPOUT, search=TPE | {"scheduler": "asha", "trials": 24})
    found = findings_of(plant(tmp_path / "results", plan))
    (luck,) = [limit for limit in found.answer.limits if limit.startswith("The lowest of")]
    completed = sum(trial.status == "completed" for trial in found.trials)
    assert completed < 24
    assert luck.startswith(f"The lowest of {completed} errors at full epochs, those that 24 became, is lucky")


def test_the_tables_alone_are_enough(tmp_path):
    path = plant(tmp_path / "results", Plan(search=GRID, model=TINY))
    for name in ("resolved.yaml", "search.yaml", "manifest.json", "events.jsonl"):
        (path / name).unlink()
    found = findings_of(path)
    assert found.answer.best is not None
    assert found.searches[0].adaptive is None
    assert "How the trials were chosen is not known" in " ".join(found.answer.limits)
    assert [note.partition(":")[0] for note in found.notes] == [
        "resolved.yaml",
        "manifest.json",
        "events.jsonl",
    ]
    plain(found)


@pytest.mark.parametrize("status", ["failed", "diverged", "running"])
def test_nothing_completed_is_said_and_nothing_is_called_best(tmp_path, status):
    ends = dict.fromkeys(range(4), (status, "boom"))
    found = findings_of(plant(tmp_path / "results", Plan(model=TINY, ends=ends)))
    told = plain(found)
    assert (told["best"], told["smallest_equivalent"]) == (None, None)
    assert line(found, "Winner").sentence == (
        f"Winner: no trial was trained to its last epoch (10 epochs): 4 {status}. So no network is called best."
    )
    assert line(found, "Depth, width").text.startswith(
        "what they do cannot be told, since at least 6 trials must"
    )
    assert told["counts"]["by_status"][status] == 4


def test_one_trial_is_the_best_of_itself(tmp_path):
    found = findings_of(plant(tmp_path / "results", Plan(model={"depth": 16, "widen_factor": 2})))
    assert found.answer.best.network == found.answer.smallest_equivalent.network == "WRN-16-2"
    assert line(found, "Smallest").text == "no network smaller than WRN-16-2 was trained to its end"
    assert found.importance.shares == {}
    plain(found)


def test_no_difference_is_told_without_its_interval(tmp_path):
    """Of four networks nothing is fitted, and the mean change from cell to cell had none."""
    found = findings_of(plant(tmp_path / "results", Plan(model=TINY, noise=0.0)))
    assert "cannot be told, since at least 6 trials must have learned something" in found.answer.sentences[0]
    assert "points" not in " ".join(found.answer.sentences)


def test_a_search_with_one_lucky_trial_and_a_repeated_grid_are_told_as_one(tmp_path):
    plan = Plan(name="adaptive", model=WITH_DROPOUT, search=TPE)
    a = plant(tmp_path / "a", plan)
    b = plant(tmp_path / "b", Plan(name="repeated", search=GRID))
    found = findings_of(a, b)
    assert found.title == "adaptive + repeated"
    assert found.counts.trials == len(found.trials) == 60
    assert "1 of 2 searches are adaptive" in " ".join(found.answer.limits)
    assert found.iso_params.searches == ("repeated",)
    full = [trial for trial in found.trials if trial.status == "completed"]
    assert {"adaptive", "repeated"} == {trial.search for trial in full}
    assert found.model.trials == 60


@pytest.mark.parametrize(("error", "warned"), [(85.0, True), (20.0, False)])
def test_a_best_network_near_chance_is_told_as_one(tmp_path, error, warned):
    results = plant(tmp_path / "planted", Plan(error=lambda leaves, num_params: error, noise=0.0))
    best = line(findings_of(results), "Winner").text
    assert best.startswith("WRN-")
    assert ("But it hardly learned: always answering the most frequent class has 90.00 %" in best) == warned


def test_the_smallest_as_good_is_the_verdicts(tmp_path):
    """One rule: who reads the key gets the network that the sentence names."""
    search = {"searcher": "random", "scheduler": "none", "trials": 40}
    found = findings_of(plant(tmp_path / "a", Plan(model=WITH_DROPOUT, search=search)))
    good = {cell.network for cell in found.model.cells if cell.standing == "as good"}
    assert found.model.at_end
    assert {each.network for each in found.answer.equivalents} <= good | {found.answer.best.network}
    smallest = min(
        (cell for cell in found.model.cells if cell.network in good), key=lambda cell: cell.num_params
    )
    assert found.answer.smallest_equivalent.num_params == min(
        smallest.num_params, found.answer.best.num_params
    )
