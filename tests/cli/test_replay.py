"""`replay` as a user runs it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import run
from tests.replay.hand_made import write_parquet
from wrn_search.__main__ import main
from wrn_search.results.atomic_files import check_can_be_written


@pytest.fixture(scope="module")
def curves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [{"x": x / 29, "val_error": [30 + x, 20 + x, 10 + x]} for x in range(30)]
    description: dict[str, Any] = {"hyperparameters": {"x": {"uniform": [0.0, 1.0]}}, "curve": "val_error"}
    return write_parquet(tmp_path_factory.mktemp("curves"), rows, **description, epoch_cost_unit="seconds")


def replay(*arguments: str) -> Any:
    return run("-m", "wrn_search", "replay", *arguments)


def test_the_json_is_as_documented(curves: Path) -> None:
    done = replay(
        str(curves), "--searcher", "random,tpe", "--scheduler", "none,asha", "--seeds", "4", "--epochs", "30",
        "--workers", "1,4", "--set", "search.rungs=[1]", "--method", "half=tpe+asha,reduction_factor=2,rungs=[1,2]",
        "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {"sources", "budget", "workers", "seeds", "methods", "pairs"} <= told.keys()
    assert (told["budget"], told["workers"], told["seeds"]) == (30, [1, 4], 4)
    assert len(told["methods"]) == 10
    names = ["random+none", "random+asha", "tpe+none", "tpe+asha", "half"]
    assert list(dict.fromkeys(method["name"] for method in told["methods"])) == names
    for method in told["methods"]:
        assert {"name", "searcher", "scheduler", "settings", "epochs", "regret", "trials"} <= method.keys()
        assert method["epochs"] == list(range(1, 31))
        for name in ("median", "q25", "q75"):
            assert len(method["regret"][name]) == 30
        assert {"completed", "stopped", "diverged", "unfinished"} <= method["trials"].keys()
        assert method["settings"]["search.rungs"] == ("[1,2]" if method["name"] == "half" else "[1]")
        assert method["by_hours"]["hours"][-1] <= 30 / 3600
    assert told["methods"][-1]["settings"]["search.reduction_factor"] == "2"
    assert len(told["pairs"]) == 2 * 10  # of five methods, with each number of workers
    for pair in told["pairs"]:
        assert len(pair["difference"]) == len(pair["low"]) == len(pair["high"]) == 30


@pytest.mark.slow
def test_the_same_command_prints_the_same(curves: Path) -> None:
    arguments = (str(curves), "--seeds", "3", "--epochs", "40")
    assert replay(*arguments).stdout == replay(*arguments).stdout


def test_a_page_is_written(curves: Path, tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    done = replay(str(curves), "--seeds", "2", "--output", str(page))
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert "Regret over epochs spent" in text
    assert "Regret over simulated hours" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("nowhere",),
            "nowhere: SOURCE: must be a results directory or a Parquet file of curves (its name ends in "
            ".parquet), but there is nothing",
        ),
        (("CURVES", "--searcher", "tpee"), "--searcher: must be one of"),
        (("CURVES", "--scheduler", "ashaa"), "(did you mean 'asha'?)"),
        (("CURVES", "--method", "tpe+asha"), "--method: must be NAME=SEARCHER+SCHEDULER"),
        (("CURVES", "--method", "a=tpe+none", "--method", "a=tpe+asha"), "'a' is there twice"),
        (("CURVES", "--epochs", "2"), "--epochs: must pay for one whole training, 3 epochs"),
        (("CURVES", "--set", "training.epochs=3"), "--set: a replay can change the search alone"),
        (("CURVES", "--set", "search.rungs=often"), "search.rungs"),
        (("CURVES", "--set", "search.repeats=2"), "search.repeats: must be at most the seeds"),
        (
            ("CURVES", "--searcher", "grid"),
            "--searcher: searcher grid needs choice and int domains, but x of",
        ),
        (("CURVES", "--seeds", "0"), "--seeds: must be a whole number of at least 1"),
        (("CURVES", "--workers", "1,1"), "--workers: must name each number once"),
        (
            ("CURVES", "--as-recorded"),
            "--as-recorded: must be of results directories, but got a Parquet file",
        ),
        (("CURVES", "CURVES"), "SOURCE: must be named once, but is there twice"),
        (("CURVES", "--set", "search.seed=3"), "--set: search.seed is said by --seeds"),
        (("CURVES", "--set", "search.scheduler=none"), "--set: search.scheduler is said by --scheduler"),
        (("CURVES", "--method", "a=tpe+asha,trials=3"), "--method: search.trials is said by --trials"),
        (("CURVES", "--method", "a=tpee+asha"), "--method: must be one of"),
        (("CURVES", "--method", "a=tpe+asha,rungs=[2,often]"), "search.rungs"),
        (("CURVES", "--as-recorded", "--rivals"), "--as-recorded: must stand without --rivals"),
    ],
)
def test_bad_input_is_a_line_and_status_2(
    curves: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process: one of its own would take two seconds of a core to start, for each of these."""
    status: object
    try:
        status = main(["replay", *(str(curves) if each == "CURVES" else each for each in arguments)])
    except SystemExit as ended:  # argparse's
        status = ended.code
    printed = capsys.readouterr()
    assert (status, printed.out) == (2, "")
    assert said in printed.err
    assert "Traceback" not in printed.err


