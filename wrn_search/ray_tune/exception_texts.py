"""An exception of a training as the record tells it."""

from __future__ import annotations

import os
import socket
import traceback
from datetime import UTC, datetime
from pathlib import Path

from wrn_search.errors import InputError
from wrn_search.ray_tune.fault_note import own_log, tail_of


def told_exception(error: Exception) -> str:
    """An exception as the table shows it: our own words alone, else with the innermost lines of the trace."""
    if isinstance(error, InputError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = "; ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__name__}: {error} ({places})"


def with_log(error: str, trial_id: str, logs: Path | None, content: str) -> str:
    """An error that names, in a line of its own, the file in which all that is known of it has been written.

    Args:
        error: as the table shows it.
        trial_id: the trial's, which names the file; a further try is added to it.
        logs: the folder; None: nothing is written.
        content: the whole trace, or Ray's whole report.
    """
    if logs is None:
        return error
    path = logs / f"{trial_id}.txt"
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        logs.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{moment}: {error}\n\n{content.rstrip()}\n\n")
    except OSError:  # a full disk, say: the error itself is told all the same
        return error
    return f"{error}\nall of it: {logs.name}/{path.name}"


def whole_trace(error: Exception) -> str:
    """The trace of an exception with all its causes, and where this process writes what it says."""
    lines = traceback.format_exception(error)
    lines.append(f"\nin process {os.getpid()} on {socket.gethostname()}\n")
    log = own_log()
    if log is not None:
        lines.append(f"the process's log: {log}, which ends with\n\n{tail_of(log)}")
    return "".join(lines)


def last_line(error: BaseException) -> str:
    """The innermost reason in one line; Tune wraps errors in the text of their traces."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def node_left(text: str) -> bool:
    """Whether Ray's report on a process that is gone blames the whole node.

    Of a process that died by itself the node's raylet tells at once; "unavailable" is one of whom nobody tells.
    """
    return "node has died" in text or "The actor is temporarily unavailable" in text


def was_noticed(text: str) -> bool:
    """Whether Ray's report is on a process that ended because it was asked to, since its node will be taken away."""
    return "exit_actor" in text or "INTENDED_USER_EXIT" in text


def why_it_left(text: str, reason: str) -> str | None:
    """Why a trial must go on on another node; None where its process ended by itself, for this reason."""
    if was_noticed(text):
        return "its node will be taken away: it left after its epoch"
    return f"its node left the cluster: {reason}" if node_left(text) else None


def process_error(text: str) -> str:
    """The last telling lines of Ray's report on a process that is gone."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "the trial's process ended: " + (
        " ".join(lines[-3:])[-600:] if lines else "no reason was reported"
    )
