"""Results of every past version stay readable. `golden/version_N` is never rewritten; a new version adds its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from wrn_search.results.events_jsonl import read_events
from wrn_search.results.state_from_events import fold
from wrn_search.results.table_columns import EPOCHS_SCHEMA, SCHEMA_VERSION, TRIALS_SCHEMA
from wrn_search.results.table_reader import read_results, read_tables
from wrn_search.results.table_writer import epoch_rows, epochs_table, trials_table

VERSIONS = sorted((Path(__file__).parent / "golden").iterdir())


def tables_of_record(folder):
    state = fold(read_events(folder / "events.jsonl"))
    return trials_table(state), epochs_table(epoch_rows(state))


def test_this_version_has_its_golden_results():
    assert [path.name for path in VERSIONS] == [f"version_{version + 1}" for version in range(SCHEMA_VERSION)]


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda path: path.name)
@pytest.mark.parametrize("source", [read_tables, tables_of_record])
def test_old_tables_and_old_records_tell_what_they_told(folder, source):
    trials, epochs = source(folder)
    assert trials.schema.equals(TRIALS_SCHEMA)
    assert epochs.schema.equals(EPOCHS_SCHEMA)
    assert trials["status"].to_pylist() == [
        *("completed", "stopped", "diverged", "failed", "running", "running")
    ]
    assert trials["val_error"].to_pylist() == [15.0, 60.0, None, None, 20.0, 60.0]
    assert trials["dropout"].to_pylist() == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert trials["lr_drops"].to_pylist() == [[0.3, 0.6, 0.8]] * 6
    assert trials["configuration"].to_pylist() in (
        list(range(6)),
        [None] * 6,
    )  # the tables of version 1 lack it
    assert trials["started_at"][0].as_py() == datetime(2023, 11, 14, 22, 13, 27, tzinfo=UTC)
    assert list(zip(epochs["trial_id"].to_pylist(), epochs["epoch"].to_pylist(), strict=True)) == [
        *(("trial_00000", epoch) for epoch in (1, 2, 3, 4)),
        ("trial_00001", 1),
        *(("trial_00004", epoch) for epoch in (1, 2, 3)),
        ("trial_00005", 1),
    ]


@pytest.mark.parametrize("column", ["configuration", "retries", "rung", "anchor", "seconds_alone"])
def test_columns_of_version_2_are_null_in_older_tables_and_follow_from_older_records(column):
    tables = {path.name: read_tables(path)[0][column] for path in VERSIONS}
    assert tables["version_1"].null_count == 6
    assert tables["version_2"].null_count == (5 if column == "rung" else 0)
    records = {path.name: tables_of_record(path)[0][column] for path in VERSIONS}
    assert records["version_1"].null_count == tables["version_2"].null_count
    assert records["version_2"].to_pylist() == tables["version_2"].to_pylist()


def test_frames_of_several_versions_keep_whole_numbers_and_flags():
    trials, _ = read_results(*VERSIONS)
    assert [str(trials[name].dtype) for name in ("configuration", "retries", "rung")] == ["Int64"] * 3
    assert str(trials["anchor"].dtype) == "boolean"
    assert trials["configuration"].isna().sum() == 6
