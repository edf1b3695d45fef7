"""Every scheduler through one script: divergence, ties, few trials, repeats, kills, anchors, another one on resume."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.decisions.playing import (
    FACTS,
    conductor_of,
    goes_on_after_any_kill,
    new_record,
    play,
    played,
    space_of,
)
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.forecast.played_search import forecast
from wrn_search.results.events_jsonl import Record
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.space.space import Space

EPOCHS = 9
STOPPING = [name for name, kind in SCHEDULERS.items() if kind.stops_trials]
EVERY = pytest.mark.parametrize("name", SCHEDULERS)


def _space(name: str, trials: int = 14, **search: object) -> Space:
    common = {"searcher": "random", "rungs": [1, 3], "grace_period": 1, "anchors": 0.0, "trials": trials}
    return space_of(training={"epochs": EPOCHS}, search={**common, "scheduler": name, **search})


def _curve(assignment: Assignment, epoch: int) -> float:
    """Falls towards an end that the order of arrival says nothing of."""
    return 5 + 60 * random.Random(assignment.number).random() + 20 / epoch


def _played(path: Path, space: Space, curve: Callable = _curve, **options: int) -> Conductor:
    return played(path, space, curve, **options)


def _ends(conductor: Conductor) -> list[str]:
    return [trial.status for trial in conductor.state.trials.values()]


@EVERY
@pytest.mark.parametrize("trials", [1, 2, 5])
@pytest.mark.parametrize("workers", [1, 4])
def test_however_few_there_are_one_comes_to_its_end(
    tmp_path: Path, name: str, trials: int, workers: int
) -> None:
    ends = _ends(_played(tmp_path / "e", _space(name, trials), concurrent=workers))

    assert "completed" in ends
    assert set(ends) <= {"completed", "stopped"}
    assert len(ends) == trials


@EVERY
def test_equal_errors_stop_nobody_for_ever_and_leave_one_at_the_end(tmp_path: Path, name: str) -> None:
    ends = _ends(_played(tmp_path / "e", _space(name), lambda assignment, epoch: 20.0))

    assert "completed" in ends
    assert set(ends) <= {"completed", "stopped"}


@EVERY
def test_all_may_diverge_and_some_may(tmp_path: Path, name: str) -> None:
    def some(assignment: Assignment, epoch: int) -> float | None:
        return None if assignment.number % 3 == 0 and epoch == 2 else _curve(assignment, epoch)

    assert set(_ends(_played(tmp_path / "all", _space(name), lambda assignment, epoch: None))) == {"diverged"}
    ends = _ends(_played(tmp_path / "some", _space(name), some))
    assert "completed" in ends
    assert {"completed", "diverged"} <= set(ends) <= {"completed", "stopped", "diverged"}


@EVERY
def test_repeats_go_on_or_end_together(tmp_path: Path, name: str) -> None:
    conductor = _played(tmp_path / "e", _space(name, 9, repeats=3), concurrent=2)

    for first in range(0, 27, 3):
        repeats = conductor.state.repeats_of(first)
        assert len({(trial.status, trial.epochs_done) for trial in repeats}) == 1


@pytest.mark.parametrize("name", STOPPING)
def test_some_are_stopped_and_not_by_the_order_of_their_numbers(tmp_path: Path, name: str) -> None:
    trials = _played(tmp_path / "e", _space(name, 40, min_samples=3)).state.trials.values()
    ended = [trial for trial in trials if trial.status == "completed"]
    stopped = [trial for trial in trials if trial.status == "stopped"]

    assert len(ended) >= 2
    assert len(stopped) >= 5
    assert {trial.rung for trial in stopped} <= {1, 3}
    mean = [sum(trial.last.val_error for trial in each) / len(each) for each in (ended, stopped)]
    assert mean[0] < mean[1] - 10


@pytest.mark.parametrize("name", STOPPING)
def test_an_anchor_is_never_stopped(tmp_path: Path, name: str) -> None:
    trials = _played(
        tmp_path / "e", _space(name, 20, anchors=0.3, anchor_epochs=1), lambda a, e: 20.0 + a.number
    ).state.trials
    anchors = [trial for trial in trials.values() if trial.anchor]

    assert len(anchors) >= 5
    assert all(trial.status == "completed" for trial in anchors)


@EVERY
@pytest.mark.parametrize(
    "options", [{}, {"repeats": 2, "trials": 8}, {"promote": False}, {"searcher": "nsga2"}]
)
def test_a_search_killed_at_any_event_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, name: str, options: dict[str, object]
) -> None:
    space = _space(name, **options)  # type: ignore[arg-type]
    goes_on_after_any_kill(tmp_path, space, _curve, 5)


@EVERY
@pytest.mark.parametrize("reports", [3, 12, 25])
def test_a_search_with_another_scheduler_goes_on_with_this_one(
    tmp_path: Path, name: str, reports: int
) -> None:
    for other in SCHEDULERS:
        path, before = tmp_path / f"{other}.jsonl", _space(other, 6)
        with new_record(path, before) as record:
            play(conductor_of(before, record, concurrent=2), _curve, most_reports=reports)
        with Record.open(path) as record:
            conductor = conductor_of(_space(name, 12), record, concurrent=2)
            play(conductor, _curve)
        assert len(_ends(conductor)) == 12
        assert "completed" in _ends(conductor)
        assert set(_ends(conductor)) <= {"completed", "stopped"}


@EVERY
def test_what_it_will_cost_is_foretold_from_a_play(name: str) -> None:
    space = _space(name, 30)
    found = forecast(space, FACTS, 30, Allotment(2, 1, 0.0), None)

    assert found is not None
    assert 1 <= found.completed <= 30
    assert (found.epochs_share == 1) == (name == "none")


def test_rungs_before_the_grace_period_are_none_of_the_medians() -> None:
    by_name = {
        name: rungs_of(_space(name, rungs="schedule", grace_period=4))
        for name in ("asha", "hyperband", "median")
    }
    assert by_name == {"asha": (3, 5, 7), "hyperband": (3, 5, 7), "median": (5, 7)}
