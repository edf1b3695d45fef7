"""Asking the driver of a search to stop, from any machine that sees its results directory, and waiting until it has."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrn_search.errors import InputError
from wrn_search.progress.driver import Driver, driver_of
from wrn_search.progress.light_reading import light_events
from wrn_search.progress.stop_request import ask_to_stop, session_that_listens
from wrn_search.results.events import SearchEnded
from wrn_search.results.results_directory import ResultsDirectory

_SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class Asked:
    """A session that was asked to stop."""

    path: Path
    driver: Driver
    session: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"results": str(self.path), "driver": self.driver.to_dict()}


def asked(path: Path | str) -> list[Asked]:
    """Asks all that runs in a results directory to stop: its search, its confirmation, its audit.

    Raises:
        InputError: nothing runs there, or it cannot be asked.
    """
    directory = ResultsDirectory(path)
    directory.check_is_there()
    if not directory.exists() and driver_of(directory) is None:
        text = f"must be the results directory of a search, {directory.why_none()}"
        raise InputError.of("", text, str(directory.path))
    running = [
        (each, driver)
        for each in (directory, directory.confirmation, directory.audit)
        if (driver := driver_of(each)) is not None
    ]
    if not running:
        text = f"a search must run there to be stopped, but no process writes its record ({_how_it_ended(directory)})"
        raise InputError.of("", text, str(directory.path))
    return [_ask(each, driver) for each, driver in running]


def _ask(directory: ResultsDirectory, driver: Driver) -> Asked:
    if session_that_listens(directory.path) is None:
        hint = (
            "press Ctrl-C where it runs"
            if driver.pid is None
            else f"press Ctrl-C, or kill -INT {driver.pid}, there"
        )
        text = f"must be a search that can be asked to stop, but {driver} does not listen (yet)"
        raise InputError.of("", f"{text}: try again in a moment, or {hint}", str(directory.path))
    return Asked(directory.path, driver, ask_to_stop(directory.path))


def _how_it_ended(directory: ResultsDirectory) -> str:
    reason = end_on_record(directory)
    return "it was killed" if reason is None else f"it ended: {reason}"


def end_on_record(directory: ResultsDirectory) -> str | None:
    """The reason of the last session's end; None where none is on record."""
    events = light_events(directory.events) if directory.exists() else []
    last = events[-1][1] if events else None
    return last.reason if isinstance(last, SearchEnded) else None


def wait_until_stopped(request: Asked) -> str | None:
    """Waits until a session that was asked has let go of its record; why it ended, None where it was killed."""
    directory = ResultsDirectory(request.path)
    while driver_of(directory) is not None and _listens(directory, request.session):
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    while driver_of(directory) is not None and session_that_listens(directory.path) is None:
        time.sleep(_SECONDS_BETWEEN_LOOKS)  # it writes its last tables
    return end_on_record(directory)


def _listens(directory: ResultsDirectory, session: str) -> bool:
    return session_that_listens(directory.path) == session
