"""Lines on stderr beside the progress: warnings, remarks, what a start waits for; as JSON for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from wrn_search.errors import printable

_forms = {"json": False}  # of this process, which has one stderr


def use_json(is_on: bool) -> None:
    """From now on each line on stderr is an object: `time` (Unix seconds), `kind`, and what that kind has to say."""
    _forms["json"] = is_on


def is_json() -> bool:
    """Whether lines are JSON now."""
    return _forms["json"]


def warn(lines: Iterable[str]) -> None:
    """Warnings, a line each."""
    for line in lines:
        if is_json():
            log("warning", text=line)
        else:
            tell(f"warning: {line}")


def tell(text: str, kind: str = "note") -> None:
    """A line, if anybody listens there; `kind` is what JSON calls it."""
    if is_json():
        log(kind, text=text)
    else:
        _write(printable(text))


def log(kind: str, **values: Any) -> None:
    """One object of JSON on a line."""
    _write(json.dumps({"time": round(time.time(), 3), "kind": kind, **values}))


def _write(line: str) -> None:
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)


def _is_terminal() -> bool:
    with suppress(OSError, ValueError):
        return sys.stderr is not None and sys.stderr.isatty()
    return False


class Start:
    """Tells what a start waits for, from its first moment on.

    Args:
        quiet: whether nothing is told.
    """

    def __init__(self, quiet: bool = False):
        self._quiet = quiet
        self._began = time.monotonic()
        self._told: str | None = None

    def waits_for(self, what: str, *, unchecked: bool = False) -> None:
        """The next thing that is waited for, such as `Ray`; told once.

        As long as the input is `unchecked` only a terminal or a program hears it: elsewhere, as in a file, what is
        wrong with the input stands alone.
        """
        if self._quiet or what == self._told or (unchecked and not (is_json() or _is_terminal())):
            return
        self._told = what
        seconds = time.monotonic() - self._began
        if is_json():
            log("waiting", what=what, seconds=round(seconds, 3))
        else:
            tell(f"{seconds:4.0f} s  waiting for {what}")
