"""`leave` without a cluster: the notice, and what is refused; with one it is in cluster/test_nodes_taken_away.py."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from wrn_search.__main__ import main
from wrn_search.cluster.leaving_the_cluster import sigterm_as_notice, wait_for_notice


def test_the_notice_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "taken"
    made = threading.Timer(0.2, file.touch)
    made.start()
    assert wait_for_notice(threading.Event(), file) == f"{file} is there"
    made.join()


@pytest.mark.parametrize("file", [None, "never there"])
def test_the_notice_is_sigterm_which_ends_nothing_meanwhile(file: str | None, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with sigterm_as_notice() as noticed:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        assert wait_for_notice(noticed, None if file is None else tmp_path / file) == "SIGTERM came"
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seconds", "0"], "--seconds: must be more than 0, but got 0"),
        (["--seconds", "nan"], "--seconds: must be more than 0, but got nan"),
        (["--address", "127.0.0.1:9"], "--address: a Ray cluster must answer at 127.0.0.1:9 "),
    ],
)
def test_what_is_refused(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leave", *options]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(said)
