"""How a search stands, by its record and who holds it."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.file_system.test_living_holder import FAR
from tests.progress.pictures import VERDICT
from tests.results.searches import START, proposed, reported, search_started, started
from wrn_search.errors import InputError
from wrn_search.file_system.lease import hidden_beside
from wrn_search.progress.found_searches import found_searches
from wrn_search.progress.search_status import status_of
from wrn_search.progress.verdict_file import read_verdict, write_verdict
from wrn_search.results.events import (
    Chosen,
    Completed,
    Event,
    Retried,
    SearchEnded,
    SearchResumed,
    Stopped,
)
from wrn_search.results.events_jsonl import Record
from wrn_search.results.results_directory import ResultsDirectory

SPACE = {"name": "small", "search": {"trials": 10, "repeats": 2, "budget": {"epochs": 40, "gpu_hours": 2.0}}}
EVENTS: tuple[Event, ...] = (
    replace(search_started(), space=SPACE),
    *(proposed(0), started(0), *(reported(0, epoch) for epoch in (1, 2, 3, 4)), Completed(0)),
    *(proposed(1), started(1), reported(1, 1), Retried(1, "its process died\nlong trace")),
    *(proposed(2), started(2), reported(2, 1), Stopped(2, 1, "1 of 2 trials at this rung were better")),
    *(started(1), reported(1, 2)),
)


def _record(folder: Path, *events: Event, seconds: float = 10.0) -> ResultsDirectory:
    """A record whose events came so many seconds apart."""
    folder.mkdir(parents=True, exist_ok=True)
    now = iter(START + seconds * place for place in range(1000))
    with Record.create(folder / "events.jsonl", clock=lambda: next(now)) as record:
        for event in events:
            record.append(event)
    return ResultsDirectory(folder)


def test_a_list_that_is_tested_has_no_verdict_of_a_search(tmp_path: Path) -> None:
    begun = replace(search_started(), space={"protocol": "test_each"})
    assert status_of(_record(tmp_path, begun)).tests_each
    assert not status_of(_record(tmp_path / "search", search_started())).tests_each


def test_one_that_runs(tmp_path: Path) -> None:
    directory = _record(tmp_path, *EVENTS)
    with Record.open(directory.events):
        status = status_of(directory)
    assert (status.search, status.kind, status.state, status.reason) == ("small", "search", "running", None)
    assert status.driver is not None
    assert status.driver.lives
    progress = status.progress
    assert list(progress.running) == [1]
    assert (progress.running[1].epoch, progress.running[1].error, progress.running[1].node) == (
        2,
        30.0,
        "node-a",
    )
    assert (progress.rows, progress.ended.total(), progress.epochs_done) == (20, 2, 7)
    assert progress.best is not None
    assert progress.best.number == 0
    assert progress.happenings.retried == 1
    assert progress.happenings.last_fault is not None
    assert progress.happenings.last_fault.text == "retried: its process died"
    assert status.funds is not None
    assert status.funds.left["epochs"] == 33
    assert "gpu_hours" not in status.funds.left, "of a session that goes on it is not known"


@pytest.mark.parametrize(
    ("end", "state", "can_go_on"),
    [
        (None, "died", True),
        ("interrupted", "interrupted", True),
        ("failed", "failed", True),
        ("finished", "finished", False),
        ("max_hours", "finished", False),
        ("budget", "finished", False),
        ("decided", "finished", False),
    ],
)
def test_one_that_does_not(end: str | None, state: str, can_go_on: bool, tmp_path: Path) -> None:
    told = (SearchEnded(end, {"epochs": 7, "gpu_hours": 0.5}),) if end else ()
    status = status_of(_record(tmp_path, *EVENTS, *told))
    assert (status.state, status.reason, status.can_go_on, status.driver) == (state, end, can_go_on, None)
    assert not status.progress.running, "what trained ended with its session"
    assert status.now == status.last_event
    if end:
        assert status.funds is not None
        assert status.funds.text == "7 of 40 epochs, 0.5 of 2 GPU-hours"


def test_pace_and_seconds_are_those_of_sessions(tmp_path: Path) -> None:
    """19 events and the end, 10 s apart; then a session of 2 epochs in 40 s."""
    more = (SearchResumed(space=SPACE), started(1), reported(1, 3), reported(1, 4), Completed(1))
    status = status_of(_record(tmp_path, *EVENTS, SearchEnded("interrupted"), *more))
    assert status.progress.epochs_per_minute(status.now) == pytest.approx(60 * 2 / 40)
    assert status.seconds_spent == len(EVENTS) * 10 + 40
    assert status.state == "died"


def test_one_that_a_machine_without_locks_had_last(tmp_path: Path) -> None:
    """Its name is left. While the record grows it lives; later nobody can tell."""
    import os

    directory = _record(tmp_path, *EVENTS)
    hidden_beside(directory.events, "holder").write_text(json.dumps(vars(FAR)))
    assert status_of(directory).state == "running"
    os.utime(directory.events, (START, START))
    status = status_of(directory)
    assert (status.state, status.can_go_on) == ("unknown", False)
    assert str(status.driver) == "process 4711 on node-7"


def test_one_that_begins(tmp_path: Path) -> None:
    directory = ResultsDirectory(tmp_path / "new")
    directory.create()
    assert status_of(directory).state == "starting"
    directory.started()
    with pytest.raises(InputError, match=r"new: must be the results directory .* but it is a folder without"):
        status_of(directory)


def test_a_confirmation_is_one(tmp_path: Path) -> None:
    chosen = Chosen("id", "top", 1, 1, 4, 3, {"1": {}})
    assert status_of(_record(tmp_path, search_started(), chosen, proposed(0))).kind == "confirmation"


def test_the_verdict_is_the_one_that_was_written_last(tmp_path: Path) -> None:
    directory = _record(tmp_path, *EVENTS)
    assert status_of(directory).verdict is None
    write_verdict(directory, VERDICT)
    assert (status_of(directory).verdict or {})["winner"]["network"] == "WRN-16-2"
    write_verdict(directory, {"sentences": ["Depth: helps."], "verdicts": []})
    assert (status_of(directory).verdict or {})["sentences"] == ["Depth: helps."]
    for damaged in ("", "[]", '{"kind": "so_far"}', '{"kind": "report", "at": 1, "sentences": [1]}'):
        directory.verdict.write_text(damaged)
        assert read_verdict(directory) is None


def test_searches_are_found_below_a_folder(tmp_path: Path) -> None:
    for name in ("a", "b/deep", "b/deep/confirm", "b/deep/tensorboard/odd", "a/audit"):
        _record(tmp_path / name, search_started())
    (tmp_path / "empty").mkdir()
    found = [str(each.path.relative_to(tmp_path)) for each in found_searches(tmp_path)]
    assert found == ["a", "a/audit", "b/deep", "b/deep/confirm"]
    with pytest.raises(
        InputError, match=r"empty: must be the results directory of a search, or a folder with"
    ):
        found_searches(tmp_path / "empty")
    with pytest.raises(InputError, match="there is no such directory"):
        found_searches(tmp_path / "none")


def test_a_link_that_leads_up_is_not_followed_and_another_one_is(tmp_path: Path) -> None:
    _record(tmp_path / "results" / "z", *EVENTS)
    _record(tmp_path / "elsewhere" / "y", *EVENTS)
    (tmp_path / "results" / "again").symlink_to("..")
    (tmp_path / "results" / "itself").symlink_to(".")
    (tmp_path / "results" / "far").symlink_to(tmp_path / "elsewhere")
    found = [directory.path.relative_to(tmp_path) for directory in found_searches(tmp_path / "results")]
    assert found == [Path("results/far/y"), Path("results/z")]


def test_what_is_no_search_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must begin with the start of a search"):
        status_of(_record(tmp_path / "odd", proposed(0)))


@pytest.mark.parametrize(
    "line",
    [
        '{"seq":1,"time":1700000001.0,"event":"retried","number":7,"reason":"x"}',
        '{"seq":1,"time":1700000001.0,"event":"completed","number":7}',
        '{"seq":1,"time":1700000001.0,"event":"started","number":7,"threads":1,"gpu_fraction":0.0}',
        '{"seq":1,"time":1700000001.0,"event":"stopped","number":7,"rung":[],"reason":{}}',
        '{"seq":1,"time":"yesterday","event":"completed","number":7}',
        '{"seq":1,"time":1700000001.0,"event":"search_resumed","details":3}',
        '{"seq":1,"time":1700000001.0,"event":"proposed","number":0,"config":{}}',
    ],
)
def test_a_line_that_this_program_did_not_write_is_told(line: str, tmp_path: Path) -> None:
    """A record may come from a stranger, who can reckon a checksum too."""
    directory = _record(tmp_path, EVENTS[0])
    with directory.events.open("a") as file:
        file.write(f'{line[:-1]},"crc":"{zlib.crc32(line.encode()):08x}"}}\n')
    with pytest.raises(InputError):
        status_of(directory)
