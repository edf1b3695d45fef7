"""A prior: its share of the configurations, around its values, evenly; the rest is proposed as without it."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytest

from tests.decisions.playing import conductor_of, new_record, play, space_of
from tests.space.spaces import complaints
from wrn_search.results.events_jsonl import Record
from wrn_search.searchers.draws_around_a_prior import CONFIDENCES, DrawsAroundPrior, around_prior
from wrn_search.searchers.searcher import Prior
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.space import Space

MODEL: dict[str, Any] = {"depth": {"choice": [10, 16, 22]}, "dropout": {"uniform": [0.0, 0.5]}}
TRAINING = {"epochs": 10, "weight_decay": {"loguniform": [1e-5, 1e-1]}}
BELIEF: dict[str, Any] = {"depth": 16, "dropout": 0.4, "weight_decay": 1e-3}
DRAWING = [name for name, kind in SEARCHERS.items() if not kind.needs_finite_space]


def believing(confidence: str = "high", **search: Any) -> Space:
    prior = BELIEF | {"confidence": confidence}
    return space_of(
        model=MODEL, training=TRAINING, search={"trials": 40, "searcher": "random", "prior": prior} | search
    )


def played(path: Path, space: Space, most: float = float("inf")) -> list[Any]:
    record = Record.open(path) if path.exists() else new_record(path, space)
    with record:
        conductor = conductor_of(space, record)
        play(conductor, lambda assignment, epoch: 60.0 - epoch + 30 * assignment.config.dropout, most)
        return list(conductor.state.trials.values())


@pytest.mark.parametrize(
    ("confidence", "count", "every"), [("low", 2, 20), ("medium", 4, 10), ("high", 6, 7)]
)
def test_its_share_is_spread_evenly_and_the_first_is_the_belief_itself(
    confidence: str, count: int, every: int
) -> None:
    space = believing(confidence)
    draws = DrawsAroundPrior(space.searched, space.trials)

    due = [configuration for configuration in range(40) if draws.is_due(configuration)]

    assert due == list(range(0, every * count, every))
    assert count == around_prior(space.searched.prior, 40) <= CONFIDENCES[confidence].share * 40
    assert draws.draw(0) == BELIEF


@pytest.mark.parametrize("name", DRAWING)
def test_all_else_is_proposed_as_without_it(name: str, tmp_path: Path) -> None:
    search = {"searcher": name, "scheduler": "none", "anchors": 0.0}
    with_it = played(tmp_path / "a", believing("high", **search))
    without = played(tmp_path / "b", believing("high", **search, prior=None))

    assert with_it[0].hparams == BELIEF
    same = [number for number in range(40) if with_it[number].hparams == without[number].hparams]
    if name == "random":
        assert same == [number for number in range(40) if number % 7]
    assert len({tuple(trial.hparams.values()) for trial in with_it}) == 40


def test_draws_lie_around_the_values_and_inside_the_domains() -> None:
    space = believing("high", trials=1000)
    draws = DrawsAroundPrior(space.searched, space.trials)
    found = [draws.draw(number) or {} for number in range(1000) if draws.is_due(number)]

    dropouts = [float(each["dropout"]) for each in found]
    assert len(found) == 143
    assert statistics.stdev(dropouts) == pytest.approx(
        0.1 * 0.5, rel=0.25
    )  # a tenth of the range, a little cut
    assert statistics.fmean(dropouts) == pytest.approx(0.4, abs=0.015)
    assert all(0 <= each <= 0.5 for each in dropouts)
    assert all(1e-5 <= float(each["weight_decay"]) <= 1e-1 for each in found)
    kept = sum(each["depth"] == 16 for each in found) / len(found)
    assert 0.82 <= kept <= 0.97


def test_what_it_leaves_open_is_drawn_from_the_whole_domain() -> None:
    space = believing(prior={"dropout": 0.4, "confidence": "high"}, trials=1000)
    draws = DrawsAroundPrior(space.searched, space.trials)
    depths = [(draws.draw(number) or {})["depth"] for number in range(1000) if draws.is_due(number)]

    assert min(depths.count(depth) for depth in (10, 16, 22)) > 30


def test_points_come_before_it_and_anchors_keep_their_places(tmp_path: Path) -> None:
    point = {"depth": 22, "dropout": 0.0, "weight_decay": 1e-4}
    trials = played(tmp_path / "e", believing(points=[point], anchors=0.5, anchor_epochs=1))

    assert trials[0].hparams == point
    anchors = [trial.number for trial in trials if trial.anchor]
    assert 18 <= len(anchors) <= 20
    assert trials[1].hparams == BELIEF or trials[1].anchor


@pytest.mark.parametrize("reports", [1, 33])
def test_a_killed_search_goes_on_as_if_nothing_had_happened(reports: int, tmp_path: Path) -> None:
    space = believing(searcher="tpe")
    unbroken = [trial.hparams for trial in played(tmp_path / "a", space)]
    played(tmp_path / "b", space, reports)

    assert [trial.hparams for trial in played(tmp_path / "b", space)] == unbroken


def test_networks_within_a_budget_can_be_believed_in(tmp_path: Path) -> None:
    space = space_of(
        model={"depth": {"int": [10, 40, 6]}, "widen_factor": {"uniform": [0.25, 4]}},
        constraints={"num_params": {"target": 1e5, "tolerance": "10%"}},
        search={"trials": 14, "searcher": "tpe", "prior": {"network": "WRN-22-0.625", "confidence": "high"}},
    )
    trials = played(tmp_path / "e", space)

    assert isinstance(space.searched.prior, Prior)
    assert trials[0].hparams == {"depth": 22, "widen_factor": 0.625}
    assert all(0.9e5 <= trial.num_params <= 1.1e5 for trial in trials)


@pytest.mark.parametrize(
    ("prior", "told"),
    [
        ("3", "must be a belief, such as {dropout: 0.3, confidence: medium}, but got 3"),
        ("{confidence: high}", "must tell a value of a key that is searched, but got {confidence: 'high'}"),
        ("{dropout: 0.3, confidence: very}", "confidence must be one of low, medium, high, but got 'very'"),
        ("{dropout: 0.7}", "dropout must lie in {uniform: [0.0, 0.5]}, but got 0.7"),
        ("{widen_factor: 1}", "must tell a value of a key that is searched, but got {widen_factor: 1.0, "),
        ("{dropot: 0.3}", "a configuration must be told by network, depth, "),
    ],
)
def test_a_wrong_prior_is_told_with_its_line(prior: str, told: str) -> None:
    (found,) = complaints(f"model: {{dropout: {{uniform: [0, 0.5]}}}}\nsearch:\n  prior: {prior}\n")

    assert found.startswith(f"s.yaml:3: search.prior: {told}")


def test_a_grid_has_no_use_for_it() -> None:
    text = "model: {depth: {choice: [10, 16]}}\nsearch:\n  searcher: grid\n  prior: {depth: 10}\n"

    (found,) = complaints(text)
    rule = "is for a searcher that draws, but got searcher: grid, which tries all points"
    assert found == f"s.yaml:4: search.prior: {rule}"
