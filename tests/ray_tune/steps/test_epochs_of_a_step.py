"""Several short epochs in a step of Ray: how many they are, and that nothing else depends on it."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ray.tune.schedulers import TrialScheduler

from tests.decisions.playing import conductor_of, metrics, new_record, space_of
from tests.ray_tune.test_trainable import assignment_of, epochs_of, trainable_of
from tests.training.trainings import config_of, learned
from wrn_search.ray_tune.steps.epochs_of_a_step import SECONDS, goes_on, seconds_of_a_step, told_of_steps
from wrn_search.ray_tune.trainable import earlier_epochs, metrics_of
from wrn_search.ray_tune.tune_adapter import ConductorScheduler, ConductorSearcher
from wrn_search.results.events import Paused, Proposed, Reported, Stopped
from wrn_search.results.events_jsonl import read_events

ROOT = Path(__file__).resolve().parents[3]
EPOCHS = config_of().epochs
LONG = 3600.0  # seconds: no step is ended by its time


def _lengths(took: float, ends: set[int], most: float) -> list[int]:
    """Epochs of each step of a training whose epochs all take as long."""
    lengths, passed, length = [], 0.0, 0
    for epoch in range(1, max(ends) + 1):
        passed, length = passed + took, length + 1
        if not goes_on(epoch, ends, passed=passed, took=took, most=most):
            lengths.append(length)
            passed, length = 0.0, 0
    assert length == 0, "the last epoch ends a step"
    return lengths


def test_a_step_takes_no_longer_than_told_and_ends_at_rungs() -> None:
    assert _lengths(0.2, {12}, 1.0) == [5, 5, 2]
    assert _lengths(0.2, {3, 7, 12}, 1.0) == [3, 4, 5]
    assert _lengths(0.51, {4}, 1.0) == [1, 1, 1, 1], "the next one would end after a second"
    assert _lengths(1 / 64, {256}, 1.0) == [64] * 4
    assert _lengths(0.2, {3}, 0.0) == [1, 1, 1]
    assert not goes_on(1, (), passed=0.0, took=0.0, most=1.0)


def test_the_seconds_of_a_step_are_those_of_the_environment_and_never_more_than_an_epoch_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(SECONDS, raising=False)
    assert told_of_steps(None, paid=True) == {"epoch_seconds": None, "step_seconds": 1.0}
    assert told_of_steps(0.25, paid=True) == {"epoch_seconds": 0.25, "step_seconds": 0.25}
    assert told_of_steps(0.25, paid=False) == {"epoch_seconds": 0.25, "step_seconds": 0.0}
    for text, seconds in (("0", 0.0), ("2.5", 2.5), ("-1", 1.0), ("nan", 1.0), ("soon", 1.0)):
        monkeypatch.setenv(SECONDS, text)
        assert seconds_of_a_step() == seconds, text


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, float]]:
    """What each epoch learns when each is a step."""
    return epochs_of(trainable_of(assignment_of(tmp_path_factory.mktemp("straight") / "trial.pt")), EPOCHS)


def _in_steps(assignment: dict[str, Any]) -> list[list[dict[str, float]]]:
    """What the epochs of each step learn, until the last one."""
    trainable = trainable_of(assignment)
    steps: list[list[dict[str, float]]] = []
    while not steps or len([each for step in steps for each in step]) < EPOCHS - assignment["epochs_done"]:
        result = trainable.step()
        own = [*earlier_epochs(result), (metrics_of(result), 0.0)]
        agos = [ago for _, ago in own]
        assert agos == sorted(agos, reverse=True), "each ended after the one before"
        steps.append([learned(each) for each, _ in own])
    return steps


@pytest.mark.parametrize(("rungs", "lengths"), [((), [EPOCHS]), ((1,), [1, EPOCHS - 1])])
def test_every_epoch_of_a_step_is_told_as_if_it_were_one(
    tmp_path: Path, straight: list[dict[str, float]], rungs: tuple[int, ...], lengths: list[int]
) -> None:
    told = assignment_of(tmp_path / "trial.pt") | {"step_seconds": LONG, "rungs": rungs}
    steps = _in_steps(told)
    assert [len(step) for step in steps] == lengths
    assert [epoch for step in steps for epoch in step] == straight
    # What lies in the checkpoint and not on record is told in one step, too.
    assert _in_steps(told | {"rungs": ()}) == [straight]


def test_what_was_trained_before_a_step_failed_is_told(
    tmp_path: Path, straight: list[dict[str, float]]
) -> None:
    """The one checkpoint is due with the last epoch, and its folder is a file."""
    (tmp_path / "folder").write_text("")
    told = assignment_of(tmp_path / "folder" / "trial.pt") | {"step_seconds": LONG}
    result = trainable_of(told | {"checkpoint_seconds": LONG}).step()
    assert "storage" in result
    assert [learned(each) for each, _ in earlier_epochs(result)] == straight[:-1]
    assert result["device"] == "cpu"


def _told(earlier: list[int], last: dict[str, Any]) -> dict[str, Any]:
    """A step's result as Tune hands it over."""
    before = [dataclasses.asdict(metrics(epoch, 20.0)) | {"ended_ago": 0.5 / epoch} for epoch in earlier]
    return {**last, "earlier": before, "node": "here", "device": "cpu"}


