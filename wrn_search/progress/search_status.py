"""How a search stands, by its results directory alone: from another terminal or machine, while it runs or after."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from wrn_search.errors import InputError
from wrn_search.progress.driver import Driver, driver_of
from wrn_search.progress.light_reading import light_events
from wrn_search.progress.search_progress import Progress
from wrn_search.progress.verdict_file import read_verdict
from wrn_search.results.events import (
    Chosen,
    Proposed,
    SearchEnded,
    SearchResumed,
    SearchStarted,
    TimedEvent,
)
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.wording import budget_text, spending_text

_HOUR = 3600.0
_CAME_TO_AN_END = ("finished", "exhausted", "max_hours", "budget", "decided")


@dataclass(frozen=True)
class FundsOnRecord:
    """`search.budget` and what the record says was spent of it."""

    budget: Mapping[str, float]
    spent: Mapping[str, float]

    @property
    def left(self) -> dict[str, float]:
        """Of the quantities that are known."""
        return {
            name: max(0.0, most - self.spent[name])
            for name, most in self.budget.items()
            if name in self.spent
        }

    @property
    def text(self) -> str:
        """`1,240 of 2,000 epochs`."""
        return spending_text(self.budget, self.spent)

    @property
    def left_text(self) -> str:
        """`760 epochs`."""
        return budget_text(self.left)

    @property
    def seconds_left(self) -> float | None:
        """As fast as it was so far."""
        hours = [
            self.spent.get("hours", 0.0) * left / self.spent[name]
            for name, left in self.left.items()
            if self.spent[name] > 0
        ]
        return _HOUR * min(hours) if hours else None


@dataclass(frozen=True)
class SearchStatus:
    """How a search stands."""

    directory: ResultsDirectory
    search: str  # its name; empty while it is being started
    kind: str  # search | confirmation | audit
    state: str  # starting | running | finished | interrupted | failed | died | unknown
    reason: str | None  # of the last session's end, as on record; None while one goes on, or was killed
    driver: Driver | None
    progress: Progress
    now: float  # Unix seconds: this moment while it runs, else that of the last event
    last_event: float  # Unix seconds
    seconds_spent: float  # wall seconds of all sessions
    verdict: dict[str, Any] | None  # see `verdict_file.py`
    funds: FundsOnRecord | None = None  # where there is a budget
    tests_each: bool = False  # `protocol: test_each`: nothing is chosen, and there is no verdict of a search

    @property
    def is_running(self) -> bool:
        """Whether a driver lives."""
        return self.state in ("starting", "running")

    @property
    def can_go_on(self) -> bool:
        """Whether `--resume` has something to do."""
        return self.state in ("interrupted", "failed", "died")


def status_of(directory: ResultsDirectory) -> SearchStatus:
    """The status of the search in a results directory.

    Raises:
        InputError: there is none, or its record cannot be read.
    """
    directory.check_is_there()
    driver = driver_of(directory)
    if not directory.exists():
        if driver is None:
            text = f"must be the results directory of a search, {directory.why_none()}"
            raise InputError.of("", text, str(directory.path))
        now = time.time()
        return SearchStatus(
            directory, "", "search", "starting", None, driver, Progress(0, 0, now), now, now, 0.0, None
        )
    try:
        events = light_events(directory.events)
        if not _are_of_known_trials(events):
            raise ValueError("a trial must be proposed before anything else happens to it")
        return status_from(directory, driver, events)
    except InputError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError):
        # A line that this program did not write, with a checksum that is right: all checks say which.
        events = read_events(directory.events)
        fold(events)
        return status_from(directory, driver, events)


def _are_of_known_trials(events: list[TimedEvent]) -> bool:
    known: set[int | None] = {event.number for _, event in events if isinstance(event, Proposed)} | {None}
    return all(getattr(event, "number", None) in known for _, event in events)


def status_from(
    directory: ResultsDirectory,
    driver: Driver | None,
    events: list[TimedEvent],
    progress: Progress | None = None,
) -> SearchStatus:
    """The status by events that were read.

    Args:
        directory: of the search.
        driver: that lives, if any does.
        events: all; where there is a `progress` those by which sessions begin and end, and the last one, are enough.
        progress: the fold of all events, where somebody keeps it; it stays as it is.

    Raises:
        InputError: they do not begin with the start of a search.
    """
    sessions = [
        (moment, event) for moment, event in events if isinstance(event, SearchStarted | SearchResumed)
    ]
    first = sessions[0][1] if sessions else None
    if not isinstance(first, SearchStarted):
        text = "must begin with the start of a search, but does not"
        raise InputError.of("", text, str(directory.events))
    last_moment, last_event = events[-1]
    end = last_event if isinstance(last_event, SearchEnded) else None
    state = _state(driver, end)
    now = max(time.time(), last_moment) if state == "running" else last_moment
    seconds = _seconds_spent(events, now)
    progress = replace(progress or progress_of(events))
    progress.funds = funds = _funds(sessions, end, progress.epochs_done, seconds)
    if state != "running":
        progress.running = {}  # what trained ended with its session
    return SearchStatus(
        directory,
        first.search,
        _kind(events, first),
        state,
        end.reason if end is not None and state != "running" else None,
        driver,
        progress,
        now,
        last_moment,
        seconds,
        read_verdict(directory),
        funds,
        _space(sessions).get("protocol") == "test_each",
    )


def _state(driver: Driver | None, end: SearchEnded | None) -> str:
    if driver is not None and driver.lives:
        return "running"
    if end is not None:
        return "finished" if end.reason in _CAME_TO_AN_END else end.reason
    return "died" if driver is None else "unknown"


def _kind(events: list[TimedEvent], first: SearchStarted) -> str:
    if any(isinstance(event, Chosen) for _, event in events):
        return "confirmation"
    return "audit" if "audits" in first.details else "search"


def _seconds_spent(events: list[TimedEvent], now: float) -> float:
    """Wall seconds of all sessions, each from its start to its last event, of one that goes on to this moment."""
    total, began, last = 0.0, events[0][0], events[0][0]
    for moment, event in events:
        if isinstance(event, SearchResumed):
            total, began = total + last - began, moment
            last = moment
        last = max(last, moment)
    return total + max(last, now) - began


def progress_of(events: list[TimedEvent]) -> Progress:
    """The fold; how many trials there will be the sessions say, where an older version did not the space does."""
    sessions = [
        (moment, event) for moment, event in events if isinstance(event, SearchStarted | SearchResumed)
    ]
    first = sessions[0][1]
    assert isinstance(first, SearchStarted)
    proposed = sum(isinstance(event, Proposed) for _, event in events)
    began, last = sessions[-1]
    planned = last.details.get("trials_planned", -1)
    search = _search_section(sessions)
    if planned == -1:
        planned = search.get("trials")
        planned = planned * search.get("repeats", 1) if isinstance(planned, int) else proposed
    progress = Progress(
        max(planned or 0, proposed),
        first.max_epochs,
        began,
        is_open_ended=planned is None,
        search=first.search,
    )
    for moment, event in events:
        progress.apply(moment, event)
    return progress


def _search_section(sessions: list[tuple[float, SearchStarted | SearchResumed]]) -> dict[str, Any]:
    """`search` of the last session's space; empty where an older version did not record it."""
    section = _space(sessions).get("search")
    return section if isinstance(section, dict) else {}


def _space(sessions: list[tuple[float, SearchStarted | SearchResumed]]) -> dict[str, Any]:
    """That of the last session that told one."""
    return next((event.space for _, event in reversed(sessions) if event.space), {})


def _funds(
    sessions: list[tuple[float, SearchStarted | SearchResumed]],
    end: SearchEnded | None,
    epochs: int,
    seconds: float,
) -> FundsOnRecord | None:
    """What is left of the budget; GPU-hours and network passes are told of ended sessions only."""
    budget = _search_section(sessions).get("budget")
    if not isinstance(budget, dict) or not budget:
        return None
    spent = {"epochs": float(epochs), "hours": seconds / _HOUR}
    if end is not None:
        spent |= {name: float(amount) for name, amount in end.spent.items()}
    return FundsOnRecord(budget, spent)
