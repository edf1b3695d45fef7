"""Properties of the record of a whole search: cut, torn or told twice anywhere, it leads to the same end.

The stream is what the real conductor wrote of a search in three sessions: proposals of TPE, stops of ASHA, a
divergence, a trial that was lost and one that was interrupted; only the learning curve is made up.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decisions.playing import conductor_of, new_record, play, space_of
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.results.event_lines import from_line, to_line
from wrn_search.results.events import Interrupted, Reported, Retried, SearchEnded, SearchResumed, TimedEvent
from wrn_search.results.events_jsonl import Record
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.trial_state import FINAL

SPACE = space_of(search={"trials": 12, "searcher": "tpe", "reduction_factor": 2})


def _curve(assignment: Assignment, epoch: int) -> float | None:
    """Falls from 80 %, and depends on what was proposed; trial 4 diverges."""
    if assignment.number == 4 and epoch == 2:
        return None
    return (80.0 + 40.0 * assignment.config.dropout) / (1 + 0.3 * epoch)


def _went_on(path: Path) -> SearchState:
    """The state of a search that goes on from a record to its end."""
    with Record.open(path) as record:
        record.append(SearchResumed())
    with Record.open(path) as record:
        conductor = conductor_of(SPACE, record)
        play(conductor, _curve)
        record.append(SearchEnded(conductor.end_reason or "failed"))
        return conductor.state


def _rows(state: SearchState) -> list[object]:
    """All that the tables hold but times, faults on the way and where a trial ran."""
    return [
        (
            *(trial.number, trial.trial_id, trial.configuration, trial.hparams, trial.config["seed"]),
            *(trial.status, trial.rung, [metrics for _, metrics in trial.reports]),
        )
        for trial in state.trials.values()
    ]


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The record's bytes."""
    path = tmp_path_factory.mktemp("stream") / "events.jsonl"
    with new_record(path, SPACE) as record:
        conductor = conductor_of(SPACE, record)
        play(conductor, _curve, most_reports=14)
        for number in conductor.live:
            conductor.lost(number, "the trial's process ended")
        play(conductor, _curve, most_reports=15)
        for number in conductor.live:
            conductor.interrupted(number, "SIGINT")
        record.append(SearchEnded("interrupted"))
    with Record.open(path) as record:
        record.append(SearchResumed())
        play(conductor_of(SPACE, record), _curve, most_reports=8)  # killed
    state = _went_on(path)
    assert {trial.status for trial in state.trials.values()} == {"completed", "stopped", "diverged"}
    assert {Retried, Interrupted} <= {type(event) for _, event in _events(path.read_bytes())}
    return path.read_bytes()


def _events(stream: bytes) -> list[TimedEvent]:
    return [from_line(line)[1:] for line in stream.decode().splitlines()]


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_torn_at_any_byte_the_search_ends_as_if_it_had_not_been(stream: bytes, data: st.DataObject) -> None:
    first = stream.index(b"\n") + 1  # before that no search has begun
    kept = data.draw(st.integers(first, len(stream)), label="bytes")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        path.write_bytes(stream[:kept])
        state = _went_on(path)
        assert _rows(state) == _rows(fold(_events(stream)))
        assert all(trial.status in FINAL for trial in state.trials.values())
        assert _rows(fold(_events(path.read_bytes()))) == _rows(state), "what is on record is what was known"


@settings(deadline=None)
@given(data=st.data())
def test_folding_any_prefix_again_gives_the_same_state(stream: bytes, data: st.DataObject) -> None:
    events = _events(stream)
    cut = data.draw(st.integers(0, len(events)), label="events")
    state = fold(events[:cut])
    assert state == fold(events[:cut])
    for moment, event in events[cut:]:
        state.apply(moment, event)
    assert state == fold(events)


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_reports_that_are_delivered_again_change_nothing(stream: bytes, data: st.DataObject) -> None:
    """Neither the state, nor what the searcher and the scheduler do next."""
    events = _events(stream)
    cut = data.draw(st.integers(5, len(events)), label="events")
    twice = events[:cut]
    for _ in range(data.draw(st.integers(1, 5), label="times")):
        places = [place for place, (_, event) in enumerate(twice) if isinstance(event, Reported)]
        if not places:
            continue
        place = data.draw(st.sampled_from(places), label="report")
        later = data.draw(st.integers(place + 1, len(twice)), label="again")
        twice.insert(later, (twice[later - 1][0], twice[place][1]))
    assert fold(twice) == fold(events[:cut])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        lines = [to_line(event, seq, moment) for seq, (moment, event) in enumerate(twice)]
        path.write_text("".join(f"{line}\n" for line in lines))
        assert _rows(_went_on(path)) == _rows(fold(events))
