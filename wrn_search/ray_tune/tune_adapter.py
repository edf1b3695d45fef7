"""Ray Tune's three interfaces onto the conductor: where trials come from, whether they go on, when all is over.

Tune keeps trial processes, places them on nodes, hands results over. It decides nothing; its snapshots are not read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray.tune import Callback, Stopper
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment, NoTrial
from wrn_search.hardware.arithmetic_on_offer import gpus_are_simulated
from wrn_search.ray_tune.checkpoint_cadence import driver_cannot_write, logs_beside, told_to_trial
from wrn_search.ray_tune.exception_texts import process_error, was_noticed, why_it_left, with_log
from wrn_search.ray_tune.fault_note import left_behind, told_fault
from wrn_search.ray_tune.steps.begun_in_its_process import begin_in_its_process
from wrn_search.ray_tune.steps.epochs_of_a_step import told_of_steps
from wrn_search.ray_tune.steps.resources_of_a_trial import resources_of
from wrn_search.ray_tune.trainable import earlier_epochs, metrics_of, unflattened
from wrn_search.results.trial_state import FINAL

_TUNES_OWN = {"trial_id", "training_iteration", "done", "pid", "node_ip"}  # what it needs of a result


class _NotPickled:
    """Tune pickles what it is given into its snapshots; ours hold open files and are never restored from there."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class ConductorSearcher(_NotPickled, Searcher):
    """Hands the conductor's trials to Tune.

    Args:
        conductor: has them.
        checkpoints: folder for those of the trials.
        faults: folder for notes of what ended a trial's process; default that of the checkpoints.
    """

    def __init__(self, conductor: Conductor, checkpoints: Path, faults: Path | None = None):
        super().__init__()
        self._conductor, self._space = conductor, conductor.space
        self._checkpoints = checkpoints
        self._faults = faults or checkpoints
        # a trial that the process which was asked for could not take
        self._kept: dict[str, Any] | None = None

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """A trial's whole description; None while as many trials run as may."""
        kept, self._kept = self._kept, None
        if kept is not None:
            return kept
        answer = self._conductor.next_trial()
        if isinstance(answer, NoTrial):
            return None if answer is NoTrial.WAIT else Searcher.FINISHED
        return self._described(answer)

    def next_for_process(self, before: dict[str, Any]) -> dict[str, Any] | None:
        """The description of the next trial, if a process whose trial `before` has ended can take it at once.

        Not while another trial waits for a process: Tune gives this one to it. Nor where the next trial asks Ray for
        something else: then Tune is told of it by `suggest`.
        """
        if self._kept is not None or self._conductor.awaits_process:
            return None
        answer = self._conductor.next_trial()
        if isinstance(answer, NoTrial):
            return None
        description = self._described(answer)
        if resources_of(description) == resources_of(before):
            return description
        self._kept = description
        return None

    def _described(self, answer: Assignment) -> dict[str, Any]:
        return {
            "number": answer.number,
            "trial_id": answer.trial_id,
            # As text: Tune copies, flattens and looks through each value of nested ones again and again.
            "trial": json.dumps(answer.config.to_dict()),
            "epochs_done": answer.epochs_done,
            **told_to_trial(self._checkpoints, answer.trial_id, self._conductor.rungs),
            "fault_note": str(self._faults / f"{answer.trial_id}.fault"),
            "logs": str(logs_beside(self._checkpoints)),
            "threads": answer.grant.threads,
            "gpu_fraction": answer.grant.gpu_fraction,
            "simulated_gpus": gpus_are_simulated(),
            "accelerator": answer.grant.accelerator,
            "context_bytes": answer.grant.context_bytes,
            **told_of_steps(self._space.search.trial_timeout, paid=self._conductor.funds.cover_what_runs),
            "measures": list(self._space.costs),
        }

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """The record has told the searcher already."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the record is the state."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: the record is the state."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing: the record is the state."""


