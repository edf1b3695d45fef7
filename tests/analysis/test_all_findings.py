"""Findings of whole directories: the answer in words, its limits, JSON, and every state a search can be found in."""

from __future__ import annotations

import json
import math

import pytest

from tests.analysis.planted import WITH_DROPOUT, Plan, plant, power_law
from wrn_search.analysis.all_findings import findings_of, to_json

KEYS = [
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


def test_a_repeated_grid_answers_in_three_sentences(grid):
    best, smallest, bought = grid.answer.sentences
    assert "The best network is WRN-" in best
    assert "over 3 seeds" in best
    assert "chosen from the 16 configurations with repeats" in best
    assert "binomial error of 5,000 validation images and a pooled deviation of 0." in smallest
    assert "Each doubling of the parameters changed the error by -" in bought
    assert "95 % interval" in bought
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
    assert {"value", "n", "stopped", "failed", "median", "low", "high", "seconds_per_epoch"} <= set(
        told["cells"][0]
    )
    assert told["iso_params"]["interval"] == list(grid.iso_params.interval)
    assert [front["cost"] for front in told["pareto"]["fronts"]] == [
        "num_params",
        "macs",
        "seconds_per_epoch",
    ]
    assert set(told["importance"]["shares"]) == {"depth", "widen_factor"}
    assert told["provenance"][0]["seed"] == 0


@pytest.mark.parametrize(("slope", "verdict"), [(0.6, "width is worth more"), (-0.6, "depth is worth more")])
def test_the_sentence_names_the_dimension_that_was_planted(tmp_path, slope, verdict):
    def law(leaves, weights):
        return 10 + power_law(leaves, weights) + slope * math.log2(leaves["depth"] / leaves["widen_factor"])

    found = findings_of(plant(tmp_path / "results", Plan(search=GRID, error=law)))
    assert verdict in found.answer.sentences[2]
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
    assert found.answer.sentences[0] == (
        f"No trial was trained to its last epoch (10 epochs): 4 {status}. So no network is called best."
    )
    assert told["counts"]["by_status"][status] == 4


def test_one_trial_is_the_best_of_itself(tmp_path):
    found = findings_of(plant(tmp_path / "results", Plan(model={"depth": 16, "widen_factor": 2})))
    assert found.answer.best.network == found.answer.smallest_equivalent.network == "WRN-16-2"
    assert found.answer.sentences[1].startswith("No smaller network comes so close")
    assert found.importance.shares == {}
    plain(found)


def test_four_networks_are_compared_with_their_neighbours(tmp_path):
    found = findings_of(plant(tmp_path / "results", Plan(model=TINY, noise=0.0)))
    last = found.answer.sentences[2]
    assert "cannot be fitted: at least 5 networks" in last
    assert "the next depth changed the lowest error by -" in last
    assert "(2 pairs of cells" in last


def test_two_searches_are_told_as_one_and_the_repeated_one_decides(tmp_path):
    lucky = Plan(name="lucky", model=WITH_DROPOUT, search=TPE, error=lambda leaves, weights: 1.0)
    a = plant(tmp_path / "a", lucky)
    b = plant(tmp_path / "b", Plan(name="repeated", search=GRID))
    found = findings_of(a, b)
    assert found.title == "lucky + repeated"
    assert found.trials[found.answer.best.trial].search == "repeated"
    assert found.counts.trials == len(found.trials) == 60
    assert "1 of 2 searches are adaptive" in " ".join(found.answer.limits)
    assert found.iso_params.searches == ("repeated",)


@pytest.mark.parametrize(("error", "warned"), [(85.0, True), (20.0, False)])
def test_a_best_network_near_chance_is_told_as_one(tmp_path, error, warned):
    results = plant(tmp_path / "planted", Plan(error=lambda leaves, num_params: error, noise=0.0))
    (best, *_) = findings_of(results).answer.sentences
    assert best.startswith("The best network is ")
    assert ("But it hardly learned: always answering the most frequent class has 90.00 %" in best) == warned
