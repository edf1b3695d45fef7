"""Tracker `mlflow`: a parent run of the search, and below it a run of each trial, on the server of MLFLOW_TRACKING_URI.

What a server holds is asked when the tracker is opened, so nothing is sent twice: runs are found by their tags, and of
a trial that had not ended the epochs of each metric are looked up.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from wrn_search.results.events import SearchStarted
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_selection import name_of
from wrn_search.results.trial_state import FINAL, TrialState
from wrn_search.trackers.tracker import TrackerKind, is_shown, report_of

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

Measured: TypeAlias = tuple[str, int, float, int]  # metric, step, value, Unix milliseconds

# The client would wait minutes for a server that is gone, before it says so.
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}
_SEARCH_ID, _KIND, _NUMBER, _STATUS, _EPOCHS, _REPORT = (
    f"wrn_search.{name}" for name in ("search_id", "kind", "number", "status", "epochs", "report")
)
_METRICS = (
    *("val_error", "val_loss", "ema_val_error", "train_error", "train_loss"),
    *("learning_rate", "images_per_second", "seconds", "memory_bytes"),
    *("inference_ms", "inference_ms_64", "energy_kwh"),
)
_TESTED = ("test_error", "test_loss")
_ENDS = {"completed": "FINISHED", "stopped": "FINISHED", "diverged": "FAILED", "failed": "FAILED"}
_SEARCH_ENDS = {"interrupted": "KILLED", "failed": "FAILED"}
_RUNNING, _KILLED = "RUNNING", "KILLED"
_METRICS_AT_ONCE, _PARAMS_AT_ONCE = 800, 90  # in one request, which takes 1,000 things at most
_AT_ONCE = 8  # requests
_LONGEST = 500  # characters of a parameter or a tag
_RUNS_ON_A_PAGE = 1000


@dataclass
class _Run:
    """A run on the server, and what is known to be there."""

    run_id: str
    status: str
    tags: dict[str, str]
    params: set[str]
    sent: set[tuple[str, int]] | None = field(
        default_factory=set
    )  # (metric, step); None where it must be asked


class MlflowRuns:
    """The runs of one search. Raises whatever the client raises."""

    def __init__(self, directory: ResultsDirectory, state: SearchState):
        for name, value in _PATIENCE.items():
            os.environ.setdefault(name, value)
        from mlflow.tracking import MlflowClient

        self._client: MlflowClient = MlflowClient()
        self._directory = directory
        self._experiment = self._experiment_id(state)
        self._search: _Run | None = None
        self._trials: dict[int, _Run] = {}
        self._find(state.search_id)

    @property
    def place(self) -> str:
        """The server and the experiment."""
        return f"{self._client.tracking_uri}, experiment {self._experiment}"

    def update(self, state: SearchState, changed: Iterable[int]) -> None:
        """Sends what is missing of the search and of these trials, some trials at a time: servers may be far away."""
        ended = None if state.ended is None else _SEARCH_ENDS.get(state.ended, "FINISHED")
        parent = self._update_search(state, ended or _RUNNING)
        shown = [trial for number in sorted(changed) if is_shown(trial := state.trials[number])]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(lambda trial: self._update_trial(trial, state.search_id, parent), shown):
                pass

    def close(self, state: SearchState, is_running: bool) -> None:
        """The report becomes an artifact of the search; a search that died is no longer shown as running."""
        if state.ended is None and not is_running:
            self._update_search(state, _KILLED)
        assert self._search is not None
        report = report_of(self._directory)
        if report is not None:
            digest = hashlib.sha256(report.read_bytes()).hexdigest()
            if self._search.tags.get(_REPORT) != digest:
                self._client.log_artifact(self._search.run_id, str(report))
                self._send(self._search, {}, [], {_REPORT: digest})

    def _experiment_id(self, state: SearchState) -> str:
        if asked := os.environ.get("MLFLOW_EXPERIMENT_ID"):
            return asked
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or state.search
        if (found := self._client.get_experiment_by_name(name)) is not None:
            return str(found.experiment_id)
        return str(self._client.create_experiment(name))

    def _find(self, search_id: str) -> None:
        """The runs of the search that are there; of two for one thing, as somebody's copy, the older one."""
        page = None
        while True:
            runs = self._client.search_runs(
                [self._experiment],
                f"tags.`{_SEARCH_ID}` = '{search_id}'",
                max_results=_RUNS_ON_A_PAGE,
                order_by=["attributes.start_time ASC"],
                page_token=page,
            )
            for run in runs:
                found = _Run(
                    run.info.run_id, run.info.status, dict(run.data.tags), set(run.data.params), None
                )
                if run.data.tags.get(_KIND) == "search":
                    self._search = self._search or found
                elif (number := run.data.tags.get(_NUMBER, "")).isdecimal():
                    self._trials.setdefault(int(number), found)
            page = runs.token
            if not page:
                return

    def _update_search(self, state: SearchState, status: str) -> _Run:
        first = next((event for _, event in state.sessions if isinstance(event, SearchStarted)), None)
        if self._search is None:
            tags = {_SEARCH_ID: state.search_id, _KIND: "search", "mlflow.note.content": _note(state)}
            began = state.sessions[0][0] if state.sessions else 0.0
            self._search = self._create(state.search, began, tags)
        params = _flat(first.space) if first is not None else {}
        last = max((time for time, _ in state.sessions), default=0.0)
        ends = [trial.finished_at for trial in state.trials.values() if trial.finished_at is not None]
        told = {
            "wrn_search.results": str(self._directory.path.absolute()),
            "wrn_search.ended": state.ended or "",
            "wrn_search.trials": str(len(state.trials)),
        }
        self._send(self._search, params, _incumbents(state), told)
        self._set_status(self._search, status, max([last, *ends]))
        return self._search

    def _update_trial(self, trial: TrialState, search_id: str, parent: _Run) -> None:
        done = {_STATUS: trial.status, _EPOCHS: str(trial.epochs_done)}
        run = self._trials.get(trial.number)
        status = _RUNNING if trial.status == "running" else _ENDS.get(trial.status, _KILLED)
        if run is None:
            tags = {_SEARCH_ID: search_id, _KIND: "trial", _NUMBER: str(trial.number)}
            tags |= {"wrn_search.trial_id": trial.trial_id, "mlflow.parentRunId": parent.run_id}
            tags |= {
                "wrn_search.configuration": str(trial.configuration),
                "wrn_search.repeat": str(trial.repeat),
            }
            began = trial.started_at or trial.finished_at or 0.0
            run = self._trials[trial.number] = self._create(name_of(trial), began, tags)
        elif trial.status in FINAL and done.items() <= run.tags.items() and run.status == status:
            return  # its status was sent last
        told = {
            "wrn_search.node": trial.node,
            "wrn_search.device": trial.device,
            "wrn_search.error": trial.error,
        }
        tags = {name: value or "" for name, value in told.items()} | done
        self._send(run, _params(trial), list(_measured(trial)), tags)
        self._set_status(run, status, trial.finished_at or 0.0)

    def _create(self, name: str, began: float, tags: Mapping[str, str]) -> _Run:
        run = self._client.create_run(
            self._experiment, start_time=_milliseconds(began), tags=dict(tags), run_name=name
        )
        return _Run(run.info.run_id, run.info.status, dict(tags), set())

    def _send(
        self, run: _Run, params: Mapping[str, Any], measured: list[Measured], tags: Mapping[str, str]
    ) -> None:
        """Parameters and metrics that the server does not have, and tags that have another value now."""
        from mlflow.entities import Metric, Param, RunTag

        if run.sent is None:
            run.sent = {
                (name, each.step)
                for name in {name for name, *_ in measured}
                for each in self._client.get_metric_history(run.run_id, name)
            }
        missing = [each for each in measured if each[:2] not in run.sent]
        new = [Param(name, _text(value)) for name, value in params.items() if name not in run.params]
        said = {name: _text(value) for name, value in tags.items()}
        said = {name: value for name, value in said.items() if run.tags.get(name, "") != value}
        while new or missing or said:
            metrics = [
                Metric(name, value, moment, step) for name, step, value, moment in missing[:_METRICS_AT_ONCE]
            ]
            labels = [RunTag(name, value) for name, value in said.items()]
            self._client.log_batch(run.run_id, metrics, new[:_PARAMS_AT_ONCE], labels)
            run.params |= {each.key for each in new[:_PARAMS_AT_ONCE]}
            run.sent |= {each[:2] for each in missing[:_METRICS_AT_ONCE]}
            run.tags |= said
            new, missing, said = new[_PARAMS_AT_ONCE:], missing[_METRICS_AT_ONCE:], {}

    def _set_status(self, run: _Run, status: str, ended: float) -> None:
        if run.status == status:
            return
        if status == _RUNNING:
            self._client.update_run(run.run_id, status=status)
        else:
            self._client.set_terminated(run.run_id, status, end_time=_milliseconds(ended))
        run.status = status


