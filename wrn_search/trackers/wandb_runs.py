"""Tracker `wandb`, offline: a run of each trial and one of the search, as folders below `wandb/` for `wandb sync`.

Nothing is sent anywhere. An offline run cannot be gone on with: that of a trial which had not ended is written anew.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_selection import name_of, standings
from wrn_search.results.trial_state import FINAL, TrialState
from wrn_search.trackers.tracker import TrackerKind, is_shown, report_of

if TYPE_CHECKING:
    from wandb import Run

_WHOLE = "wrn_search.json"  # in the folder of a run that was written to its end: what it tells
_METRICS = (
    *("val_error", "val_loss", "ema_val_error", "train_error", "train_loss"),
    *("learning_rate", "images_per_second"),
    *("inference_ms", "inference_ms_64", "energy_kwh"),
)
_QUIET = {
    **{"mode": "offline", "silent": True, "console": "off", "disable_git": True, "disable_code": True},
    **{"x_disable_meta": True, "x_disable_stats": True, "x_disable_machine_info": True},
    "x_save_requirements": False,
}


class WandbRuns:
    """The offline runs of one search."""

    def __init__(self, directory: ResultsDirectory, state: SearchState):
        os.environ["WANDB_MODE"] = (
            "offline"  # whatever the user's settings say: a search sends nothing by itself
        )
        os.environ.setdefault("WANDB_SILENT", "true")
        import wandb

        wandb.teardown()  # runs that an earlier tracker of this process has left open
        self._wandb = wandb
        self._directory = directory
        self._folder = directory.path / "wandb"
        self._open: dict[int, Run] = {}
        self._logged: dict[int, int] = {}  # trial number -> epochs in its open run
        self._whole: dict[str, dict[str, Any]] = self._found()

    @property
    def place(self) -> str:
        """The folder, and what sends it."""
        return f"{self._folder} (send it with: wandb sync {self._folder}/offline-run-*)"

    def update(self, state: SearchState, changed: Iterable[int]) -> None:
        """Writes what is missing of these trials."""
        for number in sorted(changed):
            if is_shown(trial := state.trials[number]):
                self._update_trial(state, trial)

    def close(self, state: SearchState, is_running: bool) -> None:
        """The run of the search, with the report; runs of trials that did not end are closed as they stand."""
        for number in list(self._open):
            self._finish(f"{state.search_id}-{number:05d}", number, _told(state.trials[number]))
        self._write_search(state)
        self._wandb.teardown()

    def _found(self) -> dict[str, dict[str, Any]]:
        """Run id -> what a run that is whole tells."""
        found: dict[str, dict[str, Any]] = {}
        for path in self._folder.glob(f"offline-run-*/{_WHOLE}"):
            try:
                told = json.loads(path.read_text(encoding="utf-8"))
                found[str(told.pop("id"))] = told
            except (OSError, ValueError, KeyError, AttributeError):
                continue  # then it is written anew
        return found

    def _update_trial(self, state: SearchState, trial: TrialState) -> None:
        run_id, told = f"{state.search_id}-{trial.number:05d}", _told(trial)
        if self._whole.get(run_id) == told:
            return
        if trial.number not in self._open:
            config = {key: value for key, value in trial.config.items() if key != "dataset"}
            config |= {"dataset": trial.config["dataset"]["name"], "trial_id": trial.trial_id}
            config |= {"num_params": trial.num_params, "macs": trial.macs, "repeat": trial.repeat}
            self._open[trial.number] = self._begin(run_id, name_of(trial), state.search, "trial", config)
            self._logged[trial.number] = 0
        run = self._open[trial.number]
        for seconds, metrics in trial.reports[self._logged[trial.number] :]:
            values = {name: getattr(metrics, name) for name in _METRICS}
            known = {name: value for name, value in values.items() if value is not None}
            run.log({"epoch": metrics.epoch, "_timestamp": seconds, **known}, step=metrics.epoch)
        self._logged[trial.number] = trial.epochs_done
        if trial.status != "running":
            run.summary.update({"status": trial.status, "error": trial.error})
            self._finish(run_id, trial.number, told)

    def _write_search(self, state: SearchState) -> None:
        run_id, report = state.search_id, report_of(self._directory)
        told: dict[str, Any] = {
            "ended": state.ended,
            "trials": len(state.trials),
            "report": report.stat().st_mtime_ns if report is not None else None,
        }
        if self._whole.get(run_id) == told:
            return
        run = self._begin(run_id, state.search, state.search, "search", state.space)
        best = next(iter(standings(state)), None)
        run.summary.update({key: told[key] for key in ("ended", "trials")})
        if best is not None:
            run.summary.update({"best_val_error": best.median, "best_trial": best.number})
        if report is not None:
            shutil.copy(report, run.dir)
            run.save(str(Path(run.dir) / report.name), base_path=run.dir, policy="end")
        self._mark(run, run_id, told)

    def _begin(self, run_id: str, name: str, search: str, kind: str, config: Mapping[str, Any]) -> Run:
        """A new offline run; what an earlier one of its id had written goes."""
        self._whole.pop(run_id, None)
        for old in self._folder.glob(f"offline-run-*-{run_id}"):
            shutil.rmtree(old)
        self._folder.mkdir(exist_ok=True)  # else wandb would write elsewhere
        return self._wandb.init(
            project=os.environ.get("WANDB_PROJECT") or search,
            id=run_id,
            name=name,
            group=search,
            job_type=kind,
            dir=str(self._directory.path),
            config=dict(config),
            settings=self._wandb.Settings(**_QUIET),
            reinit="create_new",
        )

    def _finish(self, run_id: str, number: int, told: dict[str, Any]) -> None:
        self._mark(self._open.pop(number), run_id, told)

    def _mark(self, run: Run, run_id: str, told: dict[str, Any]) -> None:
        """Ends a run, and says that it is whole."""
        folder = Path(run.dir).parent
        run.finish()
        (folder / _WHOLE).write_text(json.dumps({"id": run_id, **told}), encoding="utf-8")
        self._whole[run_id] = told


def _told(trial: TrialState) -> dict[str, Any]:
    """What tells one version of a trial's run from another."""
    return {"status": trial.status, "epochs": trial.epochs_done, "is_final": trial.status in FINAL}


WANDB = TrackerKind(WandbRuns, package="wandb")
