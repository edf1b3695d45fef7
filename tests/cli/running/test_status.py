"""`status`: what a user reads, what a program reads, and how it ends."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest

from tests.cli.commands import ROOT
from tests.progress.test_search_status import EVENTS, _record
from tests.results.searches import search_started
from wrn_search.__main__ import main
from wrn_search.progress.verdict_file import write_verdict
from wrn_search.results.events import SearchEnded
from wrn_search.results.events_jsonl import Record


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


def test_one_search_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = _record(tmp_path / "small", *EVENTS)
    assert main(["status", str(directory.path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"small ({directory.path})",
        "  state     died: its process was killed or its machine went down; nothing of the record is lost",
        "  trials    2 of 20 ended (1 completed, 1 stopped)",
        "  epochs    7, 2.5 a minute; 2 min 50 s so far",
        "  budget    7 of 40 epochs spent; left: 33 epochs",
        "  best      15.00 %  000_WRN-16-4_p0.30_wd5e-4",
        "  verdict   none is written down; a report makes it",
        f"  report    python -m wrn_search report {directory.path}",
        "  faults    1 retry; the last one 1 min before the last event: 001_WRN-16-4_p0.30_wd5e-4 retried: "
        "its process died",
        f"  go on     python -m wrn_search run {directory.path} --resume",
    ]


def test_one_that_runs_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = _record(tmp_path / "small", *EVENTS)
    write_verdict(directory, {"sentences": ["Depth: helps."]})
    with Record.open(directory.events):
        assert main(["status", str(directory.path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["searches"]
    assert len(told) == 1
    (found,) = told
    assert (found["state"], found["driver"]["lives"], found["ended"], found["trials"]) == (
        "running",
        True,
        2,
        20,
    )
    assert found["running_trials"][0]["name"] == "001_WRN-16-4_p0.30_wd5e-4"
    assert found["best"]["val_error"] == 15.0
    assert found["faults"] | {"last": None} == {"retried": 1, "failed": 0, "diverged": 0, "last": None}
    assert found["verdict"]["sentences"] == ["Depth: helps."]
    assert found["budget"]["left"]["epochs"] == 33
    assert found["resume"] is None


def test_all_below_results_and_what_cannot_be_read_beside_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRN_SEARCH_RESULTS", str(tmp_path))
    assert main(["status"]) == 2
    assert (
        "must be the results directory of a search, or a folder with some below it" in capsys.readouterr().err
    )

    _record(tmp_path / "a", search_started(), SearchEnded("finished"))
    _record(tmp_path / "b", *EVENTS)
    assert main(["status"]) == 0
    out = capsys.readouterr().out
    assert out.index(f"small ({tmp_path}/a)") < out.index(f"small ({tmp_path}/b)")
    assert "state     finished: all its trials have ended" in out

    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "events.jsonl").write_text("no event\n")
    assert main(["status", "--json", str(tmp_path), str(tmp_path / "a")]) == 2
    told = capsys.readouterr()
    assert [Path(each["results"]).name for each in json.loads(told.out)["searches"]] == ["a", "b"]
    assert f"{tmp_path}/c/events.jsonl:1" in told.err


@pytest.mark.parametrize("name", ["none", "file", "empty"])
def test_a_place_without_a_search_is_bad_input(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    for command in ("status", "stop"):
        assert main([command, str(tmp_path / name)]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith(f"{tmp_path / name}: must be ")
        assert len(told.err.splitlines()) == 1


def test_reading_and_help_take_little(tmp_path: Path) -> None:
    """CPU seconds of whole processes: help 0.5 (measured 0.06), status 1 for 5,000 trials (0.81 measured by
    `python -m benchmarks.status_of_many_trials`); here of a small search, nearly all of it imports."""
    import subprocess
    import sys

    directory = _record(tmp_path / "small", *EVENTS)
    for arguments, most in ((["--help"], 0.5), (["status", str(directory.path)], 1.0)):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "wrn_search", *arguments]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=240)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < most
