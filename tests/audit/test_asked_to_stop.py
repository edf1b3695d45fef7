"""An audit that is asked to stop: at once, or at the end of its epoch where Ctrl-C is ignored."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from wrn_search.audit.asked_to_stop import stopped_when_asked
from wrn_search.progress.stop_request import ask_to_stop, session_that_listens


def _asked(folder: Path, trains: Callable[[Callable[[], None]], object]) -> None:
    with stopped_when_asked(folder) as look:
        ask_to_stop(folder)
        trains(look)
        pytest.fail("nobody listened")


def _epochs(look: Callable[[], None]) -> None:
    for _ in range(300):
        time.sleep(0.1)
        look()


def test_a_request_interrupts_in_the_middle_of_an_epoch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            _asked(tmp_path, lambda look: time.sleep(30))
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err.startswith("stopping, as process ")
    assert session_that_listens(tmp_path) is None, "the mailbox is taken away"


def test_where_ctrl_c_is_ignored_the_epoch_comes_to_its_end(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt):
            _asked(tmp_path, _epochs)
    finally:
        signal.signal(signal.SIGINT, before)


def test_nobody_asks(tmp_path: Path) -> None:
    with stopped_when_asked(tmp_path) as look:
        look()
    assert session_that_listens(tmp_path) is None
