"""Which checkpoints stay: those of unfinished trials, and of the best completed ones. A fold over events."""

from __future__ import annotations

import contextlib
from pathlib import Path

from wrn_search.results.events import (
    Completed,
    Diverged,
    Event,
    Failed,
    Proposed,
    Reopened,
    Reported,
    Stopped,
)


class CheckpointKeeper:
    """Deletes each checkpoint as soon as nothing can need it; a subscriber of the record.

    Of networks that were trained on all images, which no validation error ranks, each configuration's first stays.

    Args:
        folder: of the checkpoints.
        best: how many completed trials keep theirs (`search.keep_checkpoints`).
    """

    def __init__(self, folder: Path, best: int):
        self._folder = folder
        self._places = best
        self._all_ids: dict[int, str] = {}
        self._ids: dict[int, str] = {}  # of those whose checkpoint may stay
        self._errors: dict[int, float] = {}
        self._repeats: dict[int, int] = {}
        self._best: list[int] = []  # completed trials by rising error, the lower number of equals first

    def __call__(self, moment: float, event: Event) -> None:
        """Takes in a written event."""
        match event:
            case Proposed():
                self._ids[event.number] = self._all_ids[event.number] = event.trial_id
                self._repeats[event.number] = event.repeat
            case Reported() if event.metrics.val_error is not None:
                self._errors[event.number] = event.metrics.val_error
            case Completed() if event.number in self._best:
                pass  # it ended before
            case Completed() if event.number in self._errors:
                self._keep_better(event.number)
            case Completed() if self._repeats[event.number] > 0:
                self._delete(event.number)
            case Stopped() | Diverged() | Failed():
                self._delete(event.number)
            case Reopened():
                self._ids[event.number] = self._all_ids[event.number]
            case _:
                pass

    def sweep(self) -> None:
        """Deletes what a kill left behind: files of no unfinished trial, half-written ones too."""
        needed = {f"{trial_id}.pt" for trial_id in self._ids.values()}
        for path in self._folder.iterdir():
            if path.name not in needed and not path.is_dir():
                with contextlib.suppress(OSError):  # such as a file of NFS that somebody still reads
                    path.unlink()

    def _keep_better(self, number: int) -> None:
        self._best.append(number)
        self._best.sort(key=lambda each: (self._errors[each], each))
        for loser in self._best[self._places :]:
            self._delete(loser)
        del self._best[self._places :]

    def _delete(self, number: int) -> None:
        trial_id = self._ids.pop(number, None)
        if trial_id is not None:
            (self._folder / f"{trial_id}.pt").unlink(missing_ok=True)
