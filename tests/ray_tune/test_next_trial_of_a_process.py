"""One process, many trials: what the scheduler hands on itself, and when it leaves that to Tune."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import msgpack
import pytest
from ray.tune.schedulers import TrialScheduler

from tests.decisions.playing import conductor_of, metrics, new_record, space_of
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.ray_tune.tune_adapter import ConductorCallback, ConductorScheduler, ConductorSearcher
from wrn_search.results.events_jsonl import read_events


@pytest.fixture
def conductor(tmp_path) -> Conductor:
    """Of three trials, two at a time."""
    space = space_of(search={"trials": 3, "searcher": "random", "scheduler": "none"}, training={"epochs": 2})
    return conductor_of(space, new_record(tmp_path / "events.jsonl", space), concurrent=2)


def _flat(epoch: int) -> dict:
    """An epoch's result as Tune hands it over."""
    values = {f"epoch/{key}": value for key, value in dataclasses.asdict(metrics(epoch, 20.0)).items()}
    return {**values, "node": "here", "device": "cpu"}


class _Actor:
    """A process of Ray's that notes which trials it is handed."""

    def __init__(self) -> None:
        self.handed: list[int] = []
        self.asked: list[str] = []
        self.keep_checkpoint = SimpleNamespace(remote=lambda: self.asked.append("keep"))


class _Controller:
    """Tune's, which has its trials' processes called."""

    def _schedule_trial_task(self, trial, method_name: str, args: tuple, *, on_result, on_error) -> None:
        assert (method_name, on_result, on_error) == (
            "train_next",
            self._on_training_result,
            self._trial_task_failure,
        )
        number = args[0]["number"]
        trial.temporary_state.ray_actor.handed.append(number)
        trial.temporary_state.ray_actor.asked.append(f"trial {number}")

    def _on_training_result(self, trial, result) -> None:
        """As Tune calls it for every step."""

    def _trial_task_failure(self, trial, exception) -> None:
        """As Tune calls it for every step."""


# A scheduler is given a wrapper, which warns of what it must not touch.
TUNE = SimpleNamespace(_tune_controller=_Controller())


def _in_a_process(config: dict) -> SimpleNamespace:
    """A trial of Tune's whose process runs."""
    trial = SimpleNamespace(trial_id=f"tune{config['number']}", config=config, error_file=None)
    trial.temporary_state = SimpleNamespace(ray_actor=_Actor())
    trial.set_config = lambda config: setattr(trial, "config", config)
    return trial


def _begun(conductor: Conductor, tmp_path: Path, count: int) -> tuple:
    """Searcher, scheduler and so many trials in their processes."""
    searcher = ConductorSearcher(conductor, tmp_path)
    scheduler = ConductorScheduler(conductor, tmp_path, searcher)
    trials = [_in_a_process(searcher.suggest("x")) for _ in range(count)]
    callback = ConductorCallback(conductor, None, scheduler.on_trial_start)
    for trial in trials:
        callback.on_trial_start(0, [], trial)
    return searcher, scheduler, trials


def test_a_process_goes_on_with_the_next_trial_and_its_own_events(conductor, tmp_path) -> None:
    searcher, scheduler, (first, second) = _begun(conductor, tmp_path, 2)
    assert scheduler.on_trial_result(TUNE, first, _flat(1)) == TrialScheduler.CONTINUE
    # Tune must not call for another step.
    assert scheduler.on_trial_result(TUNE, first, _flat(2)) == TrialScheduler.NOOP
    assert first.temporary_state.ray_actor.handed == [2]
    assert (first.config["number"], conductor.live) == (2, {1, 2})
    assert searcher.suggest("x") is None
    told = [(type(event).__name__, event.number) for _, event in read_events(tmp_path / "events.jsonl")[-3:]]
    assert told == [("Completed", 0), ("Proposed", 2), ("Started", 2)]
    diverged = {"diverged/epoch": 1, "diverged/error": "training loss must be finite, but got nan"}
    assert scheduler.on_trial_result(TUNE, second, diverged) == TrialScheduler.STOP, "no trial is left"
    scheduler.on_trial_error(None, first)  # the process dies: it is its present trial that is tried again
    assert conductor.state.trials[2].retries == 1
    assert searcher.suggest("y")["number"] == 2
    assert [conductor.state.trials[number].status for number in (0, 1)] == ["completed", "diverged"]


