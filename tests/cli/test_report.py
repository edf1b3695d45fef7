"""`report` as a command: words, JSON, the files it writes, and status 2 where nothing can be said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.analysis.planted import WITH_DROPOUT, Plan, plant
from wrn_search.__main__ import main

TPE = {"searcher": "tpe", "scheduler": "asha", "trials": 12, "reduction_factor": 2}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    ends = {0: ("failed", "\x1b[31mred"), 1: ("diverged", "nan")}
    return plant(tmp_path / "results", Plan(model=WITH_DROPOUT, search=TPE, ends=ends))


def test_the_answer_in_words(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(results)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("planted: 12 trials on cifar10 (")
    assert "Winner: WRN-" in told
    assert "- 1 failed: \\x1b[31mred" in told
    assert "\x1b" not in told

    assert main(["status", str(results)]) == 0  # which fits nothing: it reads what the report has left
    (line,) = [line for line in told.splitlines() if line.startswith("Depth:")]
    assert line[:40] in capsys.readouterr().out


def test_json_and_both_files(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    follow_up, study = tmp_path / "next.yaml", tmp_path / "study.log"
    options = ["--json", "--follow-up", str(follow_up), "--optuna-storage", str(study)]
    assert main(["report", str(results), *options]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["counts"]["trials"] == 12
    assert f"{follow_up}: 60 trials; run it as its header says" in told.err
    assert f"{study}: planted; look at them with: optuna-dashboard {study}" in told.err
    assert main(["check", str(follow_up)]) == 0
    assert main(["report", str(results), *options]) == 2
    assert "--follow-up: must name a new file, but" in capsys.readouterr().err


def test_the_margin_decides_how_small_a_network_is_as_good(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(results), "--margin", "40"]) == 0
    (line,) = [each for each in capsys.readouterr().out.splitlines() if each.startswith("Smallest")]
    assert line.startswith("Smallest as good within 40 points: WRN-16-1, expected ")
    with pytest.raises(SystemExit) as ended:
        main(["report", str(results), "--margin", "-1"])
    assert ended.value.code == 2
    assert "must be a number of points above 0, but got '-1'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("nowhere", "nowhere: must be a results directory, but there is no such directory"),
        (".", "must be named once, but came again"),
    ],
)
def test_what_cannot_be_read_ends_with_status_2(
    results: Path, other: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(results), str(results / other)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert message in told.err
