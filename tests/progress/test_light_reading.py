"""The light way of reading says the same as the whole record does."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.progress.pictures import EPOCHS, events_of
from tests.results.searches import START, proposed, reported, started
from wrn_search.errors import InputError
from wrn_search.progress import light_reading
from wrn_search.progress.light_reading import light_events
from wrn_search.progress.search_progress import Progress
from wrn_search.progress.terminal_lines import terminal_lines
from wrn_search.results.event_lines import to_line
from wrn_search.results.events import Event, Reported, SearchEnded, SearchResumed, TimedEvent
from wrn_search.results.events_jsonl import read_events


def _written(folder: Path, events: list[TimedEvent]) -> Path:
    path = folder / "events.jsonl"
    path.write_text("".join(to_line(event, seq, moment) + "\n" for seq, (moment, event) in enumerate(events)))
    return path


def _resumed(running: int) -> list[TimedEvent]:
    """A session that was killed, and one that trains two epochs again before it goes on."""
    events = events_of(running)
    later = events[-1][0] + 100
    more: list[Event] = [SearchResumed(), started(41), reported(41, 41), reported(41, 42), reported(41, 43)]
    return [*events, *((later + place, event) for place, event in enumerate(more))]


def _shown(events: list[TimedEvent], began: float) -> tuple[object, ...]:
    progress = Progress(100, EPOCHS, began)
    for moment, event in events:
        progress.apply(moment, event)
    now = events[-1][0] + 10
    return progress.epochs_done, progress.line(now), terminal_lines(progress, now, 200, 60)


@pytest.mark.parametrize("events", [events_of(5), _resumed(5)], ids=["one session", "killed and resumed"])
def test_it_says_what_the_whole_record_says(events: list[TimedEvent], tmp_path: Path) -> None:
    path = _written(tmp_path, events)
    began = next(m for m, e in reversed(events) if isinstance(e, SearchResumed) or m == START)

    light, whole = light_events(path), read_events(path)
    assert _shown(light, began) == _shown(whole, began)
    assert sum(isinstance(event, Reported) for _, event in light) <= 2 * 45
    assert [e for e in light if not isinstance(e[1], Reported)] == [
        e for e in whole if not isinstance(e[1], Reported)
    ]


def test_an_epoch_that_ended_before_its_step_did_is_read_lightly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a trial that diverges in a step of several epochs the last report has it."""
    events = events_of(1)
    later = events[-1][0] + 1
    last = dataclasses.replace(reported(41, 41), ended_ago=0.75)
    path = _written(tmp_path, [*events, (later, started(41)), (later + 1, last)])

    def whole(*arguments: object) -> None:
        raise AssertionError("the whole record is read")

    monkeypatch.setattr(light_reading, "read_events", whole)
    assert light_events(path)[-1] == (later + 1, last)


def test_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    path = _written(tmp_path, events_of(1))
    whole = light_events(path)
    with path.open("a") as file:
        file.write('{"seq":')
    assert light_events(path) == whole


@pytest.mark.parametrize("line", [3, 30])
def test_damage_is_told_with_its_line(line: int, tmp_path: Path) -> None:
    """Also in an epoch that nothing follows from."""
    path = _written(tmp_path, events_of(1))
    lines = path.read_text().splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace("0", "1", 1) if line == 3 else lines[line - 1][:-30] + "\n"
    path.write_text("".join(lines))
    with pytest.raises(InputError, match=f"events.jsonl:{line}"):
        light_events(path)


def test_a_record_of_before_the_checksum_is_read_as_ever(tmp_path: Path) -> None:
    path = _written(tmp_path, [*events_of(1), (START + 9999, SearchEnded("finished"))])
    lines = [line[: line.index(',"crc"')] + "}\n" for line in path.read_text().splitlines()]
    path.write_text("".join(lines))
    assert light_events(path) == read_events(path)


def test_what_is_no_event_of_this_version_is_told(tmp_path: Path) -> None:
    path = _written(tmp_path, [(START, proposed(0))])
    with path.open("a") as file:
        file.write('{"seq":1,"time":1.0,"event":"from the future"}\n')
    with pytest.raises(InputError, match=r"events.jsonl:2.*newer version"):
        light_events(path)
    with pytest.raises(InputError, match="must be the record of a search, but there is none"):
        light_events(tmp_path / "none.jsonl")
