"""What a trial's process writes while a fault such as a segmentation fault ends it, and what the driver tells of it.

Ray knows only that a process is gone, and guesses: the kernel's out-of-memory killer first. That one leaves no note.
"""

from __future__ import annotations

import faulthandler
import os
import re
from pathlib import Path
from typing import IO, NoReturn

_FAULT = re.compile(r"^Fatal Python error: (.+)$", re.MULTILINE)
_OWN_END = re.compile(r"^Ended: (.+)$", re.MULTILINE)
_INNERMOST = re.compile(r'^Current thread .*\n  File "([^"]+)", line (\d+) in (\S+)', re.MULTILINE)
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
    faulthandler.enable(file=_open_note)
    if before is not None:
        before.close()


def end_process(reason: str) -> NoReturn:
    """Ends this process at once, without a word to Ray; the driver finds the reason in the note."""
    if _open_note is not None:
        _open_note.write(f"Ended: {' '.join(reason.split())}\n")
        _open_note.flush()
    os._exit(1)


def told_fault(path: Path) -> str | None:
    """Why the process ended, in words, a fault with the innermost line of Python; None where there is no note."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    if own_end := _OWN_END.search(text):
        return f"the trial's process ended: {own_end[1]}"
    fault = _FAULT.search(text)
    if fault is None:
        return None
    where = _INNERMOST.search(text)
    place = f" ({Path(where[1]).name}:{where[2]} {where[3]})" if where else ""
    return f"the trial's process ended by a fault: {fault[1].lower()}{place}"
