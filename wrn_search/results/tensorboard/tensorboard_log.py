"""TensorBoard runs of a search: scalars by epoch, and every trial in the HParams tab, running or ended.

The HParams messages are built here: TensorBoard's own `hparams.summary` needs TensorFlow, and torch's
`add_hparams` makes an extra run of every trial (both at 2.21).
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event as LogEvent
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo

from wrn_search.results.events import (
    Completed,
    Diverged,
    Event,
    Failed,
    Interrupted,
    Paused,
    Reported,
    Retried,
    Started,
    Stopped,
)
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.tensorboard.event_file import EVENT_FILES, EventFile
from wrn_search.results.tensorboard.hparams_tab import hparam_info, hparams_summary, set_value, standing
from wrn_search.results.tensorboard.run_names import earlier_names, short_name
from wrn_search.results.trial_state import FINAL, TrialState
from wrn_search.space.domains import Domain

_SECONDS_BETWEEN_WRITES = 5.0  # of a run
_AT_ONCE = 16  # beginnings and epochs in that time; in a flood a trial that ends sooner is written once
_TAIL_BYTES = 1024
_HEAD_BYTES = 8192
# Few tags, those that one compares runs by; the tables hold the rest.
SCALARS = {
    "val_error": ("validation error (%)", api_pb2.DATASET_VALIDATION),
    "val_loss": ("validation loss", api_pb2.DATASET_VALIDATION),
    "ema_val_error": ("validation error of averaged weights (%)", api_pb2.DATASET_VALIDATION),
    "train_error": ("training error (%)", api_pb2.DATASET_TRAINING),
    "train_loss": ("training loss", api_pb2.DATASET_TRAINING),
    "learning_rate": ("learning rate", api_pb2.DATASET_TRAINING),
    "images_per_second": ("images per second", api_pb2.DATASET_TRAINING),
}
# The columns of the HParams tab. Learning rates are equal at equal epochs, and rates of images tell of neighbours.
COMPARED = ("val_error", "val_loss", "train_error", "train_loss")


class TensorBoardLog:
    """Keeps `tensorboard/` abreast of a state; subscribe `on_event` after `state.apply`.

    A run is one event file, which is written at once, but in a flood of events is seconds behind the record: whoever
    runs trials calls `write_due` now and then. Opening the log writes those runs again that a kill may have left short,
    and so does each start of a trial: an epoch is never in a run twice.
    """

    def __init__(
        self,
        directory: ResultsDirectory,
        state: SearchState,
        domains: Mapping[str, Domain],
        folder: Path | None = None,  # instead of `tensorboard/`
    ):
        self._folder = folder or directory.tensorboard
        self._state = state
        self._files: dict[int, EventFile] = {}  # of running trials
        self._due: dict[
            int, float
        ] = {}  # running trial with news -> monotonic seconds of its next write, rising
        self._runs: dict[int, Path] = {}  # of each trial that was asked for
        self._at_once: deque[float] = deque()  # monotonic seconds of the last writes at once
        self._domains = dict(domains)
        self._earlier = frozenset(path.name for path in self._folder.glob("[0-9]*_WRN-*") if path.is_dir())
        self._written: dict[int, int] = {}  # trial number -> reports of it that its run holds
        self._write_experiment()
        self._delete_runs_of_no_trial()
        self._make_up()

    def _make_up(self) -> None:
        """Writes what no run holds: of trials that have ended without their end there, and of unfinished ones."""
        for trial in self._state.trials.values():
            if trial.status in FINAL:
                self._end(trial)
            elif trial.started_at is not None:
                self._write(trial.number)
                if trial.status != "running":
                    self._close(trial.number)

    def _delete_runs_of_no_trial(self) -> None:
        """A loss of power can take a proposal from the record whose run had reached the disk."""
        runs = {self._run(trial).name for trial in self._state.trials.values()}
        for folder in self._folder.glob("[0-9]*_WRN-*"):
            if folder.name not in runs and folder.is_dir():
                _delete_event_files(folder)
                with contextlib.suppress(OSError):  # somebody keeps files of his own there
                    folder.rmdir()

    def on_event(self, time: float, event: Event) -> None:
        """Notes what the event, which the state has applied, brings."""
        match event:
            case Started():
                self._files.pop(event.number, None)  # begun anew
                self._has_news(event.number)
            case Reported():
                if (
                    event.number in self._files
                ):  # else it is due already, or a late report of a trial that has ended
                    self._has_news(event.number)
            case Completed() | Stopped() | Diverged() | Failed():
                self._end(self._state.trials[event.number])
            case Interrupted() | Paused() | Retried():
                if event.number in self._files or event.number in self._due:
                    self._rewrite(self._state.trials[event.number])  # its status is another one now
                self._close(event.number)
        self.write_due()

    def write_due(self) -> None:
        """Writes the runs of running trials that are seconds behind.

        Raises:
            FileNotFoundError: somebody has removed one, or `tensorboard/`.
        """
        now = time.monotonic()
        while self._due and next(iter(self._due.values())) <= now:
            self._write(next(iter(self._due)))

    def finish(self) -> None:
        """Makes up for what somebody removed meanwhile, and writes all that there is."""
        self.close()
        if next(self._folder.glob(EVENT_FILES), None) is None:
            self._write_experiment()
        self._make_up()

    def close(self) -> None:
        """Writes all that there is; unfinished runs stay without an end."""
        for number in [*self._due, *self._files]:
            self._close(number)

    def _has_news(self, number: int) -> None:
        """Writes what is on record of a running trial, now or within seconds."""
        now = time.monotonic()
        while self._at_once and self._at_once[0] <= now - _SECONDS_BETWEEN_WRITES:
            self._at_once.popleft()
        if len(self._at_once) < _AT_ONCE:
            self._at_once.append(now)
            self._write(number)
        else:
            self._due.setdefault(number, now + _SECONDS_BETWEEN_WRITES)

    def _run(self, trial: TrialState) -> Path:
        """The folder of the trial's run; its name is what TensorBoard shows."""
        if trial.number not in self._runs:
            self._runs[trial.number] = self._folder / self._name(trial)
        return self._runs[trial.number]

    def _name(self, trial: TrialState) -> str:
        name = short_name(trial.number, trial.config, trial.repeat, searched=trial.hparams)
        if not self._earlier:  # a new search's
            return name
        return next((each for each in earlier_names(trial) if each in self._earlier), name)

    def _write_experiment(self) -> None:
        """The columns of the HParams tab, once, in the root run."""
        experiment = api_pb2.Experiment(
            hparam_infos=[
                hparam_info(name, domain)
                for name, domain in {**self._domains, **standing(self._state)}.items()
            ],
            metric_infos=[
                api_pb2.MetricInfo(
                    name=api_pb2.MetricName(tag=tag),
                    display_name=SCALARS[tag][0],
                    dataset_type=SCALARS[tag][1],
                )
                for tag in COMPARED
            ],
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        _delete_event_files(self._folder)
        file = EventFile(self._folder)
        message = HParamsPluginData(experiment=experiment)
        file.add(LogEvent(summary=hparams_summary(metadata.EXPERIMENT_TAG, message)))
        file.write()

    def _rewrite(self, trial: TrialState) -> None:
        """Begins the trial's run anew, with all that is on record of it; what it held is gone."""
        run = self._run(trial)
        if (before := self._files.get(trial.number)) is not None:
            before.check_is_there()
        _delete_event_files(run)
        self._files[trial.number] = file = EventFile(run)
        began = trial.started_at or trial.finished_at or 0.0  # it may have failed before it started
        start = SessionStartInfo(
            # The repeats of a configuration make one row, with the mean of their metrics and the name of the first.
            group_name=self._run(self._state.trials.get(trial.number - trial.repeat, trial)).name,
            start_time_secs=began,
        )
        for name in dict.fromkeys((*self._domains, *trial.hparams)):
            if not trial.leaves_out(name):
                set_value(start.hparams[name], trial.value_of(name))
        for name in standing(self._state):
            set_value(start.hparams[name], getattr(trial, name))
        message = HParamsPluginData(session_start_info=start)
        summary = hparams_summary(metadata.SESSION_START_INFO_TAG, message)
        file.add(LogEvent(wall_time=began, summary=summary))
        self._written[trial.number] = 0
        self._add_reports(trial)

    def _add_reports(self, trial: TrialState) -> None:
        """The scalars of the reports that the run does not hold yet."""
        file = self._files[trial.number]
        for seconds, metrics in trial.reports[self._written[trial.number] :]:
            told = {tag: getattr(metrics, tag) for tag in SCALARS}
            values = [
                Summary.Value(tag=tag, simple_value=value) for tag, value in told.items() if value is not None
            ]
            file.add(LogEvent(wall_time=seconds, step=metrics.epoch, summary=Summary(value=values)))
        self._written[trial.number] = len(trial.reports)

    def _write(self, number: int) -> None:
        """Writes what is on record of a running trial."""
        trial = self._state.trials[number]
        if number in self._files:
            self._add_reports(trial)
        else:
            self._rewrite(trial)
        self._files[number].write()
        self._due.pop(number, None)

    def _end(self, trial: TrialState) -> None:
        """Writes how the trial ended; a trial that never started gets its run now."""
        known = trial.number in self._files or trial.number in self._due
        if not known and _has_ended(self._run(trial)):
            return
        self._rewrite(trial)  # with its last status
        failed = trial.status in ("diverged", "failed")
        end = SessionEndInfo(
            status=api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS,
            end_time_secs=trial.finished_at,
        )
        message = HParamsPluginData(session_end_info=end)
        summary = hparams_summary(metadata.SESSION_END_INFO_TAG, message)
        self._files[trial.number].add(LogEvent(wall_time=trial.finished_at, summary=summary))
        self._close(trial.number)

    def _close(self, number: int) -> None:
        """Writes what is left of a trial that does not run now."""
        if number in self._files or number in self._due:
            self._write(number)
        self._files.pop(number, None)


def runs_are_whole(folder: Path, state: SearchState) -> bool:
    """Whether the runs of a finished search are there, each to its end, and what compares them."""
    experiment = next(folder.glob(EVENT_FILES), None)
    names = [short_name(trial.number, trial.config, trial.repeat) for trial in state.trials.values()]
    return experiment is not None and all(_has_ended(folder / name) for name in names)


def _has_ended(run: Path) -> bool:
    """Whether the run's file holds its end, which is written last, and at its beginning all columns of this version."""
    for path in run.glob(EVENT_FILES):
        with path.open("rb") as file:
            if b"epochs_done" not in file.read(_HEAD_BYTES):
                continue
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES), os.SEEK_SET)
            if metadata.SESSION_END_INFO_TAG.encode() in file.read():
                return True
    return False


def _delete_event_files(run: Path) -> None:
    if not run.is_dir():  # as of each trial that begins for the first time
        return
    for path in run.glob(EVENT_FILES):
        path.unlink()
