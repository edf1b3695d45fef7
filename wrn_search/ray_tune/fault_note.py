"""What a trial's process writes of itself, for the case that a fault ends it, and what the driver tells of it.

Ray knows only that a process is gone, and guesses: the kernel's out-of-memory killer first. That one leaves no reason
in the note, but the note says from the first where the process's own log lies: in Ray's folder, which does not stay.
"""

from __future__ import annotations

import faulthandler
import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

from wrn_search.memory.probe.tasks_on_nodes import runtime_env

_FAULT = re.compile(r"^Fatal Python error: (.+)$", re.MULTILINE)
_OWN_END = re.compile(r"^Ended: (.+)$", re.MULTILINE)
_LIMIT = re.compile(r"^Limit: (.+)\nTimeout \(", re.MULTILINE)
_INNERMOST = re.compile(r'^Current thread .*\n  File "([^"]+)", line (\d+) in (\S+)', re.MULTILINE)
_LOG = re.compile(r"^Process: (\d+) on (\S+), node (\S*), log (.*)$", re.MULTILINE)
_TAIL_BYTES = 20_000  # of a process's own log: what libraries in C say goes there alone
SECONDS_FOR_A_LOG = 10.0  # that another node has to send one
_open_note: IO[str] | None = None  # of this process


def begin_note(path: Path) -> None:
    """From now on a fault that ends this process is written to `path`. A file that cannot be made is done without."""
    global _open_note
    before = _open_note
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _open_note = path.open("w", encoding="utf-8")
    except OSError:
        return
    _open_note.write(
        f"Process: {os.getpid()} on {socket.gethostname()}, node {_node_id()}, log {own_log() or ''}\n"
    )
    _open_note.flush()
    faulthandler.enable(file=_open_note)
    if before is not None:
        before.close()


def end_process(reason: str) -> NoReturn:
    """Ends this process at once, without a word to Ray; the driver finds the reason in the note."""
    if _open_note is not None:
        _open_note.write(f"Ended: {' '.join(reason.split())}\n")
        _open_note.flush()
    os._exit(1)


@contextmanager
def time_limit(seconds: float | None, what: str = "") -> Iterator[None]:
    """Ends this process when the block takes longer, whatever it is busy with.

    Args:
        seconds: `search.trial_timeout`; None: it may take any time.
        what: it does, for the note; nothing is written for an epoch, of which the driver's clock tells.
    """
    if seconds is None:
        yield
        return
    note = _open_note if what else None
    faulthandler.dump_traceback_later(seconds, exit=True, file=note or sys.stderr)
    try:
        if note is not None:
            note.write(
                f"Limit: {what} must end within search.trial_timeout ({seconds:g} s), but it did not\n"
            )
            note.flush()
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def told_fault(path: Path) -> str | None:
    """Why the process ended, in words, a fault with the innermost line of Python; None where no note tells that."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    if own_end := _OWN_END.search(text):
        return f"the trial's process ended: {own_end[1]}"
    if limit := _LIMIT.search(text):
        return limit[1]
    fault = _FAULT.search(text)
    if fault is None:
        return None
    where = _INNERMOST.search(text)
    place = f" ({Path(where[1]).name}:{where[2]} {where[3]})" if where else ""
    return f"the trial's process ended by a fault: {fault[1].lower()}{place}"


def left_behind(path: Path) -> str:
    """All that a process left which is gone: its note, and the end of its own log, wherever that lies; may be empty."""
    try:
        note = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = _LOG.search(note)
    if found is None or not found[4]:
        return note
    log = Path(found[4])
    ends = tail_of(log) if log.is_file() else _tail_on_its_node(found[3], log)
    return f"{note}\nthe process's log on {found[2]}, {log}, ends with\n\n{ends}"


def own_log() -> Path | None:
    """The file that this process's stderr leads to, as Linux tells it; None where it leads to no file."""
    try:
        log = Path("/proc/self/fd/2").readlink()
    except OSError:
        return None
    return log if log.is_file() else None


def tail_of(log: Path) -> str:
    """The last lines of a log, or why they cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            return file.read().decode(errors="replace")
    except OSError as error:
        return str(error)


def _node_id() -> str:
    """Ray's name of the node of this process; empty outside Ray."""
    import ray

    return ray.get_runtime_context().get_node_id() if ray.is_initialized() else ""


def _tail_on_its_node(node_id: str, log: Path) -> str:
    """The last lines of a log that lies on another machine of the cluster, or why they cannot be had."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    if not node_id or not ray.is_initialized():
        return "(it lies on no machine that can be asked)"
    reference = None
    try:
        there = NodeAffinitySchedulingStrategy(node_id, soft=False)
        task = ray.remote(num_cpus=0, max_retries=0, runtime_env=runtime_env.get())(tail_of)
        reference = task.options(scheduling_strategy=there).remote(log)
        tail: str = ray.get(reference, timeout=SECONDS_FOR_A_LOG)
    except Exception as error:  # whatever it is: the trial's end is told without
        if reference is not None:
            ray.cancel(reference, force=True)
        return f"(it cannot be had: {type(error).__name__})"
    return tail
