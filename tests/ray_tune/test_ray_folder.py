"""The folder of a private Ray: short enough for its sockets, and this user's."""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path

import pytest

from wrn_search.errors import InputError
from wrn_search.ray_tune.ray_folder import MOST_BYTES, ray_folder


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.delenv("TMPDIR", raising=False)


def test_the_longest_path_that_is_used_is_the_longest_that_the_system_takes(tmp_path, monkeypatch) -> None:
    """With Ray's names below it, and a process id of seven digits; the fallback of a longer one is another folder."""
    parent = Path("/dev/shm") / ("x" * (MOST_BYTES - len("/dev/shm//ray")))
    monkeypatch.setenv("TMPDIR", str(parent))
    assert ray_folder() == parent / "ray"
    sockets = parent / "ray" / "session_2026-11-25_13-57-41_041812_4194304" / "sockets"
    sockets.mkdir(parents=True)
    try:
        with socket.socket(socket.AF_UNIX) as longest, socket.socket(socket.AF_UNIX) as longer:
            longest.bind(str(sockets / "plasma_store.1"))
            with pytest.raises(OSError, match="too long"):
                longer.bind(str(sockets / "plasma_store.12"))
    finally:
        shutil.rmtree(parent)
    monkeypatch.setenv("TMPDIR", f"{parent}x")
    assert ray_folder().name == f"wrn-search-{os.geteuid()}"


def test_where_there_is_none_the_variable_is_named(tmp_path, monkeypatch) -> None:
    long = tmp_path / ("x" * 100)
    monkeypatch.setenv("TMPDIR", str(long))
    told = re.escape(
        f"TMPDIR: must be a folder that this user can write, its path at most {MOST_BYTES - 4} bytes long"
    )
    with pytest.raises(InputError, match=f"^{told}.* but got {long} ") as raised:
        ray_folder(elsewhere=("/dev/null", "/dev/zero"))
    assert "/dev/null, /dev/zero" in str(raised.value)


@pytest.mark.parametrize("variable", ["TMPDIR", "RAY_TMPDIR"])
def test_where_temporary_files_go_if_that_is_short(variable, monkeypatch) -> None:
    monkeypatch.setenv(variable, "/dev/shm")
    assert ray_folder() == Path("/dev/shm/ray")


@pytest.mark.parametrize("variable", ["TMPDIR", "RAY_TMPDIR"])
def test_else_a_short_folder_of_this_user(variable, tmp_path, monkeypatch) -> None:
    long = tmp_path / ("é" * 60)  # bytes count, not letters
    long.mkdir()
    monkeypatch.setenv(variable, str(long))
    folder = ray_folder()
    assert len(os.fsencode(folder)) <= MOST_BYTES
    assert folder.name == f"wrn-search-{os.geteuid()}"
    assert list(long.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="root must run the test: it gives a folder away")
def test_never_one_of_another_user(monkeypatch) -> None:
    """As /tmp/ray of whoever came first."""
    monkeypatch.setenv("TMPDIR", "/dev/shm/wrn-theirs")
    theirs = Path("/dev/shm/wrn-theirs/ray")
    theirs.mkdir(parents=True)
    try:
        os.chown(theirs, 54321, 54321)
        assert ray_folder().name == f"wrn-search-{os.geteuid()}"
    finally:
        theirs.rmdir()
        theirs.parent.rmdir()
