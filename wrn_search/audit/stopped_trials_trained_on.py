"""Stopped trials of a search, trained to their last epoch after the fact, outside Ray as `rerun` does.

Same config and seed, from a checkpoint if one was kept, else anew. Each epoch's checkpoint is written before its line
in the record, so a kill at any moment costs no more than the running epoch.
"""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from wrn_search.audit.asked_to_stop import stopped_when_asked
from wrn_search.audit.audit_record import opened_audit, state_of_audit
from wrn_search.audit.choice_of_stopped_trials import next_to_audit, search_seed, stopped_trials
from wrn_search.end_reason import EndReason
from wrn_search.errors import InputError
from wrn_search.results.atomic_files import temporary_path
from wrn_search.results.events import (
    Completed,
    Diverged,
    Failed,
    Interrupted,
    Proposed,
    Reopened,
    Reported,
    SearchEnded,
    Started,
)
from wrn_search.results.events_jsonl import Record
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_selection import read_state
from wrn_search.results.trial_state import FINAL, TrialState
from wrn_search.training.checkpoints.checkpoint_file import CheckpointError, load_checkpoint
from wrn_search.winner.rerun import COMPARED, EpochComparison, rerun, rerun_plan
from wrn_search.winner.trial_to_export import ChosenTrial, as_chosen

Told = Callable[[ChosenTrial, int, EpochComparison], object]  # (trial, its place from 1, epoch)
_ENDED = ("completed", "diverged")


@dataclass(frozen=True)
class AuditRequest:
    """A search, and how many of its stopped trials are to reach their end."""

    search: ResultsDirectory
    state: SearchState
    stopped: tuple[TrialState, ...]
    trials: int
    seconds: float  # after so many the running epoch is the last
    root: str | None  # where the images lie now

    @property
    def directory(self) -> ResultsDirectory:
        """Where the ends are kept."""
        return self.search.audit


class _TimeIsUp(Exception):
    """The hours are over, at the end of an epoch."""


def audit_request(
    results: str | Path, trials: int, seconds: float = float("inf"), root: str | None = None
) -> AuditRequest:
    """What was asked for, checked; nothing is written.

    Raises:
        InputError: no such directory or record, no trial that was stopped, or another audit lies there.
    """
    directory = ResultsDirectory(results)
    state = read_state(directory)
    stopped = stopped_trials(state)
    if not stopped:
        text = "needs a trial that early stopping ended"
        raise InputError.of("", f"{text}, but of {len(state.trials)} none was", str(directory.path))
    state_of_audit(directory.audit, state)
    return AuditRequest(directory, state, tuple(stopped), trials, seconds, root)


def train_on(request: AuditRequest, told: Told = lambda trial, place, epoch: None) -> EndReason:
    """Trains what is unfinished, then further trials until so many are on record; `told` hears of each epoch.

    Raises:
        InputError: the images are not those of the search, or another audit of it runs.
        KeyboardInterrupt: also when `wrn-search stop` asks; all that was trained is on record, the next call goes on.
    """
    begun = state_of_audit(request.directory, request.state)
    first = _following(request, begun)
    if first is None:
        return EndReason.FINISHED
    chosen = as_chosen(request.search, request.state, first, request.root)
    chosen.data()  # before anything is written
    seed = search_seed(request.state)
    with opened_audit(request.directory, request.state, chosen.manifest, seed) as (record, state):
        run = _Run(request, record, state, told)
        try:
            with stopped_when_asked(request.directory.path) as look:
                reason = run.all(look)
        except KeyboardInterrupt:
            run.end(EndReason.INTERRUPTED)
            raise
        run.end(reason)
        return reason


def as_recorded(original: TrialState, later: TrialState) -> bool:
    """Whether the epochs that the search has of it came out again, bit for bit: then it is the same curve."""
    again = {metrics.epoch: metrics for _, metrics in later.reports}
    return all(
        metrics.epoch in again
        and all(getattr(again[metrics.epoch], name) == getattr(metrics, name) for name in COMPARED)
        for _, metrics in original.reports
    )