def _params(trial: TrialState) -> dict[str, Any]:
    """What the trial was trained with, by the names of the space file and the tables."""
    leaves = {name: value for name, value in trial.config.items() if name not in ("dataset", "lr_drops")}
    leaves |= {"dataset": trial.config["dataset"]["name"], "lr_drops": trial.config.get("lr_drops")}
    left_out = {name: None for name in leaves if trial.leaves_out(name)}
    return {**leaves, **left_out, "num_params": trial.num_params, "macs": trial.macs}


def _measured(trial: TrialState) -> Iterator[Measured]:
    """Every metric of every epoch on record, and what the test split said."""
    for seconds, metrics in trial.reports:
        for name in _METRICS:
            if (value := getattr(metrics, name)) is not None:
                yield name, metrics.epoch, value, _milliseconds(seconds)
    if trial.tested is not None and trial.last is not None:
        for name in _TESTED:
            yield name, trial.last.epoch, getattr(trial.tested, name), _milliseconds(trial.reports[-1][0])


def _incumbents(state: SearchState) -> list[Measured]:
    """`best_val_error` after each trial that reached full epochs, by their count: the trajectory of the search."""
    ended = sorted(
        (trial.finished_at, trial.last.val_error)
        for trial in state.trials.values()
        if trial.status == "completed"
        and trial.finished_at is not None
        and trial.last is not None
        and trial.last.val_error is not None
    )
    found, best = list[Measured](), float("inf")
    for count, (moment, error) in enumerate(ended, start=1):
        best = min(best, error)
        found.append(("best_val_error", count, best, _milliseconds(moment)))
    return found


def _note(state: SearchState) -> str:
    description = state.space.get("description")
    return description if isinstance(description, str) else ""


def _flat(space: Mapping[str, Any]) -> dict[str, Any]:
    """`section.key` -> value, of what is not null."""
    flat: dict[str, Any] = {}
    for name, section in space.items():
        if isinstance(section, dict):
            flat |= {f"{name}.{key}": value for key, value in section.items() if value is not None}
        elif name != "description" and section is not None:
            flat[name] = section
    return flat


def _text(value: Any) -> str:
    """A parameter or a tag as a server takes it."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


MLFLOW = TrackerKind(MlflowRuns, package="mlflow")
