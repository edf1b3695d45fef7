"""When a trial's checkpoint is written, read and thrown away.

It is written after every epoch, before the epoch is reported: after a kill it may hold epochs that are not on record,
and never lacks one that is. The format is `training/checkpoint_file.py`, which of them stay is
`results/kept_checkpoints.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wrn_search.training.training_loop import Training


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
