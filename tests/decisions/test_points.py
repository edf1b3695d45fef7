"""Points of the file: tried first and in order, by every searcher, over sessions; a list alone is the whole space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.decisions.playing import conductor_of, new_record, play, space_of
from wrn_search.results.events_jsonl import Record
from wrn_search.results.table_writer import trials_table
from wrn_search.results.trial_selection import name_of
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.space import Space
from wrn_search.space.trials_of_other_spaces import hparams_within

POINTS = [{"depth": 16, "dropout": 0.25}, {"depth": 10}, {"depth": 22, "dropout": 0.5}]
MODEL = {"depth": {"choice": [10, 16, 22]}, "dropout": {"uniform": [0.0, 0.5]}}
NAMES = [name for name, kind in SEARCHERS.items() if not kind.needs_finite_space]


def falling(assignment: Any, epoch: int) -> float:
    return 50.0 - epoch + assignment.config.dropout


def played(path: Path, space: Space, most_reports: float = float("inf")) -> list[dict[str, Any]]:
    """What was proposed, in order, and in how many sessions so ever."""
    record = Record.open(path) if path.exists() else new_record(path, space)
    with record:
        conductor = conductor_of(space, record)
        play(conductor, falling, most_reports)
        return [trial.hparams for trial in conductor.state.trials.values()]


@pytest.mark.parametrize("name", NAMES)
def test_points_come_first_and_in_their_order(name: str, tmp_path: Path) -> None:
    search = {"searcher": name, "scheduler": "none", "trials": 12, "points": POINTS}
    tried = played(tmp_path / "e", space_of(model=MODEL, search=search))

    assert tried[0] == POINTS[0]
    assert tried[1]["depth"] == 10
    assert 0 <= tried[1]["dropout"] <= 0.5  # drawn, as the point leaves it open
    assert tried[2] == POINTS[2]
    assert len(tried) == 12


@pytest.mark.parametrize("reports", [1, 15, 25, 40])
def test_a_search_that_was_killed_goes_on_with_the_points_that_are_left(reports: int, tmp_path: Path) -> None:
    space = space_of(model=MODEL, search={"searcher": "tpe", "trials": 9, "points": POINTS, "anchors": 0.3})
    unbroken = played(tmp_path / "a", space)
    played(tmp_path / "b", space, reports)

    assert played(tmp_path / "b", space) == unbroken


def test_a_longer_list_is_tried_next(tmp_path: Path) -> None:
    search = {"searcher": "random", "scheduler": "none", "trials": 3, "points": POINTS[:1]}
    first = played(tmp_path / "e", space_of(model=MODEL, search=search))
    longer = played(tmp_path / "e", space_of(model=MODEL, search=search | {"points": POINTS, "trials": 6}))

    assert longer[:3] == first
    assert (longer[3]["depth"], longer[4]) == (10, POINTS[2])


def test_points_are_no_anchors_and_anchors_come_after_them(tmp_path: Path) -> None:
    search = {"searcher": "random", "trials": 23, "points": POINTS, "anchors": 0.5, "anchor_epochs": 1}
    space = space_of(model=MODEL, search=search)
    with new_record(tmp_path / "e", space) as record:
        conductor = conductor_of(space, record)
        play(conductor, falling)
        anchors = [number for number, trial in conductor.state.trials.items() if trial.anchor]

    assert len(anchors) == 10
    assert min(anchors) >= 3


def test_points_of_a_grid_come_first_and_nothing_comes_twice(tmp_path: Path) -> None:
    model = {"depth": {"choice": [10, 16]}, "widen_factor": {"choice": [1, 2]}}
    points = [{"depth": 16, "widen_factor": 2}, {"widen_factor": 1}]
    tried = played(tmp_path / "e", space_of(model=model, search={"searcher": "grid", "points": points}))

    assert tried[0] == {"depth": 16, "widen_factor": 2.0}
    assert tried[1]["widen_factor"] == 1.0
    assert len(tried) == len({tuple(each.values()) for each in tried}) == 4


@pytest.mark.parametrize("name", SEARCHERS)
def test_a_list_alone_is_exactly_what_is_tried_with_repeats(name: str, tmp_path: Path) -> None:
    points = [{"network": "WRN-16-2", "dropout": 0.3}, {"depth": 10}, {"depth": 10, "weight_decay": 0}]
    space = space_of(model={}, search={"searcher": name, "scheduler": "none", "repeats": 2, "points": points})
    with new_record(tmp_path / "e", space) as record:
        conductor = conductor_of(space, record)
        play(conductor, falling)
        configs = [trial.config for trial in conductor.state.trials.values()]
        reason = conductor.end_reason

    keys = ("depth", "widen_factor", "dropout", "weight_decay")
    told = [tuple(config[key] for key in keys) for config in configs]
    assert told[::2] == told[1::2] == [(16, 2.0, 0.3, 5e-4), (10, 1.0, 0.0, 5e-4), (10, 1.0, 0.0, 0.0)]
    assert len({config["seed"] for config in configs}) == 6
    assert reason is not None


def test_listed_networks_are_tried_alone_and_recorded_in_the_ordinary_columns(tmp_path: Path) -> None:
    model = {"network": ["WRN-10-1.125", "WRN-16-0.75"], "dropout": {"uniform": [0.0, 0.5]}}
    space = space_of(model=model, search={"searcher": "tpe", "trials": 20})
    tried = played(tmp_path / "e", space)

    assert {(each["depth"], each["widen_factor"]) for each in tried} == {(10, 1.125), (16, 0.75)}
    assert list(tried[0]) == ["depth", "widen_factor", "dropout"]


def test_what_an_optimiser_does_not_have_is_left_out_of_its_points(tmp_path: Path) -> None:
    """Null in the record and the tables, and no part of the name, as of a hyperparameter that does not apply."""
    points = [{"optimizer": "sgd", "nesterov": False}, {"optimizer": "adamw", "beta1": 0.8}]
    search = {"searcher": "grid", "scheduler": "none", "points": points}
    space = space_of(model={"depth": 10}, search=search)
    path = tmp_path / "e"
    with new_record(path, space) as record:
        conductor = conductor_of(space, record)
        play(conductor, falling)
        sgd, adamw = conductor.state.trials.values()
    assert (sgd.hparams["nesterov"], sgd.hparams["beta1"]) == (False, None)
    assert (adamw.hparams["nesterov"], adamw.hparams["beta1"]) == (None, 0.8)
    assert (adamw.config["nesterov"], sgd.config["beta1"]) == (True, 0.9)  # trained with the defaults
    assert name_of(sgd).endswith("_sgd_nesterov-False")
    assert name_of(adamw).endswith("_adamw_b1-0.8")
    told = [hparams_within(space, trial.config) for trial in (sgd, adamw)]
    assert told == [sgd.hparams, adamw.hparams], "a record is read back as it was proposed"
    table = trials_table(conductor.state)
    assert table["nesterov"].to_pylist() == [False, None]
    assert played(path, space) == told, "nothing is left to be tried when it is resumed"


def test_points_may_leave_off_what_others_have(tmp_path: Path) -> None:
    points = [{"clip_norm": 1.0}, {"depth": 16}, {"clip_norm": 0}]
    search = {"searcher": "grid", "scheduler": "none", "points": points}
    space = space_of(model={"depth": 10}, search=search)
    tried = played(tmp_path / "e", space)
    assert [each["clip_norm"] for each in tried] == [1.0, 0.0, 0.0]
    assert [each["clip_norm"] for each in played(tmp_path / "e", space)] == [1.0, 0.0, 0.0]
