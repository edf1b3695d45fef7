"""The report of `protocol: test_each`: medians of seeds, readings counted, nothing chosen; and what it refuses."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from tests.decisions.playing import metrics, space_of
from wrn_search.__main__ import main
from wrn_search.analysis.readings import tested_networks as lists
from wrn_search.analysis.statistics.fresh_seeds import fresh_spread
from wrn_search.results import events
from wrn_search.results.events import Event
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.results.table_writer import TableWriter

ERRORS = {0: (5.0, 7.0), 1: (4.0, 4.5)}  # configuration -> of its seeds


def directory_of(
    path: Path, protocol: str = "test_each", search_id: str = "id", dataset: str = "digits"
) -> Path:
    """A record of two networks with two seeds each, one of which diverged."""
    space = space_of(
        protocol=protocol,
        dataset={"name": dataset},
        model={"depth": 10, "widen_factor": {"choice": [0.5, 1.0]}},
        training={"epochs": 1},
        search={"searcher": "grid", "scheduler": "none", "repeats": 2},
    )
    details = {"dataset": {"train_images": 1497}}
    happened: list[Event] = [
        events.SearchStarted(
            "each", search_id, 1, 90.0, dataset, "split", space=space.to_document(), details=details
        )
    ]
    for number in range(4):
        configuration, repeat = divmod(number, 2)
        hparams = {"widen_factor": (0.5, 1.0)[configuration]}
        config = space.trial_config(hparams, number, precision="fp32", compile="off")
        happened += [
            events.Proposed(
                number,
                f"t{number}",
                configuration,
                repeat,
                hparams,
                config.to_dict(),
                1000 * (number // 2 + 1),
                9,
            ),
            events.Reported(
                number, dataclasses.replace(metrics(1, 3.0), val_error=None, val_loss=None), "n", "cpu"
            ),
        ]
        if number == 3:
            happened += [events.Diverged(3, 1, "test loss must be finite, but got nan")]
        else:
            error = ERRORS[configuration][repeat]
            happened += [
                events.TestOpened(number),
                events.Tested(number, 0.1, error, 300),
                events.Completed(number),
            ]
    happened.insert(4, events.TestOpened(0))  # a reading whose number a kill took
    path.mkdir()
    with Record.create(path / "events.jsonl") as record:
        for event in happened:
            record.append(event)
    TableWriter(ResultsDirectory(path), fold(read_events(path / "events.jsonl"))).flush()
    return path


def test_every_network_has_its_median_range_and_interval(tmp_path: Path) -> None:
    found = lists.tested_networks([directory_of(tmp_path / "a")])
    first, second = found.networks
    assert (first.network, first.errors, first.median, first.coverage) == (
        "WRN-10-0.5",
        (5.0, 7.0),
        6.0,
        50.0,
    )
    assert (second.errors, second.ended) == ((4.0,), {"completed": 1, "diverged": 1})
    spread = fresh_spread([(5.0, 7.0), (4.0,)])
    assert spread is not None
    low, high = spread.of_median(6.0, 2)
    assert first.interval == (max(0.0, low), min(100.0, high))
    assert (found.readings, found.tested, found.trials, found.left) == (4, 3, 4, 0)
    assert (found.train_images, found.test_images) == (1497, 300)
    assert found.reasons == ("1 diverged: test loss must be finite, but got nan",)


def test_seeds_of_two_directories_are_of_one_network(tmp_path: Path) -> None:
    paths = [directory_of(tmp_path / "a"), directory_of(tmp_path / "b", search_id="other")]
    found = lists.tested_networks(paths)
    assert [len(each.errors) for each in found.networks] == [4, 2]


def test_the_command_says_so_in_words_json_and_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = directory_of(tmp_path / "a")
    assert main(["report", str(path)]) == 0
    told = capsys.readouterr().out
    assert (
        "Protocol test_each: each network was trained on 1,497 training images for 1 epoch, with none held"
        in told
    )
    assert "The test split was read 4 times for 3 networks" in told
    assert "1 more than there are test errors" in told
    assert "validation" not in told
    page = (path / "report.html").read_text(encoding="utf-8")
    assert "Nothing was chosen by it" in page
    assert "WRN-10-0.5" in page
    assert main(["report", str(path), "--json"]) == 0
    told_json = json.loads(capsys.readouterr().out)
    assert told_json["protocol"] == "test_each"
    assert [each["median_test_error"] for each in told_json["networks"]] == [6.0, 4.0]


def test_what_goes_by_validation_errors_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = directory_of(tmp_path / "a")
    assert main(["report", str(path), "--margin", "1", "--next", "x.yaml"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in told] == ["--margin", "--next"]
    assert main(["confirm", str(path), "--dry-run"]) == 2
    assert (
        "finalists are chosen by validation errors, of which protocol: test_each has none"
        in capsys.readouterr().err
    )
    assert main(["export", str(path), "--format", "torch"]) == 2
    assert "best goes by validation errors, of which protocol: test_each has none" in capsys.readouterr().err


def test_lists_and_searches_are_not_reported_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [
        str(directory_of(tmp_path / "a")),
        str(directory_of(tmp_path / "b", "search", search_id="other")),
    ]
    assert main(["report", *paths, "--output", str(tmp_path / "page.html")]) == 2
    line = capsys.readouterr().err
    assert "results of protocol: test_each hold test errors, and those of a search validation errors" in line
    assert str(tmp_path / "b") in line
