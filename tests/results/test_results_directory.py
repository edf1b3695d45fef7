"""The results directory: its places, and that no search overwrites another or is blocked by a dead one."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys

import pytest

from tests.results.searches import record_of, search_started, timed
from wrn_search.errors import InputError
from wrn_search.results.atomic_files import atomic_write_text, replacing, temporary_path
from wrn_search.results.events_jsonl import Record
from wrn_search.results.results_directory import ResultsDirectory

PLACES = {
    "events": "events.jsonl",
    "space_file": "search.yaml",
    "resolved": "resolved.yaml",
    "manifest": "manifest.json",
    "trials": "trials.parquet",
    "epochs": "epochs",
    "report": "report.html",
    "tensorboard": "tensorboard",
    "checkpoints": "checkpoints",
    "ray": "ray",
}


@pytest.fixture
def directory(tmp_path):
    return ResultsDirectory(tmp_path / "results" / "small")


def start(directory):
    """What a search does first."""
    directory.create()
    record_of(directory.events, timed(search_started())).close()
    directory.started()


def die_while_starting(directory):
    """What a process leaves that is killed before the first event: its locks are gone."""
    dead = ResultsDirectory(directory.path)
    dead.create()
    os.close(dead._starting)


def test_every_file_has_its_place(directory):
    assert {name: getattr(directory, name).name for name in PLACES} == PLACES
    assert {getattr(directory, name).parent for name in PLACES} == {directory.path}
    assert ResultsDirectory(str(directory.path)).events == directory.events


def test_making_the_value_and_asking_it_touch_nothing(directory):
    assert not directory.exists()
    assert not directory.path.parent.exists()


def test_create_makes_a_directory_with_its_parents_or_takes_an_empty_one(directory):
    directory.create()
    assert directory.path.is_dir()
    empty = ResultsDirectory(directory.path.parent / "empty")
    empty.path.mkdir()
    empty.create()
    assert not empty.exists(), "there is no search before its first event"


def test_a_search_is_never_overwritten_and_the_two_ways_out_are_named(directory):
    start(directory)
    assert directory.exists()
    before = directory.events.read_bytes()
    rule = r"^--results: results are never overwritten, but .*small exists and holds a search; "
    with pytest.raises(
        InputError, match=rf"{rule}go on with it with --resume, or name another with --results DIR$"
    ):
        directory.create()
    assert directory.events.read_bytes() == before
    assert [path.name for path in directory.path.iterdir()] == ["events.jsonl"]


def test_files_of_others_are_never_touched(directory):
    directory.path.mkdir(parents=True)
    directory.space_file.write_text("name: mine\n")
    with pytest.raises(
        InputError, match=r"--results: must be a new or an empty directory, but .* holds something else"
    ):
        directory.create()
    assert directory.space_file.read_text() == "name: mine\n"


def test_a_file_in_the_way_is_named(directory):
    directory.path.parent.mkdir()
    directory.path.write_text("")
    with pytest.raises(
        InputError, match=rf"but {re.escape(str(directory.path))} exists and holds something else"
    ):
        directory.create()


@pytest.mark.parametrize(
    ("below", "rule"),
    [
        ("file.yaml/results", r"must be below a directory that can be written, but .*file\.yaml is none"),
        ("n" * 300, "must be a path at which a directory can be made, but got: File name too long"),
    ],
)
def test_a_place_where_no_directory_can_be_made_is_told_before_anything_starts(tmp_path, below, rule):
    (tmp_path / "file.yaml").touch()
    with pytest.raises(InputError, match=rule):
        ResultsDirectory(tmp_path / below).check_new()
    assert [path.name for path in tmp_path.iterdir()] == ["file.yaml"]


def test_a_place_that_refuses_when_it_comes_to_it_is_told_too():
    with pytest.raises(
        InputError, match=r"must be a directory that can be made and written, but got: .*/proc/x"
    ):
        ResultsDirectory("/proc/x").create()


@pytest.mark.parametrize("torn", [None, b"", b'{"seq":0,"time":17'])
def test_a_start_that_died_before_its_first_event_does_not_block_the_next(directory, torn):
    die_while_starting(directory)
    directory.space_file.write_text("name: small\n")
    temporary_path(directory.resolved).write_text("na")
    (directory.epochs / "deep").mkdir(parents=True)
    if torn is not None:
        directory.events.write_bytes(torn)
    start(directory)
    assert directory.exists()
    assert [path.name for path in directory.path.iterdir()] == ["events.jsonl"]


@pytest.mark.parametrize("has_begun", [False, True])
def test_a_check_of_the_nodes_that_was_killed_does_not_block_the_next_start(directory, has_begun):
    if has_begun:
        die_while_starting(directory)
    directory.path.mkdir(parents=True, exist_ok=True)
    (directory.path / ".probe-0123456789abcdef").write_text("content")
    directory.check_new()
    start(directory)
    assert [path.name for path in directory.path.iterdir()] == ["events.jsonl"]


def test_what_two_processes_write_at_once_has_two_names(tmp_path):
    code = (
        "from pathlib import Path; from wrn_search.results.atomic_files import temporary_path;"
        "print(temporary_path(Path('trials.parquet')).name)"
    )
    names = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout for _ in "ab"
    }
    assert len(names) == 2
    assert all(name.startswith(f".trials.parquet.{socket.gethostname()}-") for name in names)


def test_two_searches_that_start_at_once_do_not_share_a_directory(directory):
    directory.create()
    directory.space_file.write_text("name: first\n")
    who = f"process {os.getpid()} on {socket.gethostname()}"
    with pytest.raises(
        InputError, match=f"one search at a time may start in a directory, but another.*: {who}"
    ):
        ResultsDirectory(directory.path).create()
    assert directory.space_file.read_text() == "name: first\n"


def test_a_start_that_another_overtook_gives_way(directory, monkeypatch):
    late = ResultsDirectory(directory.path)
    looks = iter([lambda: None])  # the late one looks first, when nothing is there yet
    check_new = late.check_new
    monkeypatch.setattr(late, "check_new", lambda: next(looks, check_new)())
    start(directory)
    with pytest.raises(InputError, match="results are never overwritten"):
        late.create()
    assert [path.name for path in directory.path.iterdir()] == ["events.jsonl"]


def test_a_dead_start_is_cleared_of_our_files_only(directory):
    die_while_starting(directory)
    directory.space_file.write_text("name: small\n")
    notes = directory.path / "notes.txt"
    notes.write_text("mine")
    with pytest.raises(InputError, match="must be a new or an empty directory"):
        directory.create()
    assert notes.read_text() == "mine"


def test_a_search_that_forgot_to_say_it_started_is_still_a_search(directory):
    directory.create()
    with Record.create(directory.events) as record:
        record.append(search_started())
    with pytest.raises(InputError, match="results are never overwritten"):
        directory.create()
    assert directory.exists()


def test_a_text_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    path = tmp_path / "resolved.yaml"
    atomic_write_text(path, "old ö")
    atomic_write_text(path, "new ö")
    assert path.read_text(encoding="utf-8") == "new ö"

    def half_a_write():
        with replacing(path) as temporary:
            temporary.write_text("half")
            assert path.read_text(encoding="utf-8") == "new ö", "readers see the old one meanwhile"
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        half_a_write()
    assert path.read_text(encoding="utf-8") == "new ö"
    assert list(tmp_path.iterdir()) == [path]