def test_all_epochs_of_a_step_are_on_record_in_their_order_and_then_its_end(tmp_path: Path) -> None:
    space = space_of(search={"trials": 2, "searcher": "random", "scheduler": "none"}, training={"epochs": 3})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), concurrent=2)
    searcher, scheduler = ConductorSearcher(conductor, tmp_path), ConductorScheduler(conductor)
    one, other = (
        SimpleNamespace(config=searcher.suggest(name), error_file=None, trial_id=name) for name in "ab"
    )
    last = {f"epoch/{key}": value for key, value in dataclasses.asdict(metrics(3, 20.0)).items()}
    assert scheduler.on_trial_result(None, one, _told([1, 2], last)) == TrialScheduler.STOP
    failed = {"failed/error": "ValueError: x", "failed/out_of_memory": False}
    assert scheduler.on_trial_result(None, other, _told([1], failed)) == TrialScheduler.STOP
    trials = conductor.state.trials
    assert [(trials[n].status, trials[n].epochs_done) for n in (0, 1)] == [("completed", 3), ("failed", 1)]
    reports = [event for _, event in read_events(tmp_path / "events.jsonl") if isinstance(event, Reported)]
    assert [(each.number, each.metrics.epoch, each.ended_ago) for each in reports] == [
        *((0, 1, 0.5), (0, 2, 0.25), (0, 3, 0.0), (1, 1, 0.5)),
    ]


SPACE = {
    "name": "steps",
    "dataset": {"name": "digits", "train_images": 200},
    "model": {"depth": 10, "widen_factor": 0.25, "dropout": {"uniform": [0.0, 0.3]}},
    "training": {"epochs": 12, "batch_size": 100, "learning_rate": {"loguniform": [0.001, 0.5]}},
    "search": {"trials": 9, "searcher": "tpe", "rungs": [3, 6], "seed": 5},
    "resources": {"concurrent": 1, "cpus_per_trial": 1},
}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_search_decides_alike_and_has_the_same_rows_whatever_its_steps_are(tmp_path: Path) -> None:
    """One worker, so that trials cannot overtake each other; through Ray, with pauses, promotions and ends."""
    (tmp_path / "steps.yaml").write_text(yaml.safe_dump(SPACE))
    found = {}
    for seconds in ("0", "1"):
        subprocess.run(
            [sys.executable, str(ROOT / "run_search.py"), "steps.yaml", "--results", seconds, "--quiet"],
            cwd=tmp_path,
            env=os.environ | {"WRN_SEARCH_DATA": str(tmp_path / "data"), SECONDS: seconds},
            capture_output=True,
            check=True,
            timeout=300,
        )
        found[seconds] = [event for _, event in read_events(tmp_path / seconds / "events.jsonl")]
    kinds = (Proposed, Reported, Paused, Stopped)
    told = {
        seconds: [
            learned(event.metrics) | {"number": event.number} if isinstance(event, Reported) else event
            for event in events
            if isinstance(event, kinds)
        ]
        for seconds, events in found.items()
    }
    assert told["0"] == told["1"]
    assert any(isinstance(event, Paused) for event in told["1"])
    late = [event for event in found["1"] if isinstance(event, Reported) and event.ended_ago]
    assert late, "some steps were of several epochs"
    assert not any(event.ended_ago for event in found["0"] if isinstance(event, Reported))
