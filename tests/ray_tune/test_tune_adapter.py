"""The three interfaces to Ray Tune, driven as Tune drives them; whole searches are in test_search_end_to_end."""

import dataclasses
import pickle
from types import SimpleNamespace

import pytest
from ray.tune import PlacementGroupFactory
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from tests.decisions.playing import conductor_of, metrics, new_record, space_of
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.end_reason import EndReason
from wrn_search.file_system.holder import own_mark
from wrn_search.ray_tune.steps.resources_of_a_trial import resources_of
from wrn_search.ray_tune.tune_adapter import (
    ConductorCallback,
    ConductorScheduler,
    ConductorSearcher,
    EndOfSearch,
)
from wrn_search.results.trial_state import COUNTS_AS_CHANCE


@pytest.fixture
def conductor(tmp_path) -> Conductor:
    """Of three trials, two at a time."""
    space = space_of(search={"trials": 3, "searcher": "random", "scheduler": "none"}, training={"epochs": 2})
    return conductor_of(space, new_record(tmp_path / "events.jsonl", space), concurrent=2)


def _trial(config: dict) -> SimpleNamespace:
    return SimpleNamespace(config=config, error_file=None, trial_id=f"tune{config['number']}")


def _flat(epoch: int) -> dict:
    """An epoch's result as Tune hands it over."""
    values = {f"epoch/{key}": value for key, value in dataclasses.asdict(metrics(epoch, 20.0)).items()}
    return {**values, "node": "here", "device": "cpu", "training_iteration": 7, "config/number": 99}


def test_a_trial_goes_from_suggestion_to_its_last_epoch(conductor, tmp_path) -> None:
    searcher, scheduler = ConductorSearcher(conductor, tmp_path), ConductorScheduler(conductor)
    first, second, third = (searcher.suggest(f"ray{n}") for n in range(3))
    assert third is None  # two run already
    assert [first["number"], second["number"]] == [0, 1]
    assert first["checkpoint"] == str(tmp_path / f"{first['trial_id']}.pt")
    ConductorCallback(conductor, None).on_trial_start(0, [], _trial(first))
    assert scheduler.on_trial_result(None, _trial(first), _flat(1)) == TrialScheduler.CONTINUE
    assert scheduler.on_trial_result(None, _trial(first), _flat(2)) == TrialScheduler.STOP
    assert conductor.state.trials[0].status == "completed"
    assert searcher.suggest("ray3")["number"] == 2


def test_what_went_wrong_is_told_and_stops_the_trial(conductor, tmp_path) -> None:
    searcher, scheduler = ConductorSearcher(conductor, tmp_path), ConductorScheduler(conductor)
    trials = [_trial(searcher.suggest("a")), _trial(searcher.suggest("b"))]
    diverged = {"diverged/epoch": 1, "diverged/error": "training loss must be finite, but got nan"}
    failed = {"failed/error": "ValueError: x", "failed/out_of_memory": True}
    assert scheduler.on_trial_result(None, trials[0], diverged) == TrialScheduler.STOP
    assert scheduler.on_trial_result(None, trials[1], failed) == TrialScheduler.STOP
    assert conductor.state.trials[1].out_of_memory
    report = tmp_path / "error.txt"
    report.write_text("Failure # 1\n\nThe actor died unexpectedly.\n  worker exit: SIGKILL\n")
    trials.append(SimpleNamespace(config=searcher.suggest("c"), error_file=str(report), trial_id="c"))
    scheduler.on_trial_error(None, trials[2])
    states = conductor.state.trials
    assert (states[2].status, states[2].retries) == ("interrupted", 1)
    for _ in range(2):  # search.retries
        assert searcher.suggest("again")["trial_id"] == states[2].trial_id
        scheduler.on_trial_error(None, trials[2])
    assert [states[number].status for number in range(3)] == ["diverged", "failed", "failed"]
    assert states[1].error == f"ValueError: x\n{COUNTS_AS_CHANCE}"
    assert states[2].error == (
        "the trial's process ended: Failure # 1 The actor died unexpectedly. worker exit: SIGKILL (tried 3 times)"
    )
    assert searcher.suggest("d") == Searcher.FINISHED


