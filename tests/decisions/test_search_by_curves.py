"""Searches whose searcher, scheduler or both go by the curves: who goes on, how they end, what kills change."""

from __future__ import annotations

import math
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.decisions.playing import (
    conductor_of,
    fates,
    goes_on_after_any_kill,
    play,
    played,
    space_of,
)
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.results.events import Paused, Stopped
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.space.space import Space

EPOCHS = 9
BY_CURVES = [
    ("curves", "curves"),
    ("curves", "asha"),
    ("random", "curves"),
    ("tpe", "curves"),
    ("curves", "none"),
]


def _space(trials: int = 14, searcher: str = "curves", scheduler: str = "curves", **search: object) -> Space:
    told = {"searcher": searcher, "scheduler": scheduler, "anchors": 0.0, "trials": trials}
    return space_of(training={"epochs": EPOCHS}, search={**told, **search})


def _curve(assignment: Assignment, epoch: int) -> float:
    """Percent: best at dropout 0.1, blurred by seed and epoch."""
    dropout = assignment.config.dropout
    blur = random.Random(f"{assignment.config.seed} {epoch}").gauss(0, 0.3)
    return max(0.0, 8 + 300 * (dropout - 0.1) ** 2 + 30 / epoch + blur)


def _played(path: Path, space: Space, curve: Callable = _curve, **options: int) -> Conductor:
    return played(path, space, curve, **options)


def test_levels_double_and_drops_of_the_learning_rate_are_among_them() -> None:
    assert rungs_of(_space()) == (
        1,
        2,
        3,
        5,
        7,
    )  # drops at 0.3, 0.6 and 0.8 of nine epochs, near which 4 and 8 lie
    cosine = space_of(training={"epochs": 20, "lr_schedule": "cosine"}, search={"scheduler": "curves"})
    assert rungs_of(cosine) == (1, 2, 4, 8)
    assert rungs_of(_space(rungs="geometric", grace_period=2, reduction_factor=2)) == (2, 4, 8)
    assert rungs_of(_space(rungs=[2, 5])) == (2, 5)


@pytest.mark.parametrize(("searcher", "scheduler"), BY_CURVES)
@pytest.mark.parametrize("workers", [1, 3])
def test_each_goes_with_the_others(tmp_path, searcher: str, scheduler: str, workers: int) -> None:
    space = _space(searcher=searcher, scheduler=scheduler)
    conductor = _played(tmp_path / "events.jsonl", space, concurrent=workers)
    trials = list(conductor.state.trials.values())
    assert len(trials) == 14
    assert {trial.status for trial in trials} <= {"completed", "stopped"}
    assert any(trial.status == "completed" for trial in trials)


def test_what_is_left_says_where_it_was_expected_to_end(tmp_path) -> None:
    path = tmp_path / "events.jsonl"
    conductor = _played(path, _space(20))
    trials = list(conductor.state.trials.values())
    completed = [trial for trial in trials if trial.status == "completed"]
    assert 1 <= len(completed) <= len(trials) / 2
    best = min(trials, key=lambda trial: abs(float(trial.hparams["dropout"]) - 0.1))
    nearest = min(completed, key=lambda trial: abs(float(trial.hparams["dropout"]) - 0.1))
    assert abs(float(nearest.hparams["dropout"]) - float(best.hparams["dropout"])) < 0.05
    stops = [event for _, event in read_events(path) if isinstance(event, Stopped)]
    assert stops
    for stop in stops:
        said = re.fullmatch(r"expected (.*) % at the end \((.*) to (.*)\), the best (.*) %", stop.reason)
        assert said is not None
        error, low, high, best_end = map(float, said.groups())
        assert low <= error <= high
        assert best_end <= error
    assert all("best use" in event.reason for _, event in read_events(path) if isinstance(event, Paused))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"repeats": 2, "trials": 6},
        {"searcher": "tpe", "trials": 12},
        {"scheduler": "asha", "rungs": [1, 3]},
        {"anchors": 0.25, "trials": 12},
    ],
)
def test_a_search_killed_at_any_event_goes_on_as_if_nothing_had_happened(tmp_path, options) -> None:
    space = _space(**{"trials": 11, **options})
    assert '"resumed"' in goes_on_after_any_kill(tmp_path, space, _curve, 13)


