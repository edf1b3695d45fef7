"""A directory that is half there says what is missing, and the rest is used."""

from __future__ import annotations

import pytest

from tests.analysis.planted import Plan, plant
from wrn_search.analysis.input_tables.source_directories import read_source

SEARCH = {"searcher": "random", "scheduler": "none", "trials": 2}


@pytest.fixture
def path(tmp_path):
    return plant(tmp_path / "results", Plan(search=SEARCH))


def test_a_whole_directory_misses_nothing(path):
    source = read_source(path)
    assert source.missing == ()
    assert source.state == "finished"
    assert source.started.chance_error == 90.0
    assert source.space.search.trials == source.trials_planned == 2
    assert source.adaptive is False
    assert source.searched == ("depth", "widen_factor")
    assert source.fact("dataset", "validation_images") == 5000
    assert source.fact("dataset", "nothing", "below") is None


@pytest.mark.parametrize(
    ("search", "adaptive"),
    [
        ({"searcher": "tpe", "scheduler": "none"}, True),
        ({"searcher": "random", "scheduler": "asha"}, True),
        ({"searcher": "random", "scheduler": "none"}, False),
        ({"searcher": "grid", "scheduler": "none", "repeats": 3}, False),
    ],
)
def test_what_learns_from_results_is_adaptive(tmp_path, search, adaptive):
    assert read_source(plant(tmp_path / "x", Plan(search=search))).adaptive is adaptive


def test_every_missing_file_is_named(path):
    for name in ("resolved.yaml", "manifest.json", "events.jsonl"):
        (path / name).unlink()
    source = read_source(path)
    assert (source.space, source.manifest, source.started, source.state) == (None, {}, None, "unknown")
    assert source.adaptive is source.trials_planned is source.searched is None
    assert [text.partition(":")[0] for text in source.missing] == [
        "resolved.yaml",
        "manifest.json",
        "events.jsonl",
    ]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": ' * 5000])
def test_a_torn_manifest_is_no_manifest(path, text):
    (path / "manifest.json").write_text(text)
    source = read_source(path)
    assert source.manifest == {}
    assert source.missing[0].startswith("manifest.json: ")


def test_a_record_without_an_end_is_unfinished_and_a_torn_line_is_no_end(path):
    record = path / "events.jsonl"
    lines = record.read_bytes().splitlines(keepends=True)
    record.write_bytes(lines[0] + lines[1][:-1])
    assert read_source(path).state == "unfinished"
    record.write_bytes(lines[0][:20])
    assert read_source(path).started is None
    record.write_bytes(b"")
    assert read_source(path).state == "unfinished"


def test_a_record_that_is_longer_than_its_tail_is_read_at_both_ends(path):
    record = path / "events.jsonl"
    first, last = record.read_bytes().splitlines(keepends=True)
    record.write_bytes(first + b'{"event": "never parsed"}\n' * 10_000 + last)
    source = read_source(path)
    assert (source.started.search, source.state, source.missing) == ("planted", "finished", ())


def test_a_last_line_of_another_version_tells_no_state(path):
    record = path / "events.jsonl"
    record.write_bytes(record.read_bytes() + b'{"seq": 2, "time": 1.0, "event": "from the future"}\n')
    source = read_source(path)
    assert source.state == "unknown"
    assert "was it written by a newer version?" in source.missing[0]