def test_an_interrupted_search_waits_for_its_trials_but_not_for_ever(
    conductor, tmp_path, monkeypatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("wrn_search.ray_tune.tune_adapter.time.monotonic", lambda: now[0])
    stopper = EndOfSearch(conductor)
    ConductorSearcher(conductor, tmp_path).suggest("a")
    conductor.started(0)
    assert not stopper.stop_all()
    conductor.interrupt()
    assert not stopper.stop_all()
    now[0] += 9
    assert not stopper.stop_all()
    now[0] += 2
    assert stopper.stop_all()


def test_an_interrupted_search_without_trials_ends_at_once(conductor) -> None:
    stopper = EndOfSearch(conductor)
    conductor.interrupt()
    assert stopper.stop_all()


@pytest.mark.parametrize("placed", [True, False])
def test_the_hours_wait_for_an_epoch_but_not_for_a_place(tmp_path, placed) -> None:
    """A trial that Ray could place nowhere kept a search of one hour alive for fifty."""
    now = [0.0]
    space = space_of(search={"trials": 2, "searcher": "random", "max_hours": 1})
    record = new_record(tmp_path / "events.jsonl", space)
    conductor = conductor_of(space, record, clock=lambda: now[0])
    stopper = EndOfSearch(conductor)
    ConductorSearcher(conductor, tmp_path).suggest("a")
    if placed:
        conductor.started(0)
    now[0] = 3599
    assert not stopper.stop_all()
    now[0] = 3601
    assert stopper.stop_all() is not placed
    assert conductor.unended == {0}


def test_what_tune_snapshots_holds_nothing_of_ours(conductor, tmp_path) -> None:
    for part in (
        ConductorSearcher(conductor, tmp_path),
        ConductorScheduler(conductor),
        ConductorCallback(conductor, None),
        EndOfSearch(conductor),
    ):
        assert not vars(pickle.loads(pickle.dumps(part)))


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(4.0, "the trial's process ended: "), (6.0, "an epoch must end within search.trial_timeout (5 s)")],
)
def test_a_process_that_was_ended_for_hanging_is_told_as_such(tmp_path, monkeypatch, seconds, reason) -> None:
    now = [100.0]
    monkeypatch.setattr("wrn_search.ray_tune.tune_adapter.time.monotonic", lambda: now[0])
    space = space_of(search={"trials": 1, "searcher": "random", "trial_timeout": 5})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    scheduler = ConductorScheduler(conductor)
    trial = _trial(ConductorSearcher(conductor, tmp_path).suggest("a"))
    now[0] += 50  # waited for its process
    ConductorCallback(conductor, None, scheduler.on_trial_start).on_trial_start(0, [], trial)
    assert scheduler.on_trial_result(None, trial, _flat(1)) == TrialScheduler.CONTINUE
    now[0] += seconds
    scheduler.on_trial_error(None, trial)
    assert conductor.state.trials[0].error.startswith(reason)


def test_time_in_the_queue_is_none_of_an_epoch(tmp_path, monkeypatch) -> None:
    """A process that dies at its start has not exceeded `search.trial_timeout`, however long it was waited for."""
    now = [100.0]
    monkeypatch.setattr("wrn_search.ray_tune.tune_adapter.time.monotonic", lambda: now[0])
    space = space_of(search={"trials": 1, "searcher": "random", "trial_timeout": 5})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    scheduler = ConductorScheduler(conductor)
    trial = _trial(ConductorSearcher(conductor, tmp_path).suggest("a"))
    scheduler.on_trial_add(None, trial)
    now[0] += 50
    scheduler.on_trial_error(None, trial)
    assert conductor.state.trials[0].error.startswith("the trial's process ended: ")


