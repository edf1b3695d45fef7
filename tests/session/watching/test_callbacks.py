"""Callbacks hear what is on record, in order; what they do wrong hurts nobody but them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.decisions.playing import conductor_of, new_record, play, space_of
from wrn_search.errors import InputError
from wrn_search.results.events import EVENTS
from wrn_search.results.events_jsonl import read_events
from wrn_search.session.watching.callbacks import Callbacks, SearchEvent, StopSearch, checked

SPACE = space_of(search={"searcher": "random", "scheduler": "none", "trials": 3}, training={"epochs": 4})


def played(path: Path, *callbacks: Any) -> None:
    with new_record(path, SPACE) as record:
        conductor = conductor_of(SPACE, record)
        record.subscribe(Callbacks(callbacks, conductor))
        play(conductor, lambda assignment, epoch: 50.0 / epoch)


def test_each_event_is_told_once_with_what_the_record_says(tmp_path: Path) -> None:
    heard: list[SearchEvent] = []
    played(tmp_path / "events.jsonl", heard.append)
    record = read_events(tmp_path / "events.jsonl")[1:]  # the first one began the search
    assert [EVENTS[event.kind] for event in heard] == [type(event) for _, event in record]
    assert [event.time for event in heard] == [time for time, _ in record]
    epochs = [event for event in heard if event.kind == "reported"]
    assert len(epochs) == 12
    assert {(event.number, event.epoch, event.val_error) for event in epochs} == {
        (number, epoch, 50.0 / epoch) for number in range(3) for epoch in range(1, 5)
    }
    assert all(event.name.startswith(f"{event.number:03d}_WRN-10-") for event in epochs if event.name)
    assert [event.name for event in heard if event.number is None] == [None] * sum(
        event.number is None for event in heard
    )
    proposed = next(event for event in heard if event.kind == "proposed")
    assert proposed.values["hparams"].keys() == {"dropout"}
    assert (proposed.epoch, proposed.val_error) == (None, None)


def test_one_that_raises_is_told_of_once_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[str] = []

    def broken(event: SearchEvent) -> None:
        calls.append(event.kind)
        raise KeyError("x")

    heard: list[SearchEvent] = []
    played(tmp_path / "events.jsonl", broken, heard.append)
    assert calls == ["proposed"]
    assert len(heard) > 12
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "broken is not called any more, as it raised KeyError: 'x'" in told


def test_stop_search_stops_as_ctrl_c_would(tmp_path: Path) -> None:
    def second_epoch(event: SearchEvent) -> None:
        if event.epoch == 2:
            raise StopSearch

    with new_record(tmp_path / "events.jsonl", SPACE) as record:
        conductor = conductor_of(SPACE, record)
        record.subscribe(Callbacks([second_epoch], conductor))
        play(conductor, lambda assignment, epoch: 50.0 / epoch)
        assert conductor.end_reason == "interrupted"
        assert len(conductor.state.trials) == 1


@pytest.mark.parametrize("given", [3, "abc", [print, 3], print])
def test_what_cannot_be_called_is_told(given: Any) -> None:
    with pytest.raises(InputError, match=r"callbacks: must be .*functions of one event, but got "):
        checked(given)
