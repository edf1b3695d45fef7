"""Ctrl-C, SIGTERM, SIGHUP of a terminal that closes: the first asks the search to stop, the second stops at once."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from wrn_search.lines_on_stderr import is_json, tell

PATIENCE = "running trials finish their epoch (10 s at most)"
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def interrupts(ask_to_stop: Callable[[], None]) -> Iterator[None]:
    """Calls `ask_to_stop` at the first signal; raises KeyboardInterrupt at the second.

    A SIGHUP that is ignored stays so: that is what `nohup` asks for.
    """
    asked = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        ask_to_stop()
        with contextlib.suppress(OSError, ValueError):  # nobody may be listening any more
            print("", end="" if is_json() else "\n", file=sys.stderr, flush=True)
        tell(f"stopping: {PATIENCE}; once more to stop at once", kind="stopping")

    if (
        threading.current_thread() is not threading.main_thread()
    ):  # Python delivers signals to the main thread only
        yield
        return
    heard = [
        number
        for number in _SIGNALS
        if number in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(number) != signal.SIG_IGN
    ]
    before = {number: signal.signal(number, handle) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
