"""Checkpoints that are written while the training goes on: from copies, by a thread, one at a time."""

from __future__ import annotations

import copy
import threading
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wrn_search.training.checkpoints.checkpoint_file import save_checkpoint

_SECONDS_TO_END = 10.0  # for a write that nobody wants any more; a disk that hangs is not waited for


class BackgroundWriter:
    """Writes the states of one training to one file."""

    def __init__(self, path: Path):
        self._path = path
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._is_abandoned = False

    def begin(self, state: dict[str, Any]) -> None:
        """Copies a state and lets it be written; the training may go on when this returns.

        Waits first for the one before.

        Raises:
            OSError: the one before could not be written.
        """
        self.wait()
        copied = copied_state(state)
        copied_at = None
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            copied_at = torch.cuda.Event()  # type: ignore[no-untyped-call]
            copied_at.record()
        self._thread = threading.Thread(target=self._write, args=(copied, copied_at), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until what was begun lies on the disk.

        Raises:
            OSError: it could not be written.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        error, self._error = self._error, None
        if error is not None:
            raise error

    def abandon(self) -> None:
        """What is being written need not take the place of the file that is there."""
        self._is_abandoned = True
        if self._thread is not None:
            self._thread.join(_SECONDS_TO_END)
            self._thread = None

    def _write(self, state: dict[str, Any], copied_at: torch.cuda.Event | None) -> None:
        try:
            if copied_at is not None:
                copied_at.synchronize()
            save_checkpoint(self._path, state, lambda: not self._is_abandoned)
        except BaseException as error:
            self._error = error  # the training hears of it at its next checkpoint


def copied_state(value: Any) -> Any:
    """A nested state whose tensors are copies on the CPU: nothing that a training does later changes them.

    Copies from CUDA are in pinned memory and not waited for: they are whole once what was queued before on the current
    stream has run, which is before any later step.
    """
    if isinstance(value, Tensor):
        if value.device.type != "cuda":
            return value.detach().to("cpu", copy=True)
        pinned = torch.empty_like(value, device="cpu", pin_memory=True)
        return pinned.copy_(value.detach(), non_blocking=True)
    if isinstance(value, dict):
        copied = copy.copy(value)  # with the attributes that torch gives to the state of a network
        for key in value:
            copied[key] = copied_state(value[key])
        return copied
    if isinstance(value, (list, tuple)):
        return type(value)(copied_state(each) for each in value)
    return value
