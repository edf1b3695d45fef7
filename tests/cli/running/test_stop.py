"""`stop`: asks whoever writes the record, waits until it has let go, and says so."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.cli.commands import ROOT
from tests.progress.test_search_status import EVENTS, _record
from wrn_search.__main__ import main
from wrn_search.progress import stop_request
from wrn_search.progress.stop_request import NAME, StopMailbox
from wrn_search.results.events import SearchEnded
from wrn_search.results.events_jsonl import Record
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.table_reader import read_tables


def _drive(directory: ResultsDirectory, ready: threading.Event, hears: bool = True) -> None:
    """What a driver does: holds the record, looks at its clock, ends when it is asked to."""
    with Record.open(directory.events) as record:
        mailbox = StopMailbox(directory.path) if hears else None
        ready.set()
        end = time.monotonic() + 60
        while time.monotonic() < end and (mailbox is None or mailbox.asked_by() is None):
            time.sleep(0.01)
            if mailbox is None:
                time.sleep(1)
                return
        if mailbox is not None:
            mailbox.close()
        record.append(SearchEnded("interrupted"))


def _driven(directory: ResultsDirectory, hears: bool = True) -> threading.Thread:
    ready = threading.Event()
    thread = threading.Thread(target=_drive, args=(directory, ready, hears), daemon=True)
    thread.start()
    assert ready.wait(30)
    return thread


@pytest.fixture(autouse=True)
def _at_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_request, "SECONDS_BETWEEN_LOOKS", 0.0)


@pytest.mark.parametrize("place", ["", "confirm"])
def test_it_asks_and_waits(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The directory of a search also stands for its confirmation, if that is what runs."""
    top = _record(tmp_path / "small", *EVENTS, SearchEnded("finished"))
    directory = _record(top.path / place, *EVENTS) if place else top
    driver = _driven(directory)
    assert main(["stop", str(top.path), "--json"]) == 0
    driver.join(30)
    (told,) = json.loads(capsys.readouterr().out)["searches"]
    assert (told["results"], told["stopped"], told["reason"]) == (str(directory.path), True, "interrupted")
    assert not (directory.path / NAME).exists()


def test_without_waiting_it_only_asks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = _record(tmp_path / "small", *EVENTS)
    driver = _driven(directory)
    assert main(["stop", str(directory.path), "--no-wait"]) == 0
    assert ": asked process " in capsys.readouterr().out
    driver.join(30)
    assert not driver.is_alive()


def test_where_nothing_runs_there_is_nothing_to_stop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor does a mailbox that a killed driver left say otherwise."""
    for name, end, how in (
        ("a", (SearchEnded("finished"),), "it ended: finished"),
        ("b", (), "it was killed"),
    ):
        directory = _record(tmp_path / name, *EVENTS, *end)
        StopMailbox(directory.path)
        assert main(["stop", str(directory.path)]) == 2
        text = "a search must run there to be stopped, but no process writes its record"
        assert capsys.readouterr().err == f"{directory.path}: {text} ({how})\n"


def test_one_that_does_not_listen_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = _record(tmp_path / "small", *EVENTS)
    driver = _driven(directory, hears=False)
    assert main(["stop", str(directory.path)]) == 2
    told = capsys.readouterr().err
    assert "must be a search that can be asked to stop, but process " in told
    assert "press Ctrl-C" in told
    driver.join(30)


@pytest.mark.slow
@pytest.mark.exhaustive  # beside the journey of the pages, which stops a search, and tests/faults/test_interrupts.py
def test_a_real_search_stops_as_by_ctrl_c(tmp_path: Path) -> None:
    """Its exit status is 130, running trials are interrupted on record, and it can go on."""
    options = ["--set", "training.epochs=300", "--results", str(tmp_path / "r")]
    command = [sys.executable, "run_search.py", "search_spaces/digits_quickstart.yaml", *options]
    with (tmp_path / "err").open("w") as err:
        process = subprocess.Popen(command, cwd=ROOT, stderr=err, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 200
        while '"reported"' not in _text(tmp_path / "r" / "events.jsonl"):
            assert time.monotonic() < end
            time.sleep(0.2)
        assert main(["stop", str(tmp_path / "r")]) == 0
        assert process.wait(120) == 130
    finally:
        process.kill()
    assert '"event":"search_ended","reason":"interrupted"' in _text(tmp_path / "r" / "events.jsonl")
    told = (tmp_path / "err").read_text()
    assert "waiting for Ray" in told
    assert "stopping, as process" in told
    assert told.endswith("interrupted: go on with the same command and --resume\n")
    assert "Traceback" not in told
    assert "interrupted" in read_tables(tmp_path / "r")[0]["status"].to_pylist()


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
