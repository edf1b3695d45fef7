"""Trackers of a session: a process each, started again when it dies, that never holds up the search."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.results.searches import every_event, record_of
from tests.trackers.test_csv_files import read
from wrn_search.errors import InputError
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.space.rules.keys_with_own_rules import TRACKER_NAMES
from wrn_search.space.space_file import space_from_mapping
from wrn_search.trackers import tracker_table, trackers_of_a_session
from wrn_search.trackers.tracker_table import TRACKERS
from wrn_search.trackers.trackers_of_a_session import finish_trackers, start_trackers


def test_the_space_file_knows_all_trackers() -> None:
    assert tuple(TRACKERS) == TRACKER_NAMES


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            ["mlfow"],
            r"trackers: must be one of csv, mlflow, wandb, but got 'mlfow' \(did you mean 'mlflow'\?\)",
        ),
        ("mlflow", "trackers: must be a list, such as"),
        (["csv", "csv"], "trackers: must list every tracker once"),
    ],
)
def test_the_key_lists_trackers_by_name(value: object, text: str) -> None:
    with pytest.raises(InputError, match=text):
        space_from_mapping({"name": "a", "trackers": value})


@pytest.fixture(autouse=True)
def _slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where processes take long to start, none is ended for that."""
    monkeypatch.setattr(trackers_of_a_session, "SECONDS_TO_FINISH", 240.0)


def wait_until(shown, what: str) -> None:
    end = time.monotonic() + 120
    while not shown():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_a_tracker_that_is_killed_is_started_again_and_nothing_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trackers_of_a_session, "_SECONDS_BEFORE_A_RESTART", 0.1)
    events, epochs = every_event(), tmp_path / "csv" / "epochs.csv"
    record = record_of(tmp_path / "events.jsonl", events[:18])
    trackers = start_trackers(ResultsDirectory(tmp_path), ["csv"])
    wait_until(epochs.exists, "the tracker did not begin")
    (process,) = trackers._processes
    assert process._process is not None
    os.kill(process._process.pid, signal.SIGKILL)
    for _, event in events[18:]:
        record._clock = lambda: 1_700_000_500.0
        record.append(event)
        trackers.look()

    def restarted() -> bool:
        trackers.look()
        return process._deaths == 1 and process._process is not None

    wait_until(restarted, "the tracker was not started again")
    record.close()
    finish_trackers()
    assert len(read(epochs)) == 9
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("csv: its process ended with status -9, and is started again; the search goes on")


def test_one_that_cannot_bring_all_is_told_with_what_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_of(tmp_path / "events.jsonl", every_event()).close()
    (tmp_path / "csv").write_text("a file where the folder should be")
    trackers = start_trackers(ResultsDirectory(tmp_path), ["csv"])
    finish_trackers()
    trackers.look()
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("csv: ")
    assert "File exists" in first
    assert second == (
        f"csv: not all of the record is there; when it can be: python -m wrn_search track {tmp_path} --to csv"
    )


def test_one_that_hangs_is_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trackers_of_a_session, "_PROGRAM", "import time; time.sleep(600)")
    trackers = start_trackers(ResultsDirectory(tmp_path), ["csv"])
    process = trackers._processes[0]._process
    assert process is not None
    began = time.monotonic()
    trackers.finish(seconds=0.5)
    assert time.monotonic() - began < 30
    assert process.returncode == -signal.SIGKILL
    assert "csv: not all of the record is there" in capsys.readouterr().err
    finish_trackers()


def test_one_that_is_not_installed_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_table.importlib.util, "find_spec", lambda name: None)
    trackers = start_trackers(ResultsDirectory(tmp_path), ["mlflow"])
    trackers.look()
    finish_trackers()
    assert capsys.readouterr().err == (
        "mlflow: mlflow is not installed (pip install 'wrn-search[mlflow]'); the search goes on without it\n"
    )
