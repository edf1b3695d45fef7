"""`python -m wrn_search confirm`: its options, the plan, a finished confirmation shown again, and what it refuses."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from tests.confirmation.test_confirmation_run import conductor, opened, to_the_end
from tests.datasets.image_data import random_images, write_folder
from tests.decisions.playing import conductor_of, new_record, play, space_of
from wrn_search.__main__ import main
from wrn_search.confirmation.choice_of_finalists import Rule
from wrn_search.confirmation.confirmation_request import confirmation_request
from wrn_search.results.events import SearchEnded
from wrn_search.results.events_jsonl import Record
from wrn_search.results.results_directory import ResultsDirectory

NUMBER = "must be a whole number from 1 to"


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A played search in results/played, of which three of four configurations reached full epochs.

    Best first they are trials 2 and 3 of two networks, then 0 of one of these again.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "data"))
    directory = ResultsDirectory("results/played")
    directory.path.mkdir(parents=True)
    space = space_of(
        model={"depth": {"choice": [10, 16]}, "dropout": {"uniform": [0.0, 0.5]}},
        training={"epochs": 2},
        search={"trials": 4, "searcher": "random", "scheduler": "none"},
    )
    errors = [3.0, None, 1.0, 2.0]
    with new_record(directory.events, space) as record:
        play(conductor_of(space, record), lambda assignment, epoch: errors[assignment.number])
    directory.resolved.write_text(json.dumps(space.to_document()))
    return "results/played"


@pytest.fixture
def confirmed(results: str) -> str:
    """The same, with a finished confirmation of its two best."""
    request = confirmation_request(results, Rule(top=2), repeats=3)
    with opened(request) as record:
        to_the_end(conductor(request, record))
        record.append(SearchEnded("finished"))
    return results


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (
            ["results/none"],
            ["RESULTS: must be the results directory of a search, but results/none holds none"],
        ),
        (
            ["results"],
            [
                "RESULTS: must be the results directory of a search, but results holds none "
                "(did you mean results/played?)"
            ],
        ),
        (["results/played", "--top", "0"], [f"--top: {NUMBER} 10000, but got '0'"]),
        (
            ["results/played", "--top", "x", "--repeats", "-1", "--epochs", "1e3"],
            [
                f"--top: {NUMBER} 10000, but got 'x'",
                f"--repeats: {NUMBER} 1000, but got '-1'",
                f"--epochs: {NUMBER} 100000, but got '1e3'",
            ],
        ),
        (
            ["results/played", "--trials", "0,,2"],
            ["--trials: must be trials' numbers, keys or short names with commas between, but got '0,,2'"],
        ),
        (
            ["results/played", "--trials", ""],
            ["--trials: must be trials' numbers, keys or short names with commas between, but got ''"],
        ),
        (
            ["results/played", "--trials", "2,9,1,2"],
            [
                "--trials: must be best, a trial's number (0 to 3), its trial_id or its short name, but got '9'",
                "--trials: a finalist must have been trained to its last epoch (2), "
                "but trial 1 has status diverged after epoch 0",
                "--trials: must name each configuration once, but '2' and '2' are the same one",
            ],
        ),
        (
            ["results/played", "--trials", "2", "--top", "1", "--pareto", "--no-per-network"],
            [
                f"{option}: must be left out where --trials names the finalists"
                for option in ("--top", "--pareto", "--no-per-network")
            ],
        ),
        (["results/played", "--address", ""], ["--address: must not be empty, but got ''"]),
        (
            ["results/played", "--resume"],
            [
                "--resume: a confirmation must be there to go on with, but results/played/confirm holds none; "
                "start it without --resume"
            ],
        ),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    results: str, arguments: list[str], lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(Path().rglob("*"))
    assert main(["confirm", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == lines
    assert sorted(Path().rglob("*")) == before


def test_a_search_without_full_trials_or_one_that_runs_is_refused(
    results: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Record.open(Path(results) / "events.jsonl"):
        assert main(["confirm", results]) == 2
    assert capsys.readouterr().err == (
        "RESULTS: a search must have stopped before its finalists are chosen, "
        f"but results/played is running: process {os.getpid()} on {socket.gethostname()}\n"
    )
    directory = ResultsDirectory("results/diverged")
    directory.path.mkdir()
    space = space_of()
    with new_record(directory.events, space) as record:
        play(conductor_of(space, record), lambda assignment, epoch: None)
    assert main(["confirm", "results/diverged"]) == 2
    assert capsys.readouterr().err == (
        "RESULTS: a trial must have been trained to its last epoch (10), but none of 9 was\n"
    )


def test_a_dry_run_names_the_finalists_and_writes_nothing(
    results: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(Path().rglob("*"))
    assert main(["confirm", results, "--dry-run", "--repeats", "2", "--no-per-network"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "3 finalists of 3 configurations at full epochs, by validation:"
    assert [line.split()[1][:3] for line in lines[1:4]] == ["002", "003", "000"]
    assert lines[4] == "retrainings  12 of 2 epochs: 2 kinds x 3 finalists x 2 seeds"
    assert lines[-1] == "Dry run: nothing was started or written."
    assert main(["confirm", results, "--dry-run", "--pareto", "--top", "1", "--epochs", "9", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["rule"], plan["epochs"], plan["repeats"], plan["retrainings"]) == ("pareto", 9, 5, 10)
    assert [each["number"] for each in plan["finalists"]] == [2]
    assert sorted(Path().rglob("*")) == before


def test_a_dry_run_looks_for_the_test_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    images = random_images(40)
    write_folder(tmp_path / "f", images, [number % 2 for number in range(40)])
    directory = ResultsDirectory("results/own")
    directory.path.mkdir(parents=True)
    space = space_of(
        dataset={"name": "folder", "root": str(tmp_path / "f"), "validation": 10},
        training={"epochs": 2, "batch_size": 4},
        search={"trials": 2, "searcher": "random", "scheduler": "none"},
    )
    with new_record(directory.events, space) as record:
        play(conductor_of(space, record), lambda assignment, epoch: 5.0)
    directory.resolved.write_text(json.dumps(space.to_document()))
    assert main(["confirm", "results/own", "--dry-run"]) == 2
    assert f"to be tested with, but got no {tmp_path}/f/test" in capsys.readouterr().err
    assert main(["confirm", "results/own", "--dry-run", "--only", "split"]) == 0
    write_folder(tmp_path / "f", images[:2], [0, 1], "test")
    assert main(["confirm", "results/own", "--dry-run"]) == 0


def test_one_finalist_a_network_unless_asked_otherwise(
    results: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(Path().rglob("*"))
    assert main(["confirm", results, "--dry-run"]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    how = "by validation, the best configuration of each network"
    assert lines[0] == f"2 finalists of 3 configurations at full epochs, {how}:"
    names = [line.split()[1] for line in lines[1:3]]
    assert [name[:3] for name in names] == ["002", "003"]
    assert len({name.split("_")[1] for name in names}) == 2
    assert told.err == (
        "2 finalists, not 3: 1 further configuration is of the same networks "
        "(--no-per-network lets several of one network in)\n"
    )
    assert main(["confirm", results, "--dry-run", "--top", "2", "--per-network", "--json"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    plan = json.loads(told.out)
    assert (plan["rule"], plan["per_network"], len(plan["finalists"])) == ("top", True, 2)
    assert sorted(Path().rglob("*")) == before


def test_trials_are_named_as_elsewhere(results: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["confirm", results, "--dry-run", "--trials", "0, 3"]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0] == (
        "2 finalists of 3 configurations at full epochs, named by their trials, in the order of validation:"
    )
    names = [line.split()[1] for line in lines[1:3]]
    assert [name[:3] for name in names] == ["003", "000"]
    assert told.err == ""
    assert main(["confirm", results, "--dry-run", "--json", "--trials", f"{names[0]},best"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert [each["number"] for each in plan["finalists"]] == [2, 3]
    assert (plan["rule"], plan["per_network"]) == ("trials", False)


def test_a_finished_confirmation_is_shown_again_and_read_only(
    confirmed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in Path(confirmed).rglob("*") if path.is_file()}
    assert main(["confirm", confirmed]) == 0
    text = capsys.readouterr().out
    assert "played: 2 finalists of 3 configurations that reached full epochs (2)" in text
    assert "of n = 3 seeds they cover the median with 75 %" in text
    assert "The test split was read 6 times for 6 networks" in text
    assert text.splitlines()[-1] == "Results: results/played/confirm"
    assert main(["confirm", confirmed, "--json", "--top", "2", "--resume"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["number"] for each in told["finalists"]] == [2, 3]
    assert told["finalists"][0]["test_error"]["errors"] == [4.0, 5.0, 6.0]
    assert told["chosen_at"] is not None
    assert {path: path.read_bytes() for path in Path(confirmed).rglob("*") if path.is_file()} == before


def test_another_choice_is_refused_once_one_has_been_made(
    confirmed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["confirm", confirmed, "--top", "3", "--repeats", "9"]) == 2
    choice = "top 2, one of each network, repeats 3, epochs 2"
    made = f"finalists are chosen once, before any test error is seen, and were: {choice}"
    assert capsys.readouterr().err.splitlines() == [
        f"{option}: {made}; leave the option out to go on with results/played/confirm"
        for option in ("--top", "--repeats")
    ]
