"""The mailbox: a request stops the session that it was meant for, and no other."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from wrn_search.errors import InputError
from wrn_search.progress import stop_request
from wrn_search.progress.stop_request import NAME, StopMailbox, ask_to_stop, session_that_listens


@pytest.fixture(autouse=True)
def _at_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_request, "SECONDS_BETWEEN_LOOKS", 0.0)


def test_a_request_is_heard_once_and_names_who_asks(tmp_path: Path) -> None:
    mailbox = StopMailbox(tmp_path)
    assert mailbox.asked_by() is None

    assert ask_to_stop(tmp_path) == session_that_listens(tmp_path)
    assert mailbox.asked_by() == f"process {os.getpid()} on {socket.gethostname()}"
    assert mailbox.asked_by() is None
    mailbox.close()
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_replaced_and_what_it_names_is_left_alone(tmp_path: Path) -> None:
    """The results directory may be a stranger's, unpacked from an archive."""
    (tmp_path / "precious").write_text("mine")
    (tmp_path / NAME).symlink_to(tmp_path / "precious")
    assert session_that_listens(tmp_path) is None
    with pytest.raises(InputError, match="must be the mailbox of a session that runs"):
        ask_to_stop(tmp_path)

    mailbox = StopMailbox(tmp_path)
    assert ask_to_stop(tmp_path) == session_that_listens(tmp_path)
    assert mailbox.asked_by() is not None
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.timeout(60)
def test_a_pipe_is_replaced_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NAME)
    assert session_that_listens(tmp_path) is None
    mailbox = StopMailbox(tmp_path)
    assert (tmp_path / NAME).is_file()
    mailbox.close()
    assert list(tmp_path.iterdir()) == []


def test_a_mailbox_of_deep_nesting_names_no_session(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("[" * 100_000)
    assert session_that_listens(tmp_path) is None


def test_a_request_for_an_earlier_session_stops_nobody(tmp_path: Path) -> None:
    """The earlier one was killed: its mailbox is still there, with a request in it; and one comes late."""
    StopMailbox(tmp_path)
    late = ask_to_stop(tmp_path)
    later = StopMailbox(tmp_path)
    assert later.asked_by() is None

    with (tmp_path / NAME).open("a") as file:
        file.write(json.dumps({"stop": late, "by": "somebody"}) + "\n")
    assert later.asked_by() is None
    ask_to_stop(tmp_path)
    assert later.asked_by() is not None


def test_half_a_request_is_none_yet(tmp_path: Path) -> None:
    mailbox = StopMailbox(tmp_path)
    with (tmp_path / NAME).open("a") as file:
        file.write('{"stop": "')
    assert mailbox.asked_by() is None


def test_a_session_leaves_the_mailbox_of_another_alone(tmp_path: Path) -> None:
    first = StopMailbox(tmp_path)
    second = StopMailbox(tmp_path)
    first.close()
    ask_to_stop(tmp_path)
    assert second.asked_by() is not None


def test_without_a_mailbox_nobody_can_be_asked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must be the mailbox of a session that runs, but there is none"):
        ask_to_stop(tmp_path)
    assert session_that_listens(tmp_path) is None
    mailbox = StopMailbox(tmp_path / "no" / "such")
    assert mailbox.asked_by() is None
    mailbox.close()
