"""Following a record in pieces tells what reading it whole does; what is there of it decides, not who looks when."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from tests.results.searches import START, every_event, proposed, record_of
from wrn_search.live_page.followed_search import FollowedSearch
from wrn_search.progress.search_status import status_of
from wrn_search.results.event_lines import to_line
from wrn_search.results.events import Reported, SearchStarted
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold


@pytest.fixture
def lines(tmp_path: Path) -> list[bytes]:
    """The record of a search in two sessions with every kind of event."""
    record_of(tmp_path / "whole.jsonl", every_event()).close()
    return (tmp_path / "whole.jsonl").read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_in_pieces_as_at_once(tmp_path: Path, lines: list[bytes], step: int) -> None:
    folder = tmp_path / "search"
    folder.mkdir()
    directory = ResultsDirectory(folder)
    directory.events.write_bytes(lines[0])
    followed = FollowedSearch(directory)
    for place in range(1, len(lines), step):
        with directory.events.open("ab") as file:
            file.write(b"".join(lines[place : place + step]))
        assert followed.look()
        assert not followed.look()  # nothing is new
        assert followed.state == fold(read_events(directory.events))
        ours, theirs = followed._new_status(), status_of(directory)
        assert (ours.state, ours.kind, ours.reason) == (theirs.state, theirs.kind, theirs.reason)
        assert ours.seconds_spent == theirs.seconds_spent
        for name in ("rows", "running", "waiting", "ended", "epochs_done", "epochs_saved", "leading"):
            assert getattr(ours.progress, name) == getattr(theirs.progress, name), name
    assert followed.version == len(lines)


def test_a_line_that_is_being_written_is_waited_for(tmp_path: Path, lines: list[bytes]) -> None:
    directory = ResultsDirectory(tmp_path / "search")
    directory.path.mkdir()
    directory.events.write_bytes(lines[0] + lines[1][:40])
    followed = FollowedSearch(directory)
    assert followed.look()
    assert (followed.version, followed.problem) == (1, None)
    with directory.events.open("ab") as file:
        file.write(lines[1][40:])
    assert followed.look()
    assert (followed.version, followed.problem) == (2, None)


def test_changes_and_points_since_a_version(tmp_path: Path, lines: list[bytes]) -> None:
    directory = ResultsDirectory(tmp_path / "search")
    directory.path.mkdir()
    directory.events.write_bytes(b"".join(lines))
    followed = FollowedSearch(directory)
    followed.look()
    events = read_events(directory.events)
    for version in range(0, len(events) + 1, 3):
        new = [event for _, event in events[version:]]
        assert followed.changed_since(version) == sorted(
            {event.number for event in new if getattr(event, "number", None) is not None}
        )
        expected = [
            (event.metrics.epoch, event.metrics.val_error)
            for event in new
            if isinstance(event, Reported) and event.number == 4
        ]
        points = followed.points_since(4, version)
        assert points[len(points) - len(expected) :] == expected
        assert len(points) - len(expected) <= 1  # the one before them, to draw a line from
    # by the record's own clock: whoever looks may have another one
    assert followed.version_before(len(events), events[-1][0] - events[5][0]) == 5
    assert followed.version_before(len(events), float("inf")) == 0
    assert followed.version_before(6, 0.0) == 5
    assert followed.version_before(0, 0.0) == 0


def test_a_record_that_is_gone_or_damaged_is_a_problem_not_an_end(tmp_path: Path, lines: list[bytes]) -> None:
    directory = ResultsDirectory(tmp_path / "search")
    directory.path.mkdir()
    followed = FollowedSearch(directory)
    assert not followed.look()  # not begun yet
    directory.events.write_bytes(lines[0] + b"{}\n")
    assert followed.look()
    assert followed.problem is not None
    assert "events.jsonl:2" in followed.problem
    assert not followed.look()


def test_one_that_is_removed_and_one_in_its_place_are_told(tmp_path: Path, lines: list[bytes]) -> None:
    directory = ResultsDirectory(tmp_path / "search")
    directory.path.mkdir()
    directory.events.write_bytes(b"".join(lines))
    followed = FollowedSearch(directory)
    assert followed.look()
    shutil.rmtree(directory.path)
    assert followed.look()
    assert followed.problem is not None
    assert followed.problem.endswith("events.jsonl: must be the record of a search, but it is gone")
    assert not followed.look()

    directory.path.mkdir()  # a search is begun where the other one was
    events = [SearchStarted("another", "1" * 32, 3, 90.0, "digits", "split"), proposed(0, epochs=3)]
    written = "".join(to_line(event, seq, START + seq) + "\n" for seq, event in enumerate(events))
    directory.events.write_text(written)
    assert followed.look()
    assert (followed.problem, followed.version, followed.name) == (None, 2, "another")
    assert list(followed.state.trials) == [0]
    assert followed.state == fold(read_events(directory.events))


def test_another_record_that_no_look_saw_go_is_read_from_its_beginning(
    tmp_path: Path, lines: list[bytes]
) -> None:
    directory = ResultsDirectory(tmp_path / "search")
    directory.path.mkdir()
    directory.events.write_text(
        to_line(SearchStarted("short", "1" * 32, 3, 90.0, "digits", "split"), 0, START) + "\n"
    )
    followed = FollowedSearch(directory)
    assert followed.look()
    directory.events.write_bytes(b"".join(lines))  # the same file, and longer
    assert followed.look()
    assert followed.problem is None
    assert followed.state == fold(read_events(directory.events))


def test_a_record_that_could_not_be_read_for_a_while_is_read_again(
    tmp_path: Path, lines: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = ResultsDirectory(tmp_path / "search")
    directory.path.mkdir()
    directory.events.write_bytes(b"".join(lines[:3]))
    followed = FollowedSearch(directory)
    assert followed.look()
    directory.events.write_bytes(b"".join(lines))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", _stale)
        assert followed.look()
        assert followed.problem == f"{directory.events}: must be readable, but got: Stale file handle"
        assert not followed.look()
    assert followed.look()
    assert followed.problem is None
    assert followed.state == fold(read_events(directory.events))


def _stale(path: Path, *_: object) -> None:
    raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(path))
