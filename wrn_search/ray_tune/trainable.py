"""The Ray Tune trainable: one process trains one trial after another, an epoch a step or several short ones.

It reports what happened as plain values and decides nothing: not when to stop, not what a failure means.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ray import tune

from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.errors import InputError
from wrn_search.hardware.arithmetic_on_offer import no_gpu_text
from wrn_search.hardware.waiting_threads import let_waiting_threads_sleep
from wrn_search.memory.device_errors import has_broken_gpu, is_out_of_memory
from wrn_search.memory.gpu_shares import allocator_fraction
from wrn_search.ray_tune.checkpoint_cadence import (
    Checkpoints,
    StorageError,
    discard,
    restore_if_there,
)
from wrn_search.ray_tune.end_with_parent import end_with_parent
from wrn_search.ray_tune.exception_texts import told_exception, whole_trace, with_log
from wrn_search.ray_tune.fault_note import begin_note, end_process, time_limit
from wrn_search.ray_tune.measuring.measured_costs import MeasuredCosts
from wrn_search.ray_tune.steps.epochs_of_a_step import goes_on
from wrn_search.space.data_folders import cache_root
from wrn_search.space.trial_config import TrialConfig

if TYPE_CHECKING:
    from wrn_search.images.prepared_data import PreparedData
    from wrn_search.space.dataset_section import DatasetSettings
    from wrn_search.training.training_loop import Training

_THREAD_PLACEMENT = ("OMP_PROC_BIND", "OMP_PLACES", "OMP_THREAD_LIMIT", "GOMP_CPU_AFFINITY", "KMP_AFFINITY")
_NO_STORAGE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


class WideResNetTrainable(tune.Trainable):
    """Trains the trial in `config`: `trial` (a `TrialConfig.to_dict`), `epochs_done` (on record), `checkpoint`,
    `threads`, `gpu_fraction`, `simulated_gpus` (whether they are there in name only), `context_bytes` (of the share,
    beside torch's allocator), `epoch_seconds` (None or a limit), `step_seconds` (of a step of several epochs),
    `fault_note` (a file for what ends the process, if it is a fault), `logs` (a folder for whole traces, or None),
    `measures` (objectives); `accelerator` is for Ray.

    A step returns `{"epoch": {...}}`, or how the trial ended: `diverged`, `failed` (it would fail again), `lost` (a
    fault that can pass) or `storage` (nothing can be written). Of several epochs in a step (`steps/`) those before the
    last are `earlier`, each with `ended_ago`. Exceptions of the training are values, so that the process lives on for
    the next trial; only one after which the GPU answers no more ends it. `checkpoint` is written before an epoch of
    `rungs` or the last one is reported, and each `checkpoint_seconds` in between: after a kill it can hold epochs that
    are not on record, which are reported first, from the checkpoint, and can lack some that are, which are trained and
    reported again.
    """

    _training: Training | None = None
    _checkpoints: Checkpoints | None = None
    _costs: MeasuredCosts | None = None
    _data: ClassVar[
        dict[DatasetSettings, PreparedData]
    ] = {}  # of the process: its next trial looks for no file

    def setup(self, config: dict[str, Any]) -> None:
        """Remembers the trial; the first step imports torch and builds it, where a failure can be told."""
        end_with_parent()
        if "fault_note" in config:
            begin_note(Path(config["fault_note"]))
        _set_up_threads()
        os.environ.setdefault(
            "TORCHINDUCTOR_CACHE_DIR", str(cache_root() / "compiled")
        )  # shared by all trials
        trial = config["trial"]  # text, as the driver sends it
        self._assignment = {**config, "trial": json.loads(trial) if isinstance(trial, str) else trial}
        self._reported: int = config["epochs_done"]
        self._checkpoints = Checkpoints(
            Path(config["checkpoint"]), config.get("rungs", ()), config.get("checkpoint_seconds", 0)
        )
        folder, share = Path(config["checkpoint"]).parent, config["gpu_fraction"]
        self._costs = MeasuredCosts(config.get("measures", ()), folder, share)
        self.config: dict[str, Any] = {}  # each result would carry it

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """The next trial in the same process."""
        self.cleanup()
        self.setup(new_config)
        return True

    def train_next(self, config: dict[str, Any]) -> dict[str, Any]:
        """The first step of the next trial, which the driver hands over with the call; as `train` else."""
        try:
            self.reset_config(config)
        except Exception as error:  # the process must not train the trial before again
            end_process(told_exception(error))
        result: dict[str, Any] = self.train()
        return result

    def keep_checkpoint(self) -> None:
        """Writes what was completed last: the driver asks when the trial rests, or its session ends.

        Nobody hears of an error here, which costs what a kill costs.
        """
        if self._training is not None and self._checkpoints is not None:
            with suppress(StorageError), time_limit(self._assignment["epoch_seconds"]):
                self._checkpoints.write_now(self._training)

    def step(self) -> dict[str, Any]:
        """One epoch, or several short ones up to the next rung."""
        trial, told = self._assignment["trial"], self._assignment
        ends, most = {*told.get("rungs", ()), trial["epochs"]}, told.get("step_seconds", 0)
        earlier: list[tuple[float, dict[str, Any]]] = []  # (monotonic seconds of its end, result)
        began = before = time.monotonic()
        while True:
            result, now = self._one_epoch(), time.monotonic()
            if "epoch" not in result or not goes_on(
                result["epoch"]["epoch"], ends, passed=now - began, took=now - before, most=most
            ):
                break
            earlier.append((now, result))
            before = now
        if earlier:
            result = {name: earlier[-1][1][name] for name in ("node", "device")} | result
            result["earlier"] = [{**each["epoch"], "ended_ago": now - at} for at, each in earlier]
        return result

    def _one_epoch(self) -> dict[str, Any]:
        """An epoch, or how the trial ended."""
        try:
            return self._epoch()
        except (StorageError, NoGpuError) as error:  # it would be so for every trial
            self.cleanup()
            return {"storage": {"error": str(error)}}
        except OSError as error:
            self.cleanup()
            if error.errno in _NO_STORAGE:
                return {"storage": {"error": str(error)}}
            return {"lost": {"error": self._with_trace(error)}}
        except Exception as error:  # whatever it is, it is this trial's end and has to be told
            if has_broken_gpu(error):  # the trial is lost, and the next one gets a process that can train it
                end_process(told_exception(error))
            told = {"error": self._with_trace(error), "out_of_memory": is_out_of_memory(error)}
            traceback.clear_frames(error.__traceback__)  # they hold the activations of the step that failed
            self.cleanup()
            return {"failed": told}

    def cleanup(self) -> None:
        """Frees the network."""
        if self._checkpoints is not None:
            self._checkpoints.abandon()
        if self._training is not None:
            self._training.close()
            self._training = None

    def _with_trace(self, error: Exception) -> str:
        """What went wrong; where that is not the user's own matter, with the file that has the whole trace."""
        logs = self._assignment.get("logs")
        return with_log(
            str(error) if isinstance(error, OSError) else told_exception(error),
            Path(self._assignment["checkpoint"]).stem,
            None if logs is None or isinstance(error, InputError) else Path(logs),
            whole_trace(error),
        )

    def _epoch(self) -> dict[str, Any]:
        if (lost := self._make_ready()) is not None:
            return lost
        from wrn_search.training.divergence import Diverged

        training = self._training
        assert training is not None, "made ready"
        assert self._checkpoints is not None, "set up with the trial"
        assert self._costs is not None
        if self._reported < training.epoch:
            metrics = training.history[self._reported]
        else:
            try:
                limit = self._assignment["epoch_seconds"]
                with self._costs.turn(training, limit), time_limit(limit):
                    # The limit is also that of a network directory, which can hang, too.
                    metrics = self._costs.of_epoch(training, training.run_epoch)
                    self._checkpoints.after_epoch(training)
            except Diverged as divergence:
                return {"diverged": {"epoch": divergence.epoch, "error": divergence.text}}
        self._reported = max(self._reported, metrics.epoch)
        return {"epoch": vars(metrics), "node": socket.gethostname(), "device": str(training.device)}

    def _make_ready(self) -> dict[str, Any] | None:
        """Builds the training where it is not there; how the trial ended, if that could not be."""
        if self._training is not None:
            return None
        assert self._costs is not None, "set up with the trial"
        on_cpu = not self._assignment["gpu_fraction"] or self._assignment.get("simulated_gpus", False)
        with self._costs.beside("cpu" if on_cpu else ""):  # importing torch keeps cores busy, too
            from wrn_search.training.checkpoints.checkpoint_file import CheckpointError

            try:
                self._training = self._build()
            except CheckpointError as error:  # the next try begins without it
                self.cleanup()
                discard(Path(self._assignment["checkpoint"]))
                return {"lost": {"error": str(error)}}
        return None

    def _build(self) -> Training:
        """The training, from its checkpoint if there is one."""
        import torch

        from wrn_search.images.prepared_data import prepare
        from wrn_search.memory.keeping_freed_memory import keep_freed_memory
        from wrn_search.training.several_gpus.replicated_training import ReplicatedTraining
        from wrn_search.training.training_loop import Training

        assert self._costs is not None, "set up with the trial"
        keep_freed_memory()
        config = TrialConfig.from_dict(self._assignment["trial"])
        device = _device(self._assignment["gpu_fraction"], self._assignment.get("simulated_gpus", False))
        if device == "cuda":  # one trial that takes too much must not take its neighbours down
            total = torch.cuda.get_device_properties(0).total_memory
            share, context = self._assignment["gpu_fraction"], self._assignment["context_bytes"]
            torch.cuda.set_per_process_memory_fraction(allocator_fraction(share, total, context))
        with self._costs.beside(device if device == "cuda" else ""):
            data = self._data[config.dataset] = self._data.get(config.dataset) or prepare(config.dataset)
            gpus, threads = int(self._assignment["gpu_fraction"]), self._assignment["threads"]
            training = (
                ReplicatedTraining(config, data, gpus=gpus, device=device, threads=threads)
                if gpus > 1
                else Training(config, data, device=device, threads=threads)
            )
            with time_limit(self._assignment["epoch_seconds"]):
                restore_if_there(training, Path(self._assignment["checkpoint"]))
        return training


def _set_up_threads() -> None:
    """Drops what would tie every trial process of a node to the same cores, and lets threads that wait sleep.

    OpenMP reads both when torch is imported. The number of threads needs no such care: `Training` sets it, whatever
    OMP_NUM_THREADS says.
    """
    for name in _THREAD_PLACEMENT:
        os.environ.pop(name, None)
    let_waiting_threads_sleep()


class NoGpuError(RuntimeError):
    """A trial was given a share of a GPU that torch does not see: it would train on the CPU without a word."""


def _device(gpu_fraction: float, simulated: bool) -> str:
    """`cuda` when the trial was given a share of a GPU; a simulated one trains on the CPU.

    Raises:
        NoGpuError: torch sees none, and none was declared simulated.
    """
    import torch

    if not gpu_fraction:
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    if simulated:
        return "cpu"
    raise NoGpuError(no_gpu_text(socket.gethostname()))


def metrics_of(result: dict[str, Any]) -> EpochMetrics:
    """The metrics of a step's last epoch."""
    return EpochMetrics(**result["epoch"])


def earlier_epochs(result: dict[str, Any]) -> Iterator[tuple[EpochMetrics, float]]:
    """(metrics, seconds since it ended) of each epoch of a step before its last one."""
    for each in result.get("earlier", ()):
        values = dict(each)
        ended_ago = values.pop("ended_ago")
        yield EpochMetrics(**values), ended_ago


def unflattened(result: dict[str, Any]) -> dict[str, Any]:
    """Tune hands results over with nested keys joined by slashes."""
    nested: dict[str, Any] = {}
    for key, value in result.items():
        *heads, tail = key.split("/")
        within = nested
        for head in heads:
            within = within.setdefault(head, {})
        within[tail] = value
    return nested
