"""Lines on stderr beside the progress: what a user should know of the images, and what a resumed search changes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress

from wrn_search.errors import printable


def warn(lines: Iterable[str]) -> None:
    """Warnings, a line each."""
    for line in lines:
        tell(f"warning: {line}")


def tell(text: str) -> None:
    """A line, if anybody listens there."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            print(printable(text), file=sys.stderr, flush=True)
