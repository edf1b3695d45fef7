"""Signals that ask a search to stop."""

from __future__ import annotations

import os
import signal

import pytest

from wrn_search.session.ctrl_c import interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_asks_and_the_second_stops_at_once(number, capsys) -> None:
    asked = []
    here = signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under nohup
    try:
        with interrupts(lambda: asked.append(number)):
            os.kill(os.getpid(), number)
            assert asked == [number]
            assert "stopping: running trials finish their epoch" in capsys.readouterr().err
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), number)
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, here)


def test_nohup_is_heeded() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts(lambda: pytest.fail("nohup asks to go on")):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