class ConductorScheduler(_NotPickled, FIFOScheduler):
    """Tells the conductor what trials report, and Tune whether they go on.

    When a trial has ended its process trains the next one, as the same trial of Tune's: a new one costs more.

    Args:
        conductor: decides.
        checkpoints: folder; None: whoever cannot write there ends the search.
        searcher: has the next trial; None: Tune makes a trial of its own of each.
    """

    def __init__(
        self,
        conductor: Conductor,
        checkpoints: Path | None = None,
        searcher: ConductorSearcher | None = None,
    ):
        super().__init__()
        self._conductor = conductor
        self._checkpoints = checkpoints
        self._searcher = searcher
        self._heard: dict[str, float] = {}  # Tune's trial -> monotonic seconds of its last sign of life

    def on_trial_start(self, trial: Any) -> None:
        """A trial has its process and begins its first epoch; before, it waited in Tune's queue."""
        self._heard[trial.trial_id] = time.monotonic()

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """One epoch or several, or the end, of a trial."""
        number = trial.config["number"]
        self._heard[trial.trial_id] = time.monotonic()
        nested = unflattened(result)
        for metrics, ended_ago in earlier_epochs(nested):
            self._conductor.passed(number, metrics, nested["node"], nested["device"], ended_ago)
        if self._hear_of_trouble(number, nested):
            return str(TrialScheduler.STOP)
        if "test" in nested:
            goes_on = self._conductor.met_test_split(number, nested["test"])
        elif "diverged" in nested:
            self._conductor.diverged(number, **nested["diverged"])
            goes_on = False
        else:
            metrics = metrics_of(nested)
            goes_on = self._conductor.reported(number, metrics, nested["node"], nested["device"])
            if not goes_on and self._conductor.state.trials[number].status not in FINAL:
                trial.temporary_state.ray_actor.keep_checkpoint.remote()
        if goes_on:
            return str(TrialScheduler.CONTINUE)
        return str(TrialScheduler.NOOP if self._begin_next(tune_controller, trial) else TrialScheduler.STOP)

    def _hear_of_trouble(self, number: int, nested: dict[str, Any]) -> bool:
        """Whether a trial ended by a fault; what is told of it goes to the conductor."""
        if "failed" in nested:
            self._conductor.failed(number, **nested["failed"])
        elif "lost" in nested:
            self._conductor.lost(number, nested["lost"]["error"])
        elif "unreadable" in nested:  # what all trials need
            self._conductor.storage_failed(number, nested["unreadable"]["error"])
        elif "storage" in nested:
            self._storage_failed(number, nested["storage"]["error"])
        else:
            return False
        return True

    def _begin_next(self, tune_controller: Any, trial: Any) -> bool:
        """Begins the next trial in the process of one that has ended; whether there is one for it."""
        config = self._searcher.next_for_process(trial.config) if self._searcher is not None else None
        if config is None:
            return False
        trial.set_config(config)
        self.on_trial_start(trial)
        self._conductor.started(config["number"])
        begin_in_its_process(tune_controller, trial, config)
        return True

    def _storage_failed(self, number: int, error: str) -> None:
        """A node could not store a checkpoint: its trial goes on elsewhere, unless the driver cannot write either."""
        params = self._conductor.state.trials[number].num_params
        if self._checkpoints is None or driver_cannot_write(self._checkpoints, params):
            self._conductor.storage_failed(number, error)
        else:
            self._conductor.displaced(number, f"its node could not write, though the driver can: {error}")

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """The trial's process died, or could not start."""
        error_file = getattr(trial, "error_file", None)
        is_there = error_file and Path(error_file).exists()
        text = Path(str(error_file)).read_text(errors="replace") if is_there else ""
        note = Path(trial.config["fault_note"])
        told, reason = told_fault(note), process_error(text)
        logs = None if self._checkpoints is None else logs_beside(self._checkpoints)
        limit, heard = trial.config["epoch_seconds"], self._heard.get(trial.trial_id)
        if limit is not None and heard is not None and time.monotonic() - heard >= limit:
            reason = f"an epoch must end within search.trial_timeout ({limit:g} s), but it did not"
        if (left := why_it_left(text, reason := told or reason)) is not None:
            self._conductor.displaced(trial.config["number"], left, noticed=was_noticed(text))
        else:
            known = f"{text.rstrip()}\n\n{left_behind(note)}"
            self._conductor.lost(
                trial.config["number"], with_log(reason, trial.config["trial_id"], logs, known)
            )

    def choose_trial_to_run(self, tune_controller: Any) -> None:
        """Tune's own queue is first in, first out; looking through all trials at every step would cost n squared.

        Nor does Tune write what became of each trial into its snapshot, a few ms a trial: the record is the state.
        """
        getattr(tune_controller, "_trials_to_cache", set()).clear()


class ConductorCallback(_NotPickled, Callback):
    """Tells the conductor when a trial has its process; keeps the progress display's clock moving."""

    def __init__(
        self,
        conductor: Conductor,
        tick: Callable[[], object] | None,
        on_trial_start: Callable[[Any], object] | None = None,
    ):
        self._conductor = conductor
        self._tick = tick
        self._on_trial_start = on_trial_start

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A process is there and the first epoch is about to begin."""
        if self._on_trial_start is not None:
            self._on_trial_start(trial)
        self._conductor.started(trial.config["number"])

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """The conductor has heard it; of what is left in `result` Tune keeps statistics, number by number."""
        for key in result.keys() - _TUNES_OWN:
            del result[key]

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Some times a second."""
        if self._tick is not None:
            self._tick()


class EndOfSearch(Stopper):
    """Ends everything when an interrupted or overdue search has waited long enough for its trials."""

    def __init__(self, conductor: Conductor):
        self._conductor = conductor
        self._waiting_since: float | None = None

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Single trials are the scheduler's matter."""
        return False

    def stop_all(self) -> bool:
        """Asked at every step of Tune's loop."""
        self._conductor.look_at_clock()
        reason = self._conductor.end_reason
        if reason is None or not reason.at_once:
            return False
        self._waiting_since = self._waiting_since or time.monotonic()
        patience = reason.seconds_for_epochs
        # One that waits for a place may wait for ever.
        return not self._conductor.live or time.monotonic() - self._waiting_since > patience

    def __getstate__(self) -> dict[str, Any]:
        return {}
