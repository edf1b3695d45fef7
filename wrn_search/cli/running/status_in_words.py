"""The status of a search as text and as values for JSON."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from typing import Any

from wrn_search.errors import printable
from wrn_search.progress.progress_values import (
    happening_values,
    progress_values,
    running_values,
    standing_values,
)
from wrn_search.progress.search_progress import standing_text, verdict_parts
from wrn_search.progress.search_status import SearchStatus
from wrn_search.shell_commands import ours
from wrn_search.verdict_so_far.verdict import VerdictSoFar
from wrn_search.wording import duration, plural, two_significant

_MOST_RUNNING = 8
_LABEL = 10
_COMMANDS = ("go on", "report")  # labels of lines that a shell takes, which are never wrapped
_ENDS = {
    "finished": "all its trials have ended",
    "exhausted": "its space has no more configurations",
    "max_hours": "search.max_hours are over",
    "budget": "search.budget is spent, as far as it can be",
    "decided": "its questions are answered (search.stop_when)",
}


def status_dict(status: SearchStatus) -> dict[str, Any]:
    """For programs. Times are Unix seconds, errors percent; null is what is not known."""
    progress, faults = status.progress, status.progress.happenings
    return {
        "search": status.search or None,
        "results": str(status.directory.path),
        "kind": status.kind,
        "state": status.state,
        "reason": status.reason,
        "driver": None if status.driver is None else status.driver.to_dict(),
        "session_began": progress.began,
        "last_event": status.last_event,
        "seconds_of_all_sessions": round(status.seconds_spent, 3),
        **progress_values(progress, status.now),
        "seconds_left": _seconds_left(status),
        "leading": [standing_values(progress, each) for each in progress.leading],
        "running_trials": running_values(progress),
        "budget": _budget(status),
        "verdict": status.verdict,
        "faults": {
            "retried": faults.retried,
            "failed": progress.ended["failed"],
            "diverged": progress.ended["diverged"],
            "last": happening_values(progress, faults.last_fault),
        },
        "resume": _resume(status),
    }


def status_text(status: SearchStatus) -> str:
    """A block of lines for a reader."""
    name = status.search or "a search that begins"
    of = "" if status.kind == "search" else f", {status.kind}"
    lines = [printable(f"{name}{of} ({status.directory.path})")]
    width = min(max(shutil.get_terminal_size((100, 24)).columns, 40), 200)
    for label, text in _facts(status):
        wrapped = [text] if label in _COMMANDS else textwrap.wrap(printable(text), width - _LABEL - 2) or [""]
        lines += [f"  {label if place == 0 else '':<{_LABEL}}{each}" for place, each in enumerate(wrapped)]
    return "\n".join(lines)


def _facts(status: SearchStatus) -> Iterator[tuple[str, str]]:
    """(label, text) of each line."""
    progress = status.progress
    yield "state", _state_text(status)
    if status.state == "starting":
        return
    of = "" if progress.is_open_ended else f" of {progress.rows:,}"
    counts = f" ({progress.counts_text})" if progress.counts_text else ""
    waits = f", {len(progress.waiting):,} wait at a rung" if progress.waiting else ""
    runs = f", {len(progress.running):,} running" if status.is_running else ""
    yield "trials", f"{progress.ended.total():,}{of} ended{counts}{runs}{waits}"
    yield "epochs", _epochs_text(status)
    if progress.funds and progress.funds.text:
        left = f"; left: {progress.funds.left_text}" if progress.funds.left_text else ""
        yield "budget", f"{progress.funds.text} spent{left}"
    for number in sorted(progress.running)[:_MOST_RUNNING]:
        yield "running", _running_text(status, number)
    if len(progress.running) > _MOST_RUNNING:
        yield "", f"and {len(progress.running) - _MOST_RUNNING:,} more"
    yield from _best_and_verdict(status)
    yield "faults", _faults_text(status)
    if (command := _resume(status)) is not None:
        yield "go on", command


def _state_text(status: SearchStatus) -> str:
    ago = f"last event {duration(status.now - status.last_event)} ago"
    match status.state:
        case "starting":
            return f"starting: {status.driver}"
        case "running":
            return f"running: {status.driver}, {ago}"
        case "finished":
            return f"finished: {_ENDS.get(status.reason or '', str(status.reason))}"
        case "interrupted":
            return "interrupted"
        case "failed":
            return "failed: the search could not go on"
        case "died":
            return "died: its process was killed or its machine went down; nothing of the record is lost"
        case _:
            return (
                f"unknown: {status.driver} had it last; whether that still lives cannot be seen from here, "
                "as this storage has no locks"
            )


def _epochs_text(status: SearchStatus) -> str:
    progress = status.progress
    planned = "" if progress.is_open_ended or progress.funds else f" of {progress.epochs_planned:,}"
    text = f"{progress.epochs_done:,}{planned}"
    if (pace := progress.epochs_per_minute(status.now)) is not None:
        text += f", {pace:.1f} a minute"
    text += f"; {duration(status.seconds_spent)} so far"
    left = _seconds_left(status)
    return f"{text}, about {duration(left)} left" if left else text


def _seconds_left(status: SearchStatus) -> float | None:
    """Of one that runs; nothing is left of one that has ended, and of others nobody knows."""
    if status.state == "running":
        return status.progress.seconds_left(status.now)
    return 0.0 if status.state == "finished" else None


def _running_text(status: SearchStatus, number: int) -> str:
    progress, trial = status.progress, status.progress.running[number]
    text = f"{progress.name(number)}  epoch {trial.epoch} of {progress.max_epochs}"
    text += f", error now {trial.error:.2f} %" if trial.error is not None else ""
    text += f", {trial.images_per_second:,.0f} images/s" if trial.images_per_second is not None else ""
    return f"{text}, on {trial.node}" if trial.node else text


def _best_and_verdict(status: SearchStatus) -> Iterator[tuple[str, str]]:
    progress, verdict = status.progress, status.verdict
    if status.tests_each:
        yield (
            "best",
            "none is chosen: each network of the list is tested once, at its end (protocol: test_each)",
        )
        yield "report", ours("report", status.directory.path)
        return
    so_far = VerdictSoFar.from_dict(verdict) if verdict and verdict["kind"] == "so_far" else None
    best = progress.best
    if best is None:
        yield "best", f"no trial has come to its last epoch ({progress.max_epochs}) yet"
    else:
        text = f"{standing_text(best)}  {progress.name(best.number)}"
        expected = so_far.expected.get(str(best.number)) if so_far else None
        if expected is not None:
            mean, low, high = map(two_significant, expected)
            text += f", expected when retrained {mean} % ({low} to {high})"
        yield "best", text
    if status.kind != "search":
        return
    if so_far is not None:
        yield "verdict", f"so far: {'; '.join(verdict_parts(so_far))}"
    elif verdict is not None:
        for place, sentence in enumerate(verdict["sentences"]):
            yield "" if place else "verdict", sentence
    elif status.is_running:
        yield "verdict", "none yet"
    else:
        yield "verdict", "none is written down; a report makes it"
        yield "report", ours("report", status.directory.path)


def _faults_text(status: SearchStatus) -> str:
    progress, faults = status.progress, status.progress.happenings
    counts = [
        *([f"{plural(faults.retried, 'retry', 'retries')}"] if faults.retried else []),
        *(f"{progress.ended[each]:,} {each}" for each in ("failed", "diverged") if progress.ended[each]),
    ]
    if not counts or faults.last_fault is None:
        return "none"
    last = faults.last_fault
    ago = duration(max(0.0, status.now - last.moment))
    when = f"{ago} ago" if status.is_running else f"{ago} before the last event"
    return f"{', '.join(counts)}; the last one {when}: {progress.name(last.number)} {last.text}"


def _budget(status: SearchStatus) -> dict[str, Any] | None:
    funds = status.funds
    if funds is None:
        return None
    return {"budget": dict(funds.budget), "spent": dict(funds.spent), "left": funds.left}


def _resume(status: SearchStatus) -> str | None:
    """The command that goes on with it; None where there is nothing to go on with."""
    if not status.can_go_on:
        return None
    path = status.directory.path
    match status.kind:
        case "confirmation":
            return ours("confirm", path.parent)
        case "audit":
            return ours("audit", path.parent)
        case _:
            return ours("run", path, "--resume")
