"""When a trial's checkpoint is written, read and thrown away.

It is written at rungs and after the last epoch, before that epoch is reported; in between once a minute, by a thread
from copies while the trial trains on; and when the driver asks, because the trial rests. So after a kill a checkpoint
may be behind the record: the epochs since are trained again, to the same bits, and their rows on record stand. The
format is `training/checkpoints/checkpoint_file.py`, which of them stay is `results/kept_checkpoints.py`.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from wrn_search.file_system.write_probe import writing_error

if TYPE_CHECKING:
    from wrn_search.training.checkpoints.background_writer import BackgroundWriter
    from wrn_search.training.training_loop import Training


SECONDS = "WRN_SEARCH_CHECKPOINT_SECONDS"
_DEFAULT_SECONDS = 60.0
_AT_LEAST_BYTES = 1 << 20
_BYTES_A_PARAMETER = 16  # the weight, two means of its gradients and its average, in fp32, at most


class StorageError(RuntimeError):
    """The disk is full, gone or not ours."""


def seconds_between_checkpoints() -> float:
    """How much training a kill may cost between rungs: $WRN_SEARCH_CHECKPOINT_SECONDS, else a minute.

    With 0 a checkpoint is written after every epoch, before it is reported.
    """
    try:
        seconds = float(os.environ.get(SECONDS) or _DEFAULT_SECONDS)
    except ValueError:
        return _DEFAULT_SECONDS
    return seconds if math.isfinite(seconds) and seconds >= 0 else _DEFAULT_SECONDS


def checkpoint_file(checkpoints: Path, trial_id: str) -> Path:
    """Where a trial's last checkpoint lies."""
    return checkpoints / f"{trial_id}.pt"


def told_to_trial(checkpoints: Path, trial_id: str, rungs: Collection[int]) -> dict[str, object]:
    """What a trial's process must know of its checkpoint."""
    path = checkpoint_file(checkpoints, trial_id)
    return {"checkpoint": str(path), "rungs": rungs, "checkpoint_seconds": seconds_between_checkpoints()}


class Checkpoints:
    """Writes those of one trial, in the process that trains it.

    Args:
        path: the file.
        at: epochs after which it is there before they are reported, beside the last one: the rungs.
        seconds: between others; 0: it is there before any epoch is reported.
        clock: seconds.
    """

    def __init__(
        self,
        path: Path,
        at: Collection[int],
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._path, self._at, self._seconds, self._clock = path, frozenset(at), seconds, clock
        self._since = clock()  # when the state was written that lies there, or will
        self._kept = -1  # its epoch
        self._writer: BackgroundWriter | None = None

    def after_epoch(self, training: Training) -> None:
        """Writes the state of the epoch that has just been completed, or has it written, if it is time.

        Raises:
            StorageError: it cannot be written, or the one before could not.
        """
        epoch = training.epoch
        if self._seconds == 0 or epoch in self._at or epoch >= training.config.epochs:
            self.write_now(training)
        elif self._clock() - self._since >= self._seconds:
            self._began(training)
            _told(self._background().begin, training.state(), path=self._path)

    def write_now(self, training: Training) -> None:
        """It lies on the disk when this returns.

        Raises:
            StorageError: it cannot be written.
        """
        if self._kept == training.epoch:
            _told(self._background().wait, path=self._path)
            return
        if self._writer is not None:
            _told(self._writer.wait, path=self._path)  # both write to the same partial file
        _told(training.save, self._path, path=self._path)
        self._began(training)

    def abandon(self) -> None:
        """The trial has left this process: what is still being written is not needed."""
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None

    def _began(self, training: Training) -> None:
        self._since, self._kept = self._clock(), training.epoch

    def _background(self) -> BackgroundWriter:
        from wrn_search.training.checkpoints.background_writer import (
            BackgroundWriter,  # torch, which a driver need not
        )

        self._writer = self._writer or BackgroundWriter(self._path)
        return self._writer


def _told(write: Callable[..., None], *arguments: object, path: Path) -> None:
    try:
        write(*arguments)
    except OSError as error:
        text = f"a checkpoint could not be written: {error.strerror or error} ({path})"
        raise StorageError(text) from error


def logs_beside(checkpoints: Path) -> Path:
    """Where whole traces are written: `ResultsDirectory.logs`."""
    return checkpoints.with_name("logs")


def driver_cannot_write(checkpoints: Path, num_params: int = 0) -> bool:
    """Whether the driver itself finds no room for a checkpoint: else a trial's trouble is that of its node.

    As large as the largest there is, or as that of a network of so many parameters.
    """
    sizes = [path.stat().st_size for path in checkpoints.glob("*.pt")] if checkpoints.is_dir() else []
    largest = max([*sizes, _BYTES_A_PARAMETER * num_params])
    return writing_error(checkpoints, largest + _AT_LEAST_BYTES) is not None


def restore_if_there(training: Training, path: Path) -> None:
    """Goes on from a trial's last checkpoint, if it has one.

    Raises:
        CheckpointError: unreadable, or of another training.
    """
    if path.exists():
        training.restore(path)


def discard(path: Path) -> None:
    """Removes a checkpoint that cannot be used: the next try begins without it."""
    path.unlink(missing_ok=True)
