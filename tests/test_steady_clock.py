"""A wall clock that is set back or forth while a search runs, and between two sessions."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from wrn_search.results.events import SearchEnded, SearchResumed
from wrn_search.results.events_jsonl import Record, read_events

A_DAY = 86_400.0


@pytest.fixture
def jump(monkeypatch: pytest.MonkeyPatch):
    """Sets this process's wall clock by so many seconds, as root would set the machine's."""
    real = time.time

    def by(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + seconds)

    return by


@pytest.mark.parametrize("seconds", [-A_DAY, A_DAY])
def test_no_duration_of_a_session_has_the_jump_in_it(seconds, jump, tmp_path: Path) -> None:
    before = time.time()
    with Record.create(tmp_path / "events.jsonl") as record:
        record.append(SearchResumed({}))
        jump(seconds)
        record.append(SearchEnded("finished"))
        assert record.now() - before < 60
    (first, _), (last, _) = read_events(tmp_path / "events.jsonl")
    assert before - 1e-6 <= first <= last < before + 60  # Unix seconds


def test_a_session_does_not_begin_before_the_last_one_ended(jump, tmp_path: Path) -> None:
    """Or trials of the first one would end before they started."""
    with Record.create(tmp_path / "events.jsonl") as record:
        record.append(SearchResumed({}))
    jump(-A_DAY)
    with Record.open(tmp_path / "events.jsonl") as record:
        record.append(SearchResumed({}))
        time.sleep(0.01)
        record.append(SearchEnded("finished"))
    times = [moment for moment, _ in read_events(tmp_path / "events.jsonl")]
    assert times == sorted(times)
    assert 0.01 <= times[2] - times[1] < 60


def test_a_clock_that_was_set_forth_between_sessions_is_believed(jump, tmp_path: Path) -> None:
    with Record.create(tmp_path / "events.jsonl") as record:
        record.append(SearchResumed({}))
    jump(A_DAY)
    with Record.open(tmp_path / "events.jsonl") as record:
        assert abs(record.now() - time.time()) < 60
