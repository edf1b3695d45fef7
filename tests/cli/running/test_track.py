"""`track`: a finished search is brought to a tracker; what is wrong is told, with its status."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.results.searches import every_event, record_of
from tests.trackers.test_csv_files import read
from wrn_search.__main__ import main
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.trackers import tracker_table
from wrn_search.trackers.csv_files import CSV
from wrn_search.trackers.follower import Follower


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    folder.mkdir()
    record_of(folder / "events.jsonl", every_event()).close()
    return folder


def test_a_search_is_brought_there_as_often_as_one_likes(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert main(["track", str(results), "--to", "csv"]) == 0
        assert capsys.readouterr().out == f"{results}: 6 trials, 9 epochs in csv: {results}/csv\n"
        assert len(read(results / "csv" / "epochs.csv")) == 9
    assert main(["track", str(results), "--to", "csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "tracked": [
            {
                **{"results": str(results), "tracker": "csv", "place": f"{results}/csv", "whole": True},
                **{"trials": 6, "epochs": 9},
            }
        ]
    }


def test_what_is_wrong_is_told_all_at_once(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["track", str(results), "--to", "cvs"]) == 2
    assert (
        "--to: must be one of csv, mlflow, wandb, but got 'cvs' (did you mean 'csv'?)"
        in capsys.readouterr().err
    )
    (tmp_path / "empty").mkdir()
    assert main(["track", str(tmp_path / "no"), str(tmp_path / "empty"), "--to", "csv"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "there is no such directory" in first
    assert "must be the results directory of a search, but it is a folder without events.jsonl" in second
    assert Follower(ResultsDirectory(results), "csv", CSV, print).take()
    monkeypatch.setattr(tracker_table.importlib.util, "find_spec", lambda name: None)
    assert main(["track", str(results), "--to", "wandb"]) == 2
    assert "wandb is not installed (pip install 'wrn-search[wandb]')" in capsys.readouterr().err


def test_one_process_at_a_time(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Follower(ResultsDirectory(results), "csv", CSV, print)
    assert other.take()
    assert main(["track", str(results), "--to", "csv"]) == 2
    assert "--to csv: must be brought there by one process at a time" in capsys.readouterr().err


def test_one_that_does_not_take_it_is_a_failure(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (results / "csv").write_text("in the way")
    assert main(["track", str(results), "--to", "csv"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"{results}: csv: ")
    assert "File exists" in told.err


def test_a_damaged_record_is_located(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = results / "events.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"epoch":2', b'"epoch":3', 1))
    assert main(["track", str(results), "--to", "csv"]) == 2
    assert f"{path}:" in capsys.readouterr().err
    assert os.path.lexists(results / ".tracker-csv")