def _loop(folder: Path) -> str:
    (folder / "loop").symlink_to("loop")
    return "it cannot be read: Too many levels of symbolic links"


def _file(folder: Path) -> str:
    (folder / "file.txt").write_text("no curves")
    return "it is a file"


def _folder(folder: Path) -> str:
    (folder / "folder.parquet").mkdir()
    return "it is a folder without events.jsonl"


def _empty(folder: Path) -> str:
    (folder / "empty").mkdir()
    (folder / "empty" / "events.jsonl").touch()
    return "its events.jsonl is empty"


def _torn(folder: Path) -> str:
    (folder / "torn").mkdir()
    (folder / "torn" / "events.jsonl").write_text('{"seq":1')
    return "its events.jsonl holds no whole event"


def _unreadable(folder: Path) -> str:
    (folder / "record").mkdir()
    (folder / "record" / "events.jsonl").symlink_to("events.jsonl")
    return "its events.jsonl cannot be read: Too many levels of symbolic links"


@pytest.mark.parametrize("made", [None, _loop, _file, _folder, _empty, _torn, _unreadable])
def test_what_is_there_instead_of_a_source_is_told(
    made: Callable[[Path], str] | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    came = "there is nothing" if made is None else made(tmp_path)
    source = next(iter(tmp_path.iterdir()), tmp_path / "none")
    assert main(["replay", str(source)]) == 2
    rule = "must be a results directory or a Parquet file of curves (its name ends in .parquet)"
    assert capsys.readouterr().err == f"{source}: SOURCE: {rule}, but {came}\n"


@pytest.mark.parametrize("place", ["/proc/page.html", "/proc/new/page.html", "/dev/full", "FOLDER"])
def test_an_output_that_cannot_be_written_is_told_before_anything_is_played(
    place: str,
    curves: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def played(*arguments: object) -> None:
        raise AssertionError("it is played")

    monkeypatch.setattr("wrn_search.replay.all_plays.all_plays", played)
    output = str(tmp_path) if place == "FOLDER" else place
    assert main(["replay", str(curves), "--output", output]) == 2
    assert "--output: must be a " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_looking_whether_an_output_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    check_can_be_written(tmp_path / "new" / "folder" / "page.html", "--output")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "page.html").write_text("old")
    check_can_be_written(tmp_path / "page.html", "--output")
    assert (tmp_path / "page.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.slow
def test_a_process_that_the_system_ends_is_told_as_such(
    curves: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "wrn_search.replay.all_plays._begin_process", os._exit
    )  # with what it is given: a failure
    monkeypatch.setattr("wrn_search.cli.replay.usable_cores", lambda: 2)
    assert main(["replay", str(curves), "--seeds", "4"]) == 1
    told = capsys.readouterr().err
    assert "the system ended one of 2 processes that play searches" in told
    assert "internal error" not in told
