"""`leave` without a cluster: the notice, and what is refused; with one it is in cluster/test_nodes_taken_away.py."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from wrn_search.__main__ import main
from wrn_search.cluster import leaving_the_cluster
from wrn_search.cluster.leaving_the_cluster import notice_of, sigterm_as_notice, wait_for_notice


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
        (
            ["--wait-for", "SIGUSR1"],
            "--wait-for: must be SIGTERM or FILE, but got SIGUSR1, which looks like a signal: ",
        ),
        (
            ["--wait-for", "TERM"],
            "--wait-for: must be SIGTERM or FILE, but got TERM, which looks like a signal (a file",
        ),
        (
            ["--wait-for", "sigint"],
            "--wait-for: must be SIGTERM or FILE, but got sigint, which looks like a signal: ",
        ),
        (
            ["--wait-for", "15"],
            "--wait-for: must be SIGTERM or FILE, but got 15, which looks like a signal (a file",
        ),
        (["--wait-for", ""], "--wait-for: must be SIGTERM or FILE, but got an empty name"),
        (["--wait-for", "/"], "--wait-for: must be SIGTERM or FILE, but got the folder /"),
        (
            ["--wait-for", "/no/such/notice"],
            "--wait-for: must be a file in a folder that is there, but got /no/such/notice: there is no folder /no",
        ),
        (["--seconds", "0"], "--seconds: must be more than 0, but got 0"),
        (["--seconds", "nan"], "--seconds: must be more than 0, but got nan"),
        (["--address", "127.0.0.1:9"], "--address: a Ray cluster must answer at 127.0.0.1:9 "),
    ],
)
def test_what_is_refused_before_a_notice_is_waited_for(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["leave", *options]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(said)


def test_a_file_may_be_named_as_a_signal_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert notice_of("SIGTERM") is None
    assert notice_of("./SIGUSR1") == Path("SIGUSR1")
    assert notice_of("taken") == Path("taken"), "no signal"
    assert notice_of("99999") == Path("99999")
    (tmp_path / "there").touch()
    assert notice_of(str(tmp_path / "there")) == tmp_path / "there"


def test_the_cluster_is_looked_for_before_the_notice_and_may_come_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody answers for as long as one may: refused, though the notice never came."""
    monkeypatch.setattr(leaving_the_cluster, "SECONDS_FOR_THE_CLUSTER", 0.5)
    monkeypatch.setattr(leaving_the_cluster, "SECONDS_BETWEEN_LOOKS", 0.2)
    notice = str(tmp_path / "never")
    assert main(["leave", "--wait-for", notice, "--address", "127.0.0.1:9"]) == 2
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first.startswith(
        "not in the cluster yet, tried again for 0.5 s: --address: a Ray cluster must answer at "
    )
    assert last.startswith("--address: a Ray cluster must answer at 127.0.0.1:9 ")
