"""Who holds a record at this moment: seen here, seen by a lock, seen by a beat, or only named."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from wrn_search.file_system import living_holder as module
from wrn_search.file_system.holder import Holder, this_process
from wrn_search.file_system.lease import hidden_beside
from wrn_search.file_system.living_holder import Sighting, living_holder
from wrn_search.results.events_jsonl import Record

FAR = Holder("node-7", 4711, "another boot", "another namespace", "12")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Record.create(tmp_path / "events.jsonl").close()
    return tmp_path / "events.jsonl"


def _lease(path: Path, holder: Holder, beat: int, age: float = 0.0) -> None:
    lease = hidden_beside(path, "lease-1")
    lease.write_text(json.dumps({"beat": f"{beat:010d}", **vars(holder)}) + "\n")
    os.utime(lease, (lease.stat().st_mtime - age,) * 2)


def _named(path: Path, holder: Holder) -> None:
    hidden_beside(path, "holder").write_text(json.dumps(vars(holder)) + "\n")


def test_a_process_here_is_looked_for(path: Path) -> None:
    assert living_holder(path) is None
    with Record.open(path):
        assert living_holder(path) == Sighting(this_process(), True)
    assert living_holder(path) is None
    _named(path, Holder(**{**vars(this_process()), "began": "1"}))  # killed: its name is left
    assert living_holder(path) is None


def test_a_lock_is_seen_whoever_holds_it(path: Path) -> None:
    """As of a process on another node that mounts the same storage: its lock is all that is seen of it."""
    with Record.open(path):
        _named(path, FAR)
        assert living_holder(path) == Sighting(FAR, True)
    _named(path, FAR)  # no lock: it was killed there, or locks do not reach from there to here
    assert living_holder(path) == Sighting(FAR, False)


def test_a_fresh_lease_is_believed_and_an_old_one_watched(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN_BEATS", 0.05)
    monkeypatch.setattr(module, "_SECONDS_BETWEEN_LOOKS", 0.01)
    _lease(path, FAR, beat=5)
    assert living_holder(path) == Sighting(FAR, True)
    _lease(path, FAR, beat=5, age=3600)
    assert living_holder(path) is None
    looks = iter(range(100))

    def newest(target: Path) -> tuple[bytes, Holder, float]:
        return b"%d" % next(looks), FAR, 3600.0  # its clock is an hour behind, and it beats

    monkeypatch.setattr(module, "newest_lease", newest)
    assert living_holder(path) == Sighting(FAR, True)


def test_nothing_is_left_or_taken_by_looking(path: Path) -> None:
    living_holder(path)
    assert [each.name for each in path.parent.iterdir()] == ["events.jsonl"]
    with pytest.raises(FileNotFoundError):
        living_holder(path.with_name("none"))