@pytest.mark.parametrize(
    "fault",
    [
        {"failed/error": "ValueError: x", "failed/out_of_memory": False},
        {"lost/error": "a fault that can pass"},
        {"storage/error": "Input/output error"},
    ],
)
def test_after_a_fault_tune_chooses_the_process(conductor, tmp_path, fault) -> None:
    searcher, scheduler, (first, _) = _begun(conductor, tmp_path, 2)
    assert scheduler.on_trial_result(TUNE, first, fault) == TrialScheduler.STOP
    assert first.temporary_state.ray_actor.handed == []
    assert isinstance(searcher.suggest("x"), dict)


def test_a_trial_that_waits_for_a_process_gets_the_next_one_that_is_free(conductor, tmp_path) -> None:
    """As on a cluster one of whose nodes has left: a further trial would pass it by."""
    searcher, scheduler, (first,) = _begun(conductor, tmp_path, 1)
    assert searcher.suggest("waits")["number"] == 1
    assert scheduler.on_trial_result(TUNE, first, _flat(2)) == TrialScheduler.STOP
    assert first.temporary_state.ray_actor.handed == []


def test_a_trial_with_another_request_gets_a_process_of_its_own(tmp_path, monkeypatch) -> None:
    space = space_of(search={"trials": 3, "searcher": "random"}, training={"epochs": 1})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    searcher, scheduler, (first,) = _begun(conductor, tmp_path, 1)
    take, larger = conductor.places.take, {"gpu_fraction": 0.5}
    monkeypatch.setattr(conductor.places, "take", lambda *asked: dataclasses.replace(take(*asked), **larger))
    assert scheduler.on_trial_result(TUNE, first, _flat(1)) == TrialScheduler.STOP
    assert first.temporary_state.ray_actor.handed == []
    kept = searcher.suggest("x")
    assert (kept["number"], kept["gpu_fraction"]) == (1, 0.5)
    assert searcher.suggest("y") is None, "it was handed out once"


def test_a_trial_that_ends_unfinished_keeps_its_state_before_its_process_forgets_it(
    conductor, tmp_path
) -> None:
    _, scheduler, (first, second) = _begun(conductor, tmp_path, 2)
    scheduler.on_trial_result(TUNE, first, _flat(1))
    scheduler.on_trial_result(TUNE, first, _flat(2))
    assert first.temporary_state.ray_actor.asked == ["trial 2"], "completed: its checkpoint is there"
    conductor.interrupt()
    assert scheduler.on_trial_result(TUNE, second, _flat(1)) == TrialScheduler.STOP
    assert conductor.state.trials[1].status == "interrupted"
    assert second.temporary_state.ray_actor.asked == ["keep"]


def test_a_trial_is_told_to_its_process_in_values_that_ray_need_not_pickle(conductor, tmp_path) -> None:
    described = ConductorSearcher(conductor, tmp_path).suggest("x")
    plain = msgpack.unpackb(msgpack.packb(described, strict_types=True))
    assert plain == described
    assert described["measures"] == []


def test_a_process_is_told_when_checkpoints_are_due(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("WRN_SEARCH_CHECKPOINT_SECONDS", "7")
    space = space_of(search={"trials": 3, "searcher": "random", "rungs": [1, 3]}, training={"epochs": 5})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    told = ConductorSearcher(conductor, tmp_path).suggest("x")
    assert (told["rungs"], told["checkpoint_seconds"]) == ([1, 3], 7.0)


def test_an_interrupted_search_hands_out_no_further_trial(conductor, tmp_path) -> None:
    _, scheduler, (first, _) = _begun(conductor, tmp_path, 2)
    conductor.interrupt()
    assert scheduler.on_trial_result(TUNE, first, _flat(2)) == TrialScheduler.STOP
    assert len(conductor.state.trials) == 2


def test_tune_keeps_no_statistics_of_what_the_record_has(conductor) -> None:
    result = {
        "epoch": {"val_error": 1.0},
        "node": "here",
        "config": {},
        "timestamp": 1,
        "done": False,
        "pid": 7,
    }
    ConductorCallback(conductor, None).on_trial_result(0, [], SimpleNamespace(), result)
    assert result == {"done": False, "pid": 7}
