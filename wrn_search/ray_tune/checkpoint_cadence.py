"""When a trial's checkpoint is written, read and thrown away.

It is written after every epoch, before the epoch is reported: after a kill it may hold epochs that are not on record,
and never lacks one that is. The format is `training/checkpoint_file.py`, which of them stay is
`results/kept_checkpoints.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wrn_search.file_system.write_probe import writing_error

if TYPE_CHECKING:
    from wrn_search.training.training_loop import Training


_AT_LEAST_BYTES = 1 << 20


class StorageError(RuntimeError):
    """The disk is full, gone or not ours."""


def checkpoint_file(checkpoints: Path, trial_id: str) -> Path:
    """Where a trial's last checkpoint lies."""
    return checkpoints / f"{trial_id}.pt"


def write_after_epoch(training: Training, path: Path) -> None:
    """Writes the checkpoint of the epoch that has just been completed.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        training.save(path)
    except OSError as error:
        text = f"a checkpoint could not be written: {error.strerror or error} ({path})"
        raise StorageError(text) from error


def logs_beside(checkpoints: Path) -> Path:
    """Where whole traces are written: `ResultsDirectory.logs`."""
    return checkpoints.with_name("logs")


def driver_cannot_write(checkpoints: Path) -> bool:
    """Whether the driver itself finds no room for a checkpoint: else a trial's trouble is that of its node."""
    sizes = [path.stat().st_size for path in checkpoints.glob("*.pt")] if checkpoints.is_dir() else []
    return writing_error(checkpoints, max(sizes, default=0) + _AT_LEAST_BYTES) is not None


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