def _following(request: AuditRequest, state: SearchState, failed: Collection[str] = ()) -> TrialState | None:
    """The next to train: what is unfinished, then a further one until so many as were asked for are on record.

    One that failed is tried once more by each call; `failed` names those that did in this one.
    """
    originals = {trial.trial_id: trial for trial in request.stopped}
    for _, trial in sorted(state.trials.items()):
        open_still = trial.status not in _ENDED and trial.trial_id not in failed
        if open_still and trial.trial_id in originals:
            return originals[trial.trial_id]
    if len(state.trials) >= request.trials:
        return None
    taken = {trial.trial_id for trial in state.trials.values()}
    return next_to_audit(request.stopped, taken, search_seed(request.state))


class _Run:
    """One call: trial after trial in this process."""

    def __init__(self, request: AuditRequest, record: Record, state: SearchState, told: Told):
        self._request, self._record, self._state, self._told = request, record, state, told
        self._until = time.monotonic() + request.seconds

    def all(self, look: Callable[[], None]) -> EndReason:
        """Until all are trained or the time is up; `look` is called after each epoch."""
        failed: set[str] = set()
        while (original := _following(self._request, self._state, failed)) is not None:
            if time.monotonic() >= self._until:
                return EndReason.MAX_HOURS
            number = self._number_of(original)
            try:
                self._train(number, original, look)
            except _TimeIsUp:
                return EndReason.MAX_HOURS
            if self._state.trials[number].status == "failed":
                failed.add(original.trial_id)
        return EndReason.FINISHED

    def end(self, reason: EndReason) -> None:
        """The last events of this session."""
        for trial in self._state.trials.values():
            if trial.status not in FINAL:
                self._record.append(Interrupted(trial.number, f"the audit ended: {reason}"))
        self._record.append(SearchEnded(str(reason)))

    def _number_of(self, original: TrialState) -> int:
        """Its number here, where it is proposed if it was not before."""
        for trial in self._state.trials.values():
            if trial.trial_id == original.trial_id:
                return trial.number
        number = len(self._state.trials)
        self._record.append(
            Proposed(
                number=number,
                trial_id=original.trial_id,
                configuration=number,
                repeat=0,
                hparams=original.hparams,
                config=original.config,
                num_params=original.num_params,
                macs=original.macs,
            )
        )
        return number

    def _train(self, number: int, original: TrialState, look: Callable[[], None]) -> None:
        """One trial to its end, or to the end of the time."""
        chosen = as_chosen(self._request.search, self._request.state, original, self._request.root)
        checkpoint = self._request.directory.checkpoints / f"{original.trial_id}.pt"
        _bring_checkpoint(checkpoint, chosen)
        plan = rerun_plan(chosen, chosen.config.epochs, checkpoint=checkpoint)
        node = socket.gethostname()
        done = {metrics.epoch for _, metrics in self._state.trials[number].reports}
        if self._state.trials[number].status == "failed":
            self._record.append(Reopened(number))
        self._record.append(Started(number, plan.threads, float(plan.device == "cuda")))

        def heard(epoch: EpochComparison) -> None:
            if epoch.now.epoch not in done:
                self._record.append(Reported(number, epoch.now, node, plan.device))
            self._told(chosen, number + 1, epoch)
            look()
            if epoch.trained and epoch.now.epoch < plan.epochs and time.monotonic() >= self._until:
                raise _TimeIsUp

        found = rerun(plan, heard)
        if found.diverged is not None:
            self._record.append(Diverged(number, found.diverged.epoch, found.diverged.text))
        elif found.failure is not None:
            self._record.append(Failed(number, found.failure))
            return
        else:
            self._record.append(Completed(number))
        checkpoint.unlink(missing_ok=True)


def _bring_checkpoint(own: Path, chosen: ChosenTrial) -> None:
    """The audit's own checkpoint of a trial, else a copy of one that `rerun` or the search kept, else none."""
    kept = (own, chosen.rerun_checkpoint, chosen.directory.checkpoints / own.name)
    for path in kept:
        try:
            load_checkpoint(path)
        except CheckpointError:
            continue
        if path != own:
            temporary = temporary_path(own)
            shutil.copyfile(path, temporary)
            temporary.replace(own)
        return
    own.unlink(missing_ok=True)
