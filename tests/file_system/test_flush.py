"""What reaches the disk, on systems whose fsync does not."""

from __future__ import annotations

import fcntl
import os

import pytest

from wrn_search.file_system import flush


@pytest.mark.parametrize("knows", [True, False])
def test_macos_is_asked_to_go_past_the_cache_of_the_disk(tmp_path, monkeypatch, knows) -> None:
    asked = []

    def full_fsync(descriptor: int, command: int) -> int:
        asked.append(command)
        if not knows:  # a network file system
            raise OSError("not supported")
        return 0

    monkeypatch.setattr(flush.sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", full_fsync)
    monkeypatch.setattr(os, "fsync", lambda descriptor: asked.append("fsync"))
    with (tmp_path / "file").open("wb") as file:
        flush.flush_to_disk(file.fileno())
    assert asked == ([51] if knows else [51, "fsync"])