def test_a_node_that_cannot_write_ends_no_search_whose_driver_can(conductor, tmp_path) -> None:
    searcher, scheduler = ConductorSearcher(conductor, tmp_path), ConductorScheduler(conductor, tmp_path)
    error = "a checkpoint could not be written: Input/output error (x.pt)"
    config = searcher.suggest("a")
    assert scheduler.on_trial_result(None, _trial(config), {"storage/error": error}) == TrialScheduler.STOP
    trial = conductor.state.trials[config["number"]]
    assert (conductor.end_reason, trial.status, trial.retries) == (None, "interrupted", 0)
    assert searcher.suggest("b")["number"] in (0, 1)
    assert trial.error == f"its node could not write, though the driver can: {error}"
    for _ in range(20):  # a trial whose every node fails so is charged in the end
        if (config := searcher.suggest("again")) is None:
            break
        scheduler.on_trial_result(None, _trial(config), {"storage/error": error})
    statuses = {each.status for each in conductor.state.trials.values()}
    assert "failed" in statuses
    assert conductor.end_reason is not EndReason.FAILED
    assert list(tmp_path.glob(".probe-*")) == []


def test_the_whole_report_on_a_dead_process_is_in_the_file_that_its_error_names(conductor, tmp_path) -> None:
    checkpoints = tmp_path / "checkpoints"
    checkpoints.mkdir()
    searcher, scheduler = (
        ConductorSearcher(conductor, checkpoints),
        ConductorScheduler(conductor, checkpoints),
    )
    report = tmp_path / "error.txt"
    report.write_text("Failure # 1\n" + "a line\n" * 50 + "worker exit: SIGKILL\n")
    config = searcher.suggest("a")
    scheduler.on_trial_error(None, SimpleNamespace(config=config, error_file=str(report), trial_id="x"))
    first, second = conductor.state.trials[0].error.split("\n")
    assert first.endswith("worker exit: SIGKILL")
    assert second == f"all of it: logs/{config['trial_id']}.txt"
    assert report.read_text() in (tmp_path / second.removeprefix("all of it: ")).read_text()


def test_a_test_split_that_cannot_be_read_ends_the_confirmation(conductor, tmp_path) -> None:
    """Every trial would meet it: none is tried again, though the driver can write."""
    searcher, scheduler = ConductorSearcher(conductor, tmp_path), ConductorScheduler(conductor, tmp_path)
    scheduler.on_trial_result(
        None, _trial(searcher.suggest("a")), {"unreadable/error": "the test split: gone"}
    )
    assert (conductor.end_reason, conductor.failure) == (EndReason.FAILED, "the test split: gone")


def test_a_search_ends_when_its_driver_cannot_write_either(conductor, tmp_path) -> None:
    (tmp_path / f".probe-{own_mark()}").symlink_to("/dev/full")
    searcher, scheduler = ConductorSearcher(conductor, tmp_path), ConductorScheduler(conductor, tmp_path)
    scheduler.on_trial_result(None, _trial(searcher.suggest("a")), {"storage/error": "no room"})
    assert (conductor.end_reason, conductor.failure) == (EndReason.FAILED, "no room")
    assert conductor.state.trials[0].status == "interrupted"


def test_trials_of_one_class_ask_ray_for_the_same_and_unlike_gpus_are_told_apart(conductor, tmp_path) -> None:
    searcher = ConductorSearcher(conductor, tmp_path)
    requests = [resources_of(searcher.suggest(name)) for name in "ab"]
    assert requests[0] == requests[1] == PlacementGroupFactory([{"CPU": 1, "GPU": 0.0}])
    shared = {"threads": 2, "gpu_fraction": 0.25, "accelerator": ""}
    assert resources_of(shared).bundles == [{"CPU": 2.0, "GPU": 0.25}]
    pinned = resources_of(shared | {"accelerator": "H100"})
    assert pinned.bundles == [{"CPU": 2.0, "GPU": 0.25, "accelerator_type:H100": 0.001}]
    assert pinned != resources_of(shared | {"accelerator": "T4"})
