"""A search that goes on in another space: what it learned stays, old trials stay, and nothing is tried twice."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from tests.decisions.playing import conductor_of, new_record, play, space_of
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.space.space import Space

SEARCH = {"trials": 12, "scheduler": "none"}


def _bowl(assignment: Assignment, epoch: int) -> float:
    return 10 + 100 * abs(assignment.config.dropout - 0.1) + assignment.config.depth / 10


def _first(path: Path, space: Space) -> SearchState:
    with new_record(path, space) as record:
        play(conductor_of(space, record), _bowl)
    return fold(read_events(path))


def _then(path: Path, space: Space, most_reports: float = float("inf")) -> SearchState:
    with Record.open(path) as record:
        play(conductor_of(space, record), _bowl, most_reports)
    return fold(read_events(path))


@pytest.mark.parametrize("searcher", ["random", "tpe"])
@pytest.mark.parametrize(
    "dropout", [{"uniform": [0.2, 0.3]}, {"uniform": [0.0, 0.9]}, {"choice": [0.0, 0.4]}, 0.25]
)
def test_old_trials_stay_and_new_ones_lie_in_the_new_space(tmp_path, searcher, dropout) -> None:
    path = tmp_path / "events.jsonl"
    before = _first(path, space_of(search=SEARCH | {"searcher": searcher}))
    depth = {"choice": [10, 16, 22]}
    space = space_of(model={"depth": depth, "dropout": dropout}, search={"trials": 14, "searcher": searcher})
    after = _then(path, space)
    assert [after.trials[number].trial_id for number in range(12)] == [
        before.trials[number].trial_id for number in range(12)
    ]
    new = [after.trials[number] for number in range(12, len(after.trials))]
    assert len(new) == 2
    for trial in new:
        match dropout:
            case {"uniform": [low, high]}:
                assert low <= trial.config["dropout"] <= high
            case {"choice": options}:
                assert trial.config["dropout"] in options
            case _:
                assert trial.config["dropout"] == dropout
        assert trial.config["depth"] in depth["choice"]
        assert list(trial.hparams) == list(space.hyperparameters)


def test_what_was_learned_counts_in_another_space(tmp_path) -> None:
    """TPE that has seen the bowl goes on near its bottom; one that begins anew draws anywhere first."""
    near = []
    for seed in range(6):
        path = tmp_path / f"{seed}.jsonl"
        search = {"scheduler": "none", "searcher": "tpe", "seed": seed}
        _first(path, space_of(search=search | {"trials": 30}))
        narrow = space_of(
            model={"depth": 10, "dropout": {"uniform": [0.0, 0.4]}}, search=search | {"trials": 34}
        )
        new = [trial for trial in _then(path, narrow).trials.values() if trial.number >= 30]
        near += [abs(trial.config["dropout"] - 0.1) for trial in new]
    assert sorted(near)[len(near) // 2] < 0.04  # a draw from 0 to 0.4 lies as near in 20 of 100 cases


def test_a_grid_that_grows_is_finished_without_trying_a_point_twice(tmp_path) -> None:
    path = tmp_path / "events.jsonl"
    small = space_of(
        model={"depth": {"choice": [10, 22]}, "dropout": {"choice": [0.0, 0.3]}},
        search={"searcher": "grid", "scheduler": "none"},
    )
    large = space_of(
        model={"depth": {"choice": [10, 16, 22]}, "dropout": {"choice": [0.0, 0.1, 0.3]}},
        search={"searcher": "grid", "scheduler": "none"},
    )
    assert len(_first(path, small).trials) == 4
    trials = list(_then(path, large).trials.values())
    points = [(trial.config["depth"], trial.config["dropout"]) for trial in trials]
    assert sorted(points) == sorted(product([10, 16, 22], [0.0, 0.1, 0.3]))
    assert points[4:] == [
        point for point in product([10, 16, 22], [0.0, 0.1, 0.3]) if point not in points[:4]
    ]


def test_repeats_that_are_due_are_trained_as_their_first_one_was(tmp_path) -> None:
    path = tmp_path / "events.jsonl"
    search = {"trials": 3, "repeats": 2, "scheduler": "none", "searcher": "random"}
    old = space_of(search=search)
    with new_record(path, old) as record:
        play(conductor_of(old, record), _bowl, most_reports=25)  # of the third trial: one repeat is due
    new = space_of(
        model={"depth": 16, "dropout": {"uniform": [0.6, 0.7]}},
        search=search | {"trials": 4, "searcher": "tpe"},
    )
    trials = _then(path, new).trials
    assert len(trials) == 8
    assert trials[3].config == trials[2].config | {"seed": trials[3].config["seed"]}
    assert {trials[number].config["depth"] for number in range(4)} == {10}
    assert {trials[number].config["depth"] for number in range(4, 8)} == {16}


def test_a_wider_space_that_is_killed_and_resumed_proposes_what_it_would_have(tmp_path) -> None:
    wide = space_of(
        model={"depth": 10, "dropout": {"uniform": [0.0, 0.9]}}, search={"trials": 18, "searcher": "tpe"}
    )
    proposals = []
    for name, breaks in (("whole", []), ("broken", [7, 9, 16])):
        path = tmp_path / f"{name}.jsonl"
        _first(path, space_of(search=SEARCH | {"searcher": "tpe"}))
        for reports in breaks:
            _then(path, wide, most_reports=reports)
        proposals.append([trial.hparams for trial in _then(path, wide).trials.values()])
    assert proposals[0] == proposals[1]
