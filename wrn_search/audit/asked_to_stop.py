"""An audit that `wrn-search stop` asks to stop ends as by Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wrn_search.lines_on_stderr import tell
from wrn_search.progress.stop_request import SECONDS_BETWEEN_LOOKS, StopMailbox


@contextmanager
def stopped_when_asked(directory: Path) -> Iterator[Callable[[], None]]:
    """Within it a request to stop raises KeyboardInterrupt, in the middle of an epoch as Ctrl-C does.

    Where Ctrl-C is ignored, as in the background of a script, that is at the next call of what it gives: call it at
    the end of each epoch.
    """
    mailbox, asked, over = StopMailbox(directory), threading.Event(), threading.Event()
    caller = threading.get_ident()
    is_main = threading.current_thread() is threading.main_thread()
    hears = is_main and callable(signal.getsignal(signal.SIGINT)) and hasattr(signal, "pthread_kill")

    def listen() -> None:
        while not over.wait(SECONDS_BETWEEN_LOOKS / 2):
            if (asker := mailbox.asked_by()) is not None:
                asked.set()
                tell(f"stopping, as {asker} asks", kind="stopping")
                if hears:
                    signal.pthread_kill(caller, signal.SIGINT)  # wakes it from whatever it waits for
                return

    def look() -> None:
        if asked.is_set():
            raise KeyboardInterrupt

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield look
    finally:
        over.set()
        listener.join()
        mailbox.close()
