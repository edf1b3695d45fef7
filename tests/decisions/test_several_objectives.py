"""Searches with several objectives through the conductor: kills, divergence, ties, few trials, budgets, repeats."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.decisions.playing import (
    FACTS,
    goes_on_after_any_kill,
    played,
    space_of,
)
from wrn_search.decisions.outcome_of_repeats import outcome_of_trials
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.objectives.dominance import is_on_front
from wrn_search.results.trial_selection import front_of
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.searchers.searcher import Full, Pruned
from wrn_search.space.space import Space

TWO = ["val_error", "num_params"]
ABLE = [name for name, kind in SCHEDULERS.items() if kind.takes_several_objectives]


def _space(scheduler: str, trials: int = 14, objectives: list[str] = TWO, **search: object) -> Space:
    return space_of(
        model={"depth": {"choice": [10, 16]}, "widen_factor": {"uniform": [0.5, 4.0]}},
        training={"epochs": 9},
        objectives=objectives,
        resources={"concurrent": 1},
        search={
            **{"searcher": "tpe", "rungs": [1, 3], "grace_period": 1, "anchors": 0.0, "trials": trials},
            **{"scheduler": scheduler, **search},
        },
    )


def _curve(assignment: Assignment, epoch: int) -> float:
    """Wider networks are better, by some luck."""
    width = assignment.config.widen_factor
    return 10 + 30 / width + 15 * random.Random(assignment.number).random() + 20 / epoch


def _sizes(conductor: Conductor, status: str) -> list[int]:
    return [each.num_params for each in conductor.state.trials.values() if each.status == status]


@pytest.mark.parametrize("name", ABLE)
@pytest.mark.parametrize("options", [{}, {"searcher": "nsga2", "repeats": 2, "trials": 7}])
def test_a_search_killed_at_any_event_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, name: str, options: dict[str, object]
) -> None:
    space = _space(name, **options)  # type: ignore[arg-type]
    goes_on_after_any_kill(tmp_path, space, _curve, 31)


@pytest.mark.parametrize("name", ABLE)
@pytest.mark.parametrize("trials", [1, 2])
def test_however_few_there_are_one_comes_to_its_end(tmp_path: Path, name: str, trials: int) -> None:
    assert _sizes(played(tmp_path / "e", _space(name, trials), _curve), "completed")


@pytest.mark.parametrize("name", ABLE)
def test_all_may_diverge_and_all_may_tie(tmp_path: Path, name: str) -> None:
    diverged = played(tmp_path / "d", _space(name, 6), lambda assignment, epoch: None)
    assert len(_sizes(diverged, "diverged")) == 6
    assert front_of(diverged.state, TWO) == []
    tied = played(tmp_path / "t", _space(name, 8), lambda assignment, epoch: 20.0)
    assert _sizes(tied, "completed")
    assert len(front_of(tied.state, TWO)) == 1  # the smallest of those with equal errors


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_small_networks_come_to_their_ends_that_a_search_for_the_error_alone_stops(
    tmp_path: Path, name: str
) -> None:
    space = {"searcher": "random", "trials": 30}
    both = played(tmp_path / "both", _space(name, **space), _curve)  # type: ignore[arg-type]
    alone = played(tmp_path / "alone", _space(name, objectives=["val_error"], **space), _curve)  # type: ignore[arg-type]

    assert min(_sizes(both, "completed")) < min(_sizes(alone, "completed"))
    assert _sizes(both, "stopped")
    values = [found for _, found in front_of(both.state, TWO)]
    assert all(is_on_front(values))
    assert [error for error, _ in values] == sorted(error for error, _ in values)


def test_seconds_are_those_of_the_epochs_so_far(tmp_path: Path) -> None:
    space = _space("asha", 6, ["val_error", "seconds_per_epoch"])
    conductor = played(tmp_path / "e", space, _curve)
    trial = next(each for each in conductor.state.trials.values() if each.status == "completed")

    assert trial.cost("seconds_per_epoch") == 0.5
    assert outcome_of_trials([trial], FACTS.chance_error, space.costs) == Full(
        trial.last.val_error, (trial.last.val_error, pytest.approx(-0.693147, abs=1e-5))
    )


def test_what_was_stopped_has_the_values_of_its_last_epoch_and_what_guesses_none(tmp_path: Path) -> None:
    conductor = played(tmp_path / "e", _space("asha"), _curve)
    stopped = next(each for each in conductor.state.trials.values() if each.status == "stopped")
    told = outcome_of_trials([stopped], 90.0, ["num_params"])
    assert isinstance(told, Pruned)
    assert told.values[0] == told.curve[max(told.curve)]
    guessing = outcome_of_trials([stopped], 1.0, ["num_params"])
    assert isinstance(guessing, Pruned)
    assert guessing.values == (float("inf"), float("inf"))
    assert outcome_of_trials([stopped], 90.0) == Pruned(told.curve)


@pytest.mark.parametrize("name", ABLE)
def test_a_budget_is_kept(tmp_path: Path, name: str) -> None:
    conductor = played(tmp_path / "e", _space(name, 40, budget={"epochs": 45}), _curve)

    assert sum(each.epochs_done for each in conductor.state.trials.values()) <= 45
    assert _sizes(conductor, "completed")
