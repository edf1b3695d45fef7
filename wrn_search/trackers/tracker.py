"""What every tracker keeps to: it is brought up to the state of a search, from wherever it stood."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import FINAL, TrialState


class Tracker(Protocol):
    """A place outside the record that shows a search.

    It was opened on what is there already: each call sends what is missing, nothing twice. Whatever goes wrong is
    raised, and the tracker is opened again: it asks what had arrived.
    """

    def update(self, state: SearchState, changed: Iterable[int]) -> None:
        """Brings the search, and the trials of these numbers, up to the state."""

    def close(self, state: SearchState, is_running: bool) -> None:
        """The last call: with the report, if there is one; `is_running` where a driver still writes the record."""

    @property
    def place(self) -> str:
        """Where people look at it, in words."""


@dataclass(frozen=True)
class TrackerKind:
    """One line of the table."""

    open: Callable[[ResultsDirectory, SearchState], Tracker]  # asks what is there already
    package: str | None = None  # that must be installed, by the extra of the tracker's name


def report_of(directory: ResultsDirectory) -> Path | None:
    """The report, if there is one; a link, as in a folder that came from somebody else, is none: it is sent away."""
    path = directory.report
    return path if path.is_file() and not path.is_symlink() else None


def is_shown(trial: TrialState) -> bool:
    """Whether a trial has begun, or ended without that: what is only proposed is not shown."""
    return trial.started_at is not None or trial.status in FINAL
