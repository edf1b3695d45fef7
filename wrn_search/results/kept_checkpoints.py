"""Which checkpoints stay: those of unfinished configurations, and of the best completed ones. A fold over events."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from wrn_search.objectives.dominance import comparable, fronts_of
from wrn_search.results.events import Completed, Diverged, Event, Failed, Proposed, Reopened, Stopped
from wrn_search.results.trial_selection import Standing, Standings
from wrn_search.results.trial_state import FINAL


class CheckpointKeeper:
    """Deletes each checkpoint as soon as nothing can need it; a subscriber of the record.

    Each of the best configurations keeps one, that of the repeat at its median, which is known once all its repeats
    have ended: until then each that is completed keeps its own. Of networks that were trained on all images, which no
    validation error ranks, each configuration's first stays.

    Args:
        folder: of the checkpoints.
        best: how many configurations keep one (`search.keep_checkpoints`).
        repeats: of each configuration (`search.repeats`).
        costs: with several objectives, what the others are of a configuration: then the best are those on the first
            fronts.
    """

    def __init__(
        self,
        folder: Path,
        best: int,
        repeats: int = 1,
        costs: Callable[[int], Sequence[float | None]] | None = None,
    ):
        self._folder = folder
        self._places = best
        self._repeats = repeats
        self._costs = costs
        self._standings = Standings()
        self._all_ids: dict[int, str] = {}
        self._ids: dict[int, str] = {}  # of those whose checkpoint may stay
        self._first: set[int] = set()  # trials that are the first repeat of their configuration
        self._best: list[tuple[Standing, int]] = []  # whole configurations, the best first

    def __call__(self, moment: float, event: Event) -> None:
        """Takes in a written event."""
        configuration = self._standings.apply(event)
        if isinstance(event, Proposed):
            self._ids[event.number] = self._all_ids[event.number] = event.trial_id
            if event.repeat == 0:
                self._first.add(event.number)
        if configuration is None:
            return
        match event:
            case Reopened():
                self._ids[event.number] = self._all_ids[event.number]
                self._best = [each for each in self._best if each[1] != configuration]
            case Stopped() | Diverged() | Failed():
                self._delete(event.number)
                self._rank(configuration)
            case Completed() if self._standings.is_ranked(event.number):
                self._rank(configuration)
            case Completed() if event.number not in self._first:
                self._delete(event.number)

    def sweep(self) -> None:
        """Deletes what a kill left behind: files of no unfinished trial, half-written ones too."""
        needed = {f"{trial_id}.pt" for trial_id in self._ids.values()}
        for path in self._folder.iterdir():
            if path.name not in needed and not path.is_dir():
                with contextlib.suppress(OSError):  # such as a file of NFS that somebody still reads
                    path.unlink()

    def _rank(self, configuration: int) -> None:
        """Of a configuration whose repeats have all ended, the one at the median may stay."""
        repeats = self._standings.repeats_of(configuration)
        if len(repeats) < self._repeats or any(each.status not in FINAL for each in repeats):
            return
        standing = self._standings.standing(configuration)
        for each in repeats:
            is_ranked = each.status == "completed" and each.error is not None
            if is_ranked and (standing is None or each.number != standing.number):
                self._delete(each.number)
        if standing is not None:
            self._best.append((standing, configuration))
            self._sort()
            for loser, _ in self._best[self._places :]:
                self._delete(loser.number)
            del self._best[self._places :]

    def _sort(self) -> None:
        """The best first."""
        self._best.sort(key=lambda each: each[0].order)
        if self._costs is not None:
            values = [
                comparable(standing.median, self._costs(configuration), math.inf)
                for standing, configuration in self._best
            ]
            in_order = sorted(zip(fronts_of(values), range(len(values)), strict=True))
            self._best = [self._best[place] for _, place in in_order]

    def _delete(self, number: int) -> None:
        trial_id = self._ids.pop(number, None)
        if trial_id is not None:
            (self._folder / f"{trial_id}.pt").unlink(missing_ok=True)
