"""What a search's objectives ask for beside what every epoch tells, in the process that trains a trial.

`inference_ms`, `inference_ms_64`: measured before the trial's first epoch, alone on the device. Trials that share a
device with others of their search take turns there: whoever measures waits until those that train have ended their
epoch and those that are being built are there, and they begin their next one when it has measured. That other searches
or programs compute there meanwhile is not seen, nor that a trial's process starts. `energy_kwh`: the counters of the
trial's GPUs after an epoch, less what they said before it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.file_system.turns import Turns
from wrn_search.hardware.gpu_energy import GpuEnergy
from wrn_search.objectives.objective_table import INFERENCE_IMAGES
from wrn_search.ray_tune.fault_note import time_limit

# A building that takes longer downloads or decodes images, or hangs: nobody who measures waits for it any more.
_BUILDING_SECONDS = 60.0

if TYPE_CHECKING:
    from wrn_search.training.training_loop import Training


class MeasuredCosts:
    """Measures for one trial.

    Args:
        names: of objectives; those that need no measuring are passed over.
        checkpoints: of the search, by which its trials know each other on a machine.
        gpu_fraction: of a GPU that the trial was given.
    """

    def __init__(self, names: Collection[str], checkpoints: Path, gpu_fraction: float):
        self._images = {name: images for name, images in INFERENCE_IMAGES.items() if name in names}
        self._counts_energy = "energy_kwh" in names
        self._checkpoints, self._gpu_fraction = checkpoints, gpu_fraction
        self._counters: GpuEnergy | None = None
        self._told: dict[str, Any] = {}  # of the epoch that is trained

    @contextmanager
    def beside(self, device: str) -> Iterator[None]:
        """Inside, a trial is built while no trial of the search measures on the device.

        Args:
            device: `cpu`, `cuda`; empty: not shared.
        """
        if not self._images or not device or (device == "cuda" and self._gpu_fraction >= 1):
            yield
            return
        with self._turns_on(device).together(most=_BUILDING_SECONDS):
            yield

    @contextmanager
    def turn(self, training: Training, limit: float | None = None) -> Iterator[None]:
        """Inside, an epoch is trained while no trial of the search measures on the device.

        Args:
            training: of the trial.
            limit: seconds, of measuring one objective; then the process ends. Waiting for a turn does not count.
        """
        if not self._images:
            yield
            return
        if training.device.type == "cuda" and self._gpu_fraction >= 1:  # nobody shares it
            self._measure_once(training, limit)
            yield
            return
        turns = self._turns_on(training.device.type)
        if self._is_due(training):
            with turns.alone():
                self._measure_once(training, limit)
        with turns.together():
            yield

    def of_epoch(self, training: Training, run_epoch: Callable[[], EpochMetrics]) -> EpochMetrics:
        """Trains an epoch; its metrics, also those that the training keeps, with what was measured.

        Raises:
            NoEnergyCounter: the GPUs do not tell their energy.
        """
        before = self._kwh(training) if self._counts_energy else 0.0
        metrics = run_epoch()
        if self._counts_energy:
            self._told["energy_kwh"] = max(0.0, self._kwh(training) - before)
        if self._told:
            metrics = training.history[-1] = replace(metrics, **self._told)
        self._told = {}
        return metrics

    def _turns_on(self, device: str) -> Turns:
        return Turns(_folder(self._checkpoints), _name(device))

    def _is_due(self, training: Training) -> bool:
        return not any(
            getattr(metrics, name) is not None for metrics in training.history for name in self._images
        )

    def _measure_once(self, training: Training, limit: float | None) -> None:
        """Before the first epoch: what the passes take of memory is forgotten again."""
        if not self._is_due(training):
            return
        from wrn_search.memory.measured_peak import forget_warm_up

        for name, images in self._images.items():
            with time_limit(limit, f"measuring {name}"):
                self._told[name] = training.evaluation.milliseconds(images, training.image_shape)
                forget_warm_up(training.device)

    def _kwh(self, training: Training) -> float:
        if self._counters is None:
            self._counters = GpuEnergy(_gpus_of_this_process())
        return self._counters.kwh()


def _gpus_of_this_process() -> list[str]:
    """UUIDs of the GPUs that it was given, all of which are its trial's."""
    import torch

    gpus = range(torch.cuda.device_count())
    return [f"GPU-{torch.cuda.get_device_properties(gpu).uuid}" for gpu in gpus]


def _name(device: str) -> str:
    """Of a device (`cpu`, `cuda`), on this machine."""
    if device != "cuda":
        return device
    import torch

    return f"gpu-{torch.cuda.get_device_properties(device).uuid}"


def _folder(checkpoints: Path) -> Path:
    """Of this machine, for one search and one user."""
    search = hashlib.sha256(str(checkpoints.absolute()).encode()).hexdigest()[:16]
    user = os.getuid() if hasattr(os, "getuid") else 0
    return Path(tempfile.gettempdir()) / f"wrn-search-turns-{user}" / search
