"""`mlflow`: a parent run, a run a trial, parameters, metrics by epoch, tags and the report, each once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.results.searches import every_event
from tests.trackers.mlflow_server import mlflow_server
from tests.trackers.test_follower import lines_of
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.trackers.follower import Follower
from wrn_search.trackers.mlflow_runs import MLFLOW

NOT_MEASURED = {"ema_val_error", "inference_ms", "inference_ms_64", "energy_kwh"}  # as nothing asks for them
METRICS = set(EpochMetrics.__dataclass_fields__) - {"epoch"} - NOT_MEASURED


def check_runs(uri: str, state: SearchState) -> dict[str, Any]:
    """What the server shows is what the state holds; gives the parent run."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(state.search)
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [run for run in runs if run.data.tags["wrn_search.kind"] == "search"]
    trials = {int(run.data.tags["wrn_search.number"]): run for run in runs if run is not parent}
    assert len(runs) == len(trials) + 1 == len(state.trials) + 1
    for number, trial in state.trials.items():
        run = trials[number]
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.data.tags["wrn_search.status"] == trial.status
        assert run.data.tags["wrn_search.epochs"] == str(trial.epochs_done)
        assert run.data.params["depth"] == str(trial.config["depth"])
        assert run.data.params["dropout"] == str(trial.config["dropout"])
        assert run.data.params["num_params"] == str(trial.num_params)
        assert set(run.data.metrics) == (METRICS if trial.reports else set())
        for name in METRICS if trial.reports else ():
            history = [
                (each.step, each.value, each.timestamp)
                for each in client.get_metric_history(run.info.run_id, name)
            ]
            expected = [
                (each.epoch, getattr(each, name), round(moment * 1000)) for moment, each in trial.reports
            ]
            assert sorted(history) == sorted(expected), (number, name)
    statuses = {number: run.info.status for number, run in trials.items()}
    return {
        "parent": parent,
        "statuses": statuses,
        "artifacts": [each.path for each in client.list_artifacts(parent.info.run_id)],
    }


def follow(uri: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search, tracked by followers that are killed now and then, to its end and a report."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    results, events = folder / "results", every_event()
    results.mkdir()
    lines = lines_of(events).splitlines(keepends=True)
    for count in (15, 17, 21, 29, len(lines)):  # each time by a new follower
        (results / "events.jsonl").write_bytes(b"".join(lines[:count]))
        follower = Follower(ResultsDirectory(results), "mlflow", MLFLOW, pytest.fail)
        follower.step()
    found = check_runs(uri, fold(events))
    assert found["parent"].info.status == "RUNNING", "a driver may write on"
    assert found["parent"].data.tags["wrn_search.search_id"] == "0123456789abcdef"
    assert found["parent"].data.metrics == {"best_val_error": 15.0}
    assert found["statuses"] == {
        0: "FINISHED",
        1: "FINISHED",
        2: "FAILED",
        3: "FAILED",
        4: "RUNNING",
        5: "RUNNING",
    } | {5: found["statuses"][5]}
    assert found["artifacts"] == []
    (results / "report.html").symlink_to(results / "events.jsonl")  # laid by whoever the folder came from
    Follower(ResultsDirectory(results), "mlflow", MLFLOW, pytest.fail).close(is_running=True)
    assert check_runs(uri, fold(events))["artifacts"] == [], "what a link leads to is not sent away"
    (results / "report.html").unlink()
    (results / "report.html").write_text("<p>the answer</p>")
    for _ in range(2):
        follower = Follower(ResultsDirectory(results), "mlflow", MLFLOW, pytest.fail)
        follower.close(is_running=False)
        assert not follower.is_behind
    found = check_runs(uri, fold(events))
    assert found["parent"].info.status == "KILLED", "nobody writes on, and no end is on record"
    assert found["artifacts"] == ["report.html"]


@pytest.mark.slow
def test_runs_in_a_local_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files, which keep a metric as often as it is sent."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    follow((tmp_path / "mlruns").as_uri(), tmp_path, monkeypatch)


@pytest.mark.slow
def test_runs_on_a_real_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with mlflow_server(tmp_path) as uri:
        follow(uri, tmp_path, monkeypatch)


def test_a_server_that_does_not_answer_is_told_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    (tmp_path / "events.jsonl").write_bytes(lines_of(every_event()))
    told: list[str] = []
    follower = Follower(ResultsDirectory(tmp_path), "mlflow", MLFLOW, told.append)
    began = time.monotonic()
    follower.step()
    assert time.monotonic() - began < 30
    assert len(told) == 1
    assert "Connection refused" in told[0]
    assert follower.is_behind
