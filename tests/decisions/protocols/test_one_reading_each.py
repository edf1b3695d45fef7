"""A list of networks played without Ray: each asks once, on record before it reads; nobody hears of it; kills."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from tests.decisions.playing import (
    conductor_of,
    metrics,
    new_record,
    space_of,
    trained_to_the_end,
)
from wrn_search.decisions.protocols.one_reading_each import OneReadingPlan
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.readings.counted_readings import count_readings
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.manifest import write_manifest
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.results.table_writer import trials_table
from wrn_search.searchers.grid_search import GridSearcher
from wrn_search.space.space import Space

MODEL = {"depth": 10, "widen_factor": {"choice": [0.5, 1.0]}}


def listed(**search: object) -> Space:
    return space_of(
        protocol="test_each", model=MODEL, training={"epochs": 2}, search={"repeats": 2, **search}
    )


def begun(directory: ResultsDirectory, space: Space) -> Record:
    directory.path.mkdir(exist_ok=True)
    write_manifest(directory.manifest, {"search_id": "id"})
    return new_record(directory.events, space)


def conductor(directory: ResultsDirectory, space: Space, record: Record) -> Conductor:
    made = conductor_of(space, record)
    count_readings(directory, record, made.state, {"protocol": "test_each"})
    return made


def train(conductor: Conductor, assignment: Assignment, *, ask: bool = True, answer: bool = True) -> None:
    """One training as the trainable reports it; leaves as a kill does before it asks, or before the number is told."""
    conductor.started(assignment.number)
    for epoch in range(assignment.epochs_done + 1, 3):
        told = dataclasses.replace(metrics(epoch, 50.0), val_loss=None, val_error=None)
        assert conductor.reported(assignment.number, told, "node", "cpu")
    if ask:
        assert conductor.met_test_split(assignment.number, {"asks": True})
    if ask and answer:
        told_test = {"test_loss": 0.2, "test_error": 10.0 + assignment.number, "images": 300}
        assert not conductor.met_test_split(assignment.number, told_test)


def to_the_end(conductor: Conductor) -> list[Assignment]:
    return trained_to_the_end(conductor, train)


def reads(directory: ResultsDirectory) -> list[str]:
    return [read["trial_id"] for read in json.loads(directory.manifest.read_text())["test_reads"]]


def test_each_network_is_trained_on_all_images_and_tested_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[object] = []
    monkeypatch.setattr(GridSearcher, "told", lambda *told: heard.append(told), raising=False)
    directory, space = ResultsDirectory(tmp_path / "each"), listed()
    with begun(directory, space) as record:
        played = to_the_end(conductor(directory, space, record))
    assert len(played) == 4
    assert all("joined" in each.config.to_dict()["dataset"] for each in played)
    assert all(each.config.dataset.validation == 0 for each in played)
    state = fold(read_events(directory.events))
    table = trials_table(state).to_pylist()
    assert [row["test_error"] for row in table] == [10.0, 11.0, 12.0, 13.0]
    assert {row["val_error"] for row in table} == {None}
    assert {row["status"] for row in table} == {"completed"}
    assert sorted(reads(directory)) == [row["trial_id"] for row in table]
    assert json.loads(directory.manifest.read_text())["protocol"] == "test_each"
    assert heard == []


def test_a_kill_before_it_asks_reads_nothing_twice(tmp_path: Path) -> None:
    directory, space = ResultsDirectory(tmp_path / "each"), listed()
    with begun(directory, space) as record:
        played = conductor(directory, space, record)
        first = played.next_trial()
        assert isinstance(first, Assignment)
        train(played, first)
        second = played.next_trial()
        assert isinstance(second, Assignment)
        train(played, second, ask=False)
    with Record.open(directory.events) as record:
        rest = to_the_end(conductor(directory, space, record))
    assert first.trial_id not in {each.trial_id for each in rest}
    assert {each.trial_id: each.epochs_done for each in rest}[second.trial_id] == 2  # its network is trained
    state = fold(read_events(directory.events))
    assert [len(trial.test_opened) for trial in state.trials.values()] == [1, 1, 1, 1]


def test_a_reading_whose_number_a_kill_took_is_counted_and_done_again(tmp_path: Path) -> None:
    directory, space = ResultsDirectory(tmp_path / "each"), listed()
    with begun(directory, space) as record:
        played = conductor(directory, space, record)
        first = played.next_trial()
        assert isinstance(first, Assignment)
        train(played, first, answer=False)
    with Record.open(directory.events) as record:
        to_the_end(conductor(directory, space, record))
    assert reads(directory).count(first.trial_id) == 2
    assert len(reads(directory)) == 5
    state = fold(read_events(directory.events))
    assert {trial.status for trial in state.trials.values()} == {"completed"}


def test_a_network_that_was_tested_is_over_though_a_kill_took_its_end(tmp_path: Path) -> None:
    directory, space = ResultsDirectory(tmp_path / "each"), listed()
    with begun(directory, space) as record:
        played = conductor(directory, space, record)
        first = played.next_trial()
        assert isinstance(first, Assignment)
        train(played, first)
    lines = directory.events.read_text().splitlines(keepends=True)
    assert '"completed"' in lines[-1]
    directory.events.write_text("".join(lines[:-1]))
    with Record.open(directory.events) as record:
        rest = to_the_end(conductor(directory, space, record))
    assert first.trial_id not in {each.trial_id for each in rest}
    assert reads(directory).count(first.trial_id) == 1


def test_a_search_lets_nobody_ask(tmp_path: Path) -> None:
    space = space_of(model=MODEL, training={"epochs": 2}, search={"searcher": "grid", "scheduler": "none"})
    with new_record(tmp_path / "events.jsonl", space) as record:
        made = conductor_of(space, record)
        answer = made.next_trial()
        assert isinstance(answer, Assignment)
        with pytest.raises(AssertionError, match="a search never opens the test split"):
            made.met_test_split(answer.number, {"asks": True})
    assert OneReadingPlan.reads_test_split
