"""`csv`: what the files hold is what the tables of the search hold, at every moment and after every kill."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pyarrow.csv
import pytest

from tests.results.searches import every_event
from tests.trackers.test_follower import lines_of
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.results.table_columns import EPOCHS_SCHEMA, TRIALS_SCHEMA
from wrn_search.trackers.csv_files import CSV
from wrn_search.trackers.follower import Follower


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_both_files_hold_the_rows_of_the_record_at_every_event(tmp_path: Path) -> None:
    events = every_event()
    directory, lines = ResultsDirectory(tmp_path), lines_of(events).splitlines(keepends=True)
    follower = Follower(directory, "csv", CSV, pytest.fail)
    for count in range(1, len(lines) + 1):
        directory.events.write_bytes(b"".join(lines[:count]))
        if count % 9 == 0:  # killed while it wrote
            with (tmp_path / "csv" / "epochs.csv").open("a") as file:
                file.write('"small","trial_0')
            (tmp_path / "csv" / ".trials.csv.of-another.tmp").touch()
            follower = Follower(directory, "csv", CSV, pytest.fail)
        follower.step()
        state = fold(events[:count])
        rows = [(row["trial_id"], int(row["epoch"])) for row in read(tmp_path / "csv" / "epochs.csv")]
        expected = [
            (trial.trial_id, each.epoch) for trial in state.trials.values() for _, each in trial.reports
        ]
        assert sorted(rows) == sorted(expected)
        told = {int(row["number"]): row["status"] for row in read(tmp_path / "csv" / "trials.csv")}
        assert told == {number: trial.status for number, trial in state.trials.items()}
    follower.close(is_running=False)
    assert sorted(path.name for path in (tmp_path / "csv").iterdir()) == ["epochs.csv", "trials.csv"]


def test_columns_and_values_are_those_of_the_tables(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(lines_of(every_event()))
    Follower(ResultsDirectory(tmp_path), "csv", CSV, pytest.fail).step()
    trials = pyarrow.csv.read_csv(tmp_path / "csv" / "trials.csv")
    assert trials.column_names == TRIALS_SCHEMA.names
    assert pyarrow.csv.read_csv(tmp_path / "csv" / "epochs.csv").column_names == EPOCHS_SCHEMA.names
    first = trials.to_pylist()[0]
    assert (first["depth"], first["block"], first["val_error"], first["lr_drops"]) == (
        16,
        "B(3,3)",
        15.0,
        "[0.3, 0.6, 0.8]",
    )


def test_a_file_that_somebody_removed_is_written_anew(tmp_path: Path) -> None:
    events = every_event()
    (tmp_path / "events.jsonl").write_bytes(lines_of(events[:-1]))
    told: list[str] = []
    follower = Follower(ResultsDirectory(tmp_path), "csv", CSV, told.append)
    follower.step()
    (tmp_path / "csv" / "epochs.csv").unlink()
    (tmp_path / "events.jsonl").write_bytes(lines_of(events))
    follower.step()
    assert len(told) == 1
    follower.step(at_once=True)
    assert len(read(tmp_path / "csv" / "epochs.csv")) == 9


def test_what_cannot_be_written_is_told_with_its_place_and_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full in the middle of a write, and has room again later."""
    lines = lines_of(every_event())
    (tmp_path / "events.jsonl").write_bytes(lines[: lines.index(b"\n", len(lines) // 2) + 1])
    told: list[str] = []
    follower = Follower(ResultsDirectory(tmp_path), "csv", CSV, told.append)
    follower.step()
    (tmp_path / "events.jsonl").write_bytes(lines)
    whole = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, text: whole(descriptor, text[: len(text) // 2]))
        follower.step()
    place = tmp_path / "csv"
    assert told == [f"[Errno 28] not all could be written: is the disk full?: '{place}'"]
    follower.step(at_once=True)
    assert not follower.is_behind
    rows = [(row["trial_id"], int(row["epoch"])) for row in read(place / "epochs.csv")]
    trials = fold(every_event()).trials.values()
    assert sorted(rows) == sorted(
        (each.trial_id, metrics.epoch) for each in trials for _, metrics in each.reports
    )