def test_another_process_decides_alike(tmp_path) -> None:
    program = (
        "from pathlib import Path; from tests.decisions.playing import fates\n"
        "from tests.decisions.test_search_by_curves import _played, _space\n"
        f"print(fates(_played(Path({str(tmp_path / 'there.jsonl')!r}), _space(12))))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == str(fates(_played(tmp_path / "here.jsonl", _space(12))))


@pytest.mark.parametrize("trials", [1, 2, 9])
@pytest.mark.parametrize("workers", [1, 4])
def test_however_few_there_are_one_comes_to_its_end(tmp_path, trials: int, workers: int) -> None:
    conductor = _played(tmp_path / "events.jsonl", _space(trials), concurrent=workers)
    ends = [trial.status for trial in conductor.state.trials.values()]
    assert len(ends) == trials
    assert "completed" in ends
    assert set(ends) <= {"completed", "stopped"}


def test_a_finite_space_runs_out(tmp_path) -> None:
    space = space_of(
        model={"depth": {"choice": [10, 16]}, "widen_factor": {"choice": [1, 2, 4]}, "init": "fan_in"},
        training={"epochs": EPOCHS},
        search={"searcher": "curves", "scheduler": "curves", "anchors": 0.0, "trials": 30},
    )
    conductor = _played(
        tmp_path / "events.jsonl",
        space,
        lambda assignment, epoch: 40 / epoch + assignment.config.architecture.depth,
    )
    ends = [trial.status for trial in conductor.state.trials.values()]
    assert len(ends) == 6
    assert "completed" in ends
    assert set(ends) <= {"completed", "stopped"}


def test_equal_errors_and_divergence(tmp_path) -> None:
    alike = _played(tmp_path / "alike.jsonl", _space(11), lambda assignment, epoch: 20.0)
    assert "completed" in [trial.status for trial in alike.state.trials.values()]
    lost = _played(tmp_path / "lost.jsonl", _space(11), lambda assignment, epoch: None)
    assert {trial.status for trial in lost.state.trials.values()} == {"diverged"}
    some = _played(
        tmp_path / "some.jsonl",
        _space(30),
        lambda assignment, epoch: None if assignment.config.dropout > 0.25 else _curve(assignment, epoch),
    )
    late = [float(trial.hparams["dropout"]) for trial in list(some.state.trials.values())[12:]]
    assert sum(dropout > 0.25 for dropout in late) < len(late) / 3  # it learns where they diverge


def test_repeats_rest_and_go_on_together(tmp_path) -> None:
    conductor = _played(tmp_path / "events.jsonl", _space(5, repeats=3), concurrent=2)
    for first in range(0, 15, 3):
        repeats = conductor.state.repeats_of(first)
        assert len({(trial.status, trial.epochs_done) for trial in repeats}) == 1


def _tradeoff(trials: int = 14, **search: object) -> Space:
    """Depth against width, and dropout."""
    told = {"searcher": "curves", "scheduler": "curves", "goal": "tradeoff", "anchors": 0.0, "trials": trials}
    return space_of(
        model={
            "depth": {"choice": [10, 16, 22]},
            "widen_factor": {"choice": [1, 2, 4]},
            "dropout": {"uniform": [0.0, 0.5]},
        },
        training={"epochs": EPOCHS},
        search={**told, **search},
    )


def _wider_is_better(assignment: Assignment, epoch: int) -> float:
    """Percent."""
    network = assignment.config.architecture
    blur = random.Random(f"{assignment.config.seed} {epoch}").gauss(0, 0.5)
    return max(0.5, 30 - 6 * math.log2(network.widen_factor) + 20 / epoch + blur)


@pytest.mark.parametrize(
    "options",
    [{}, {"repeats": 2, "trials": 5}, {"searcher": "tpe"}, {"scheduler": "asha", "rungs": [1, 3]}],
)
def test_a_search_for_the_tradeoff_goes_on_after_a_kill(tmp_path, options) -> None:
    space = _tradeoff(**{"trials": 11, **options})
    whole = _played(tmp_path / "whole.jsonl", space, _wider_is_better)
    ends = [trial.status for trial in whole.state.trials.values()]
    assert "completed" in ends
    assert set(ends) <= {"completed", "stopped"}
    lines = (tmp_path / "whole.jsonl").read_text().splitlines(keepends=True)
    for kept in (len(lines) // 3, 2 * len(lines) // 3):
        cut = tmp_path / f"{kept}.jsonl"
        cut.write_text("".join(lines[:kept]))
        resumed = conductor_of(space, Record.open(cut))
        play(resumed, _wider_is_better)
        assert fates(resumed) == fates(whole), kept


def test_what_a_search_for_the_tradeoff_leaves_says_the_answer(tmp_path) -> None:
    path = tmp_path / "events.jsonl"
    conductor = _played(path, _tradeoff(30), _wider_is_better, concurrent=2)
    stops = [event for _, event in read_events(path) if isinstance(event, Stopped)]
    assert stops
    for stop in stops:
        said = re.match(
            r"depth against width multiplies the odds by (.*) \((.*) to (.*)\) at equal", stop.reason
        )
        assert said is not None
        effect, low, high = map(float, said.groups())
        assert 1 < low <= effect <= high  # it was settled, and rightly
    spent = sum(trial.epochs_done for trial in conductor.state.trials.values())
    assert spent < 30 * EPOCHS * 2 / 3


def test_an_anchor_never_rests(tmp_path) -> None:
    path = tmp_path / "events.jsonl"
    conductor = _played(path, _space(20, anchors=0.2))
    anchors = {trial.number for trial in conductor.state.trials.values() if trial.anchor}
    rested = {event.number for _, event in read_events(path) if isinstance(event, Paused)}
    assert anchors
    assert not anchors & rested
    assert all(conductor.state.trials[number].status == "completed" for number in anchors)


def test_it_spends_its_epochs_where_the_best_ones_are(tmp_path) -> None:
    """Beside random search with as many trials, more of its epochs go to the best third of the space."""

    def share(searcher: str, scheduler: str) -> float:
        spent = [
            (abs(float(trial.hparams["dropout"]) - 0.1) < 1 / 12, trial.epochs_done)
            for seed in range(3)
            for trial in _played(
                tmp_path / f"{searcher}{scheduler}{seed}.jsonl",
                _space(24, searcher=searcher, scheduler=scheduler, seed=seed),
            ).state.trials.values()
        ]
        return sum(epochs for good, epochs in spent if good) / sum(epochs for _, epochs in spent)

    assert share("curves", "curves") > 1.3 * share("random", "none")
