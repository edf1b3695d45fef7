"""Which checkpoints stay: those of unfinished trials, and the best completed one. A fold over events."""

from __future__ import annotations

import contextlib
from pathlib import Path

from wrn_search.results.events import Completed, Diverged, Event, Failed, Proposed, Reported, Stopped


class CheckpointKeeper:
    """Deletes each checkpoint as soon as nothing can need it; a subscriber of the record."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._ids: dict[int, str] = {}
        self._errors: dict[int, float] = {}
        self._best: int | None = None

    def __call__(self, moment: float, event: Event) -> None:
        """Takes in a written event."""
        match event:
            case Proposed():
                self._ids[event.number] = event.trial_id
            case Reported():
                self._errors[event.number] = event.metrics.val_error
            case Completed():
                self._keep_better(event.number)
            case Stopped() | Diverged() | Failed():
                self._delete(event.number)
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
        loser: int | None = number
        if self._best is None or self._errors[number] < self._errors[self._best]:
            loser, self._best = self._best, number
        if loser is not None:
            self._delete(loser)

    def _delete(self, number: int) -> None:
        trial_id = self._ids.pop(number, None)
        if trial_id is not None:
            (self._folder / f"{trial_id}.pt").unlink(missing_ok=True)
