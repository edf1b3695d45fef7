"""Finalists chosen over several searches: where the confirmation lies, what it says and refuses, what is reported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.confirmation.test_confirmation_run import conductor, opened, to_the_end
from tests.decisions.playing import conductor_of, new_record, play, space_of
from wrn_search.__main__ import main
from wrn_search.analysis.confirmation import confirm_of
from wrn_search.analysis.input_tables.joined_tables import material_of
from wrn_search.confirmation.choice_of_finalists import Rule
from wrn_search.confirmation.confirmation_request import confirmation_request
from wrn_search.results import events_jsonl
from wrn_search.results.events import SearchEnded
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.results.table_writer import TableWriter
from wrn_search.space.yaml_with_lines import yaml_text


def search_at(path: str, errors: list[float], depths: list[int], **sections: Any) -> ResultsDirectory:
    """A played search over these depths, whose trials end with these errors."""
    directory = ResultsDirectory(path)
    directory.path.mkdir(parents=True)
    model = {"depth": {"choice": depths}, "dropout": {"uniform": [0.0, 0.5]}}
    search = {"trials": len(errors), "searcher": "random", "scheduler": "none", "seed": len(errors)}
    space = space_of(
        **{"name": directory.path.name, "model": model, "training": {"epochs": 2}, "search": search}
        | sections
    )
    with new_record(directory.events, space, f"id-{path.replace('/', '-')}") as record:
        play(conductor_of(space, record), lambda assignment, epoch: errors[assignment.number] + 2 - epoch)
        record.append(SearchEnded("finished"))
    directory.resolved.write_text(yaml_text(space.to_document()))
    tables(directory)
    return directory


def tables(directory: ResultsDirectory) -> None:
    writer = TableWriter(directory, fold(read_events(directory.events)))
    writer.flush()
    writer.compact()


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Searches shallow (networks of depth 10; 3, 5 and 4 %) and deep (16 and 22; 2, 6, 1 and 7 %)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "data"))
    search_at("results/shallow", [3.0, 5.0, 4.0], [10])
    search_at("results/deep", [2.0, 6.0, 1.0, 7.0], [16, 22])
    return ["results/shallow", "results/deep"]


def confirmed(paths: list[str], place: str | None = None, **options: Any) -> Path:
    """A whole confirmation, played."""
    request = confirmation_request(paths, Rule(top=2, **options), repeats=2, place=place)
    with opened(request) as record:
        to_the_end(conductor(request, record))
        record.append(SearchEnded("finished"))
    tables(request.directory)
    return request.directory.path


def test_the_best_of_both_are_confirmed_in_the_first_ones_directory(
    both: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in Path("results").rglob("*") if path.is_file()}
    assert confirmed(both, per_network=False) == Path("results/shallow/confirm")
    assert {path: path.read_bytes() for path in before} == before, "the searches are only read"
    assert not Path("results/deep/confirm").exists()
    chosen = fold(read_events(Path("results/shallow/confirm/events.jsonl"))).choice
    assert chosen is not None
    assert [(each["source"], each["number"]) for each in chosen.finalists.values()] == [
        ("id-results-deep", 2),
        ("id-results-deep", 0),
    ]
    seeds = {
        trial.config["seed"]
        for path in both
        for trial in fold(read_events(Path(path) / "events.jsonl")).trials.values()
    }
    retrained = fold(read_events(Path("results/shallow/confirm/events.jsonl"))).trials.values()
    fresh = {trial.config["seed"] for trial in retrained}
    assert (len(fresh), fresh & seeds) == (8, set())
    assert main(["confirm", *both]) == 0
    text = capsys.readouterr().out
    assert text.startswith("shallow and deep: 2 finalists of 7 configurations that reached full epochs (2)")
    assert "  1  deep:002_" in text
    assert main(["confirm", *both, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["search_id"] for each in told["finalists"]] == ["id-results-deep"] * 2
    assert {each["search"] for each in told["searches"].values()} == {"shallow", "deep"}


def test_a_directory_of_its_own(both: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert confirmed(both, "results/of_both") == Path("results/of_both")
    assert not Path("results/shallow/confirm").exists()
    assert main(["confirm", *both, "--results", "results/of_both", "--resume"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Results: results/of_both"
    manifest = json.loads(Path("results/of_both/manifest.json").read_text())["confirms"]
    chosen = fold(read_events(Path("results/of_both/events.jsonl"))).choice
    assert chosen is not None
    assert manifest["sources"] == [each["source"] for each in chosen.finalists.values()]
    assert list(manifest["searches"]) == ["id-results-shallow", "id-results-deep"]


def test_the_report_of_both_shows_each_finalist_beside_what_its_search_had_seen(both: list[str]) -> None:
    request = confirmation_request(both, Rule(trials=("shallow:0", "deep:2", "deep:0")), repeats=2)
    with opened(request) as record:
        to_the_end(conductor(request, record))
        record.append(SearchEnded("finished"))
    tables(request.directory)
    found, _ = confirm_of(material_of(both))
    assert found is not None
    assert found.named
    assert [(each.number, each.search_error) for each in found.finalists] == [(2, 1.0), (0, 2.0), (0, 3.0)]
    assert [each.is_winner for each in found.finalists] == [True, False, False]
    alone, _ = confirm_of(material_of(["results/shallow"]))
    assert alone is not None
    assert [each.number for each in alone.finalists] == [None, None, 0], "in the same order, the winner first"
    assert alone.finalists[0].is_winner
    assert confirm_of(material_of(["results/deep"]))[0] is None


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    before = sorted(Path().rglob("*"))
    assert main(["confirm", *arguments]) == 2
    assert sorted(Path().rglob("*")) == before
    told = capsys.readouterr()
    assert told.out == ""
    return told.err.splitlines()


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        (
            {"training": {"epochs": 3}},
            "epochs: trials that are compared must have equal epochs (rule 2 of an honest search), but got "
            "2 in results/shallow; 3 in results/other; confirm them one by one",
        ),
        (
            {"dataset": {"name": "digits", "preprocessing": "divide255"}},
            "dataset.preprocessing: trials that are compared must have one dataset.preprocessing, but got "
            "meanstd in results/shallow; divide255 in results/other; confirm them one by one",
        ),
    ],
)
def test_searches_that_cannot_be_compared_are_refused(
    both: list[str], sections: dict[str, Any], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    search_at("results/other", [1.0, 2.0], [16], **sections)
    assert refused(capsys, "results/shallow", "results/other", "--dry-run") == [line]


def test_other_images_are_refused(both: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    events = Path("results/deep/events.jsonl")
    recorded = [event for _, event in read_events(events)]
    events.unlink()
    with Record.create(events) as record:
        for event in recorded:
            split = {"split_hash": "other"} if hasattr(event, "split_hash") else {}
            record.append(type(event)(**vars(event) | split))
    (line,) = refused(capsys, *both)
    assert line.startswith(
        "split: trials that are compared must have the same validation images (hash of the split), but got "
        "split in results/shallow; other in results/deep"
    )


def test_copies_and_what_is_no_search_are_refused_each(
    both: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree("results/deep", "results/copy")
    assert refused(capsys, *both, "results/copy") == [
        "results/copy: every search must be named once, but this is a copy of results/deep"
    ]
    assert refused(capsys, "results/deep", "results/none", "results/no") == [
        f"RESULTS: must be the results directory of a search, but results/{name} holds none"
        for name in ("none", "no")
    ]
    assert refused(capsys, *both, "--results", "results/deep") == [
        "--results: must be a directory of the confirmation's own, but results/deep holds the search itself"
    ]
    assert refused(capsys, *both, "--results", "") == ["--results: must not be empty, but got ''"]
    assert refused(capsys, *both, "--results", "s3://bucket/x")[0].startswith(
        "--results: must be a directory"
    )
    with Record.open(Path("results/deep/events.jsonl")):
        (line,) = refused(capsys, *both)
    assert line.startswith(
        "RESULTS: a search must have stopped before its finalists are chosen, but results/deep"
    )


def test_the_choice_is_made_once(both: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    confirmed(both)
    (line,) = refused(capsys, "results/shallow")
    assert line.startswith(
        "results/shallow/confirm/events.jsonl: must confirm the searches that are named, shallow"
    )
    assert "but its choice is of shallow (id-results-shallow, at " in line
    made = "finalists are chosen once, before any test error is seen, and were, for results/shallow/confirm"
    hint = "go on with it with --results results/shallow/confirm"
    assert refused(capsys, *both[::-1]) == [f"--results: {made}; {hint}"]
    assert refused(capsys, *both, "--results", "results/again") == [f"--results: {made}; {hint}"]
    assert main(["confirm", *both[::-1], "--results", "results/shallow/confirm"]) == 0
    assert capsys.readouterr().out.startswith("shallow and deep: 2 finalists")


def test_the_record_of_a_confirmation_is_read_once(
    both: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    confirmed(both)
    read: list[str] = []
    parse = events_jsonl.from_line
    monkeypatch.setattr(
        events_jsonl, "from_line", lambda line, where: read.append(where) or parse(line, where)
    )
    assert main(["confirm", *both]) == 0
    assert len(read) == len(set(read))
