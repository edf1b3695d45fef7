"""Reading results: many searches as one, older versions, and every wrong directory named."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.results.searches import every_event
from wrn_search.errors import InputError
from wrn_search.results import table_reader
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.results.table_columns import EPOCHS_SCHEMA, TRIALS_SCHEMA
from wrn_search.results.table_reader import read_results, read_tables
from wrn_search.results.table_writer import TableWriter, epoch_rows, epochs_table, trials_table


@pytest.fixture
def small(tmp_path):
    """The results of a small search."""
    directory = ResultsDirectory(tmp_path / "small")
    directory.create()
    TableWriter(directory, fold(every_event()))
    return directory


def test_tables_come_as_they_were_written(small):
    trials, epochs = read_tables(small.path)
    state = fold(every_event())
    assert trials.equals(trials_table(state))
    assert epochs.equals(epochs_table(epoch_rows(state)))


def test_several_directories_read_as_one_in_their_order(small, tmp_path):
    other = ResultsDirectory(tmp_path / "other")
    other.create()
    state = fold(every_event())
    state.search = "other"
    TableWriter(other, state)
    trials, epochs = read_tables(small.path, str(other.path))
    assert trials["search"].to_pylist() == ["small"] * 6 + ["other"] * 6
    assert epochs["search"].to_pylist() == ["small"] * 9 + ["other"] * 9
    assert trials.schema.equals(TRIALS_SCHEMA)


def test_frames_have_one_type_a_column_whatever_it_holds(small):
    trials, epochs = read_results(small.path)
    assert list(trials.columns) == TRIALS_SCHEMA.names
    assert list(epochs.columns) == EPOCHS_SCHEMA.names
    assert trials["depth"].dtype == epochs["epoch"].dtype == np.int64
    assert trials["threads"].dtype == trials["peak_memory_bytes"].dtype == pd.Int64Dtype()
    assert trials["val_error"].dtype == np.float64
    assert str(trials["started_at"].dtype) == "datetime64[us, UTC]"
    assert trials["peak_memory_bytes"].isna().tolist() == [False, False, True, True, False, False]
    assert trials["val_error"].isna().tolist() == [False, False, True, True, False, False]
    # What a notebook does with them:
    assert trials.groupby("depth")["val_error"].min().to_dict() == {16: 15.0}
    assert trials[["depth", "dropout"]].to_numpy().dtype == np.float64
    assert trials.merge(epochs, on=["search", "trial_id"]).shape[0] == 9


def test_a_search_without_epochs_yet_reads_as_an_empty_table(small):
    shutil.rmtree(small.epochs)
    trials, epochs = read_tables(small.path)
    assert (trials.num_rows, epochs.num_rows) == (6, 0)
    assert epochs.schema.equals(EPOCHS_SCHEMA)


def test_folders_named_like_partitions_add_no_column(small, tmp_path):
    moved = tmp_path / "seed=3"
    small.path.rename(moved)
    trials, epochs = read_tables(moved)
    assert trials.schema.equals(TRIALS_SCHEMA)
    assert trials["seed"].to_pylist() == [7] * 6
    assert epochs.num_rows == 9


def rewrite(path, change):
    """Replaces a table by a changed one, which keeps its metadata unless the change takes them."""
    pq.write_table(change(pq.read_table(path)), path)


def with_version(version):
    def change(table):
        return table.replace_schema_metadata({b"wrn_search.schema_version": version})

    return change


def test_columns_that_an_older_version_did_not_write_are_null(small):
    rewrite(
        small.trials, lambda table: with_version(b"0")(table.drop_columns(["compile", "threads", "lr_drops"]))
    )
    rewrite(small.epochs / "part-000000.parquet", lambda table: table.drop_columns(["memory_bytes"]))
    trials, epochs = read_tables(small.path)
    assert trials.schema.equals(TRIALS_SCHEMA)
    assert epochs.schema.equals(EPOCHS_SCHEMA)
    for column in (trials["compile"], trials["threads"], trials["lr_drops"], epochs["memory_bytes"]):
        assert column.null_count == len(column) > 0
    assert trials["depth"].to_pylist() == [16] * 6


def test_columns_in_another_order_and_width_are_brought_in_line(small):
    def change(table):
        depth = table["depth"].cast(pa.int32())
        return table.set_column(table.column_names.index("depth"), "depth", depth).select(
            table.column_names[::-1]
        )

    rewrite(small.trials, change)
    trials, _ = read_tables(small.path)
    assert trials.equals(trials_table(fold(every_event())))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda small: shutil.rmtree(small.path),
            r"small: must be a results directory, but there is no such",
        ),
        (
            lambda small: small.trials.unlink(),
            r"small: must be a results directory, but holds no trials.parquet$",
        ),
        (
            lambda small: small.trials.write_bytes(b"no parquet"),
            r"trials.parquet: must be a readable Parquet file, but got: .*Parquet",
        ),
        (
            lambda small: small.trials.write_bytes(small.trials.read_bytes()[:-20]),
            r"trials.parquet: must be a readable Parquet file, but got: ",
        ),
        (
            lambda small: (small.epochs / "part-000001.parquet").write_bytes(b""),
            r"part-000001.parquet: must be a readable Parquet file, but got: ",
        ),
        (
            lambda small: rewrite(small.trials, with_version(b"6")),
            r"trials.parquet: schema version must be at most 5, but got 6 \(update WRN Search\)",
        ),
        (
            lambda small: rewrite(small.trials, lambda table: table.replace_schema_metadata(None)),
            r"trials.parquet: must be a table of a search, but its file metadata names no schema version",
        ),
        (
            lambda small: rewrite(
                small.trials,
                lambda table: table.set_column(
                    table.column_names.index("depth"), "depth", pa.array(["deep"] * table.num_rows)
                ),
            ),
            r"trials.parquet: column depth must be int64, but got string: ",
        ),
    ],
)
def test_what_cannot_be_read_is_named(small, spoil, message):
    spoil(small)
    with pytest.raises(InputError, match=message):
        read_tables(small.path)


def test_a_folder_of_results_directories_is_answered_with_them(small):
    with pytest.raises(InputError, match=r"holds no trials.parquet \(did you mean .*/small\?\)"):
        read_tables(small.path.parent)


def test_all_problems_come_at_once(small, tmp_path):
    with pytest.raises(InputError) as caught:
        read_tables(tmp_path / "a", small.path, tmp_path / "b", small.path / "." / "")
    assert [problem.where for problem in caught.value.problems] == [
        str(small.path),
        str(tmp_path / "a"),
        str(tmp_path / "b"),
    ]
    assert "must be named once" in caught.value.problems[0].text
    with pytest.raises(InputError, match="at least one results directory must be named, but got none"):
        read_tables()


def test_a_part_that_compaction_takes_away_is_no_error(small, monkeypatch):
    """The listing still names a part that is gone when its turn comes."""
    rows = list(epoch_rows(fold(every_event())))
    pq.write_table(epochs_table(rows[:4]), small.epochs / "part-000000.parquet")
    pq.write_table(epochs_table(rows[4:]), small.epochs / "part-000001.parquet")
    read = table_reader._read

    def compact_first(path, schema):
        if path.name == "part-000001.parquet" and path.exists():
            path.unlink()
            pq.write_table(epochs_table(rows), small.epochs / "part-000000.parquet")
        return read(path, schema)

    monkeypatch.setattr(table_reader, "_read", compact_first)
    _, epochs = read_tables(small.path)
    assert epochs.equals(epochs_table(rows))


def test_read_gives_pandas_or_pyarrow(small):
    import wrn_search

    assert isinstance(wrn_search.read(small.path)[0], pd.DataFrame)
    tables = wrn_search.read(small.path, as_="pyarrow")
    assert all(table.equals(other) for table, other in zip(tables, read_tables(small.path), strict=True))
    with pytest.raises(
        InputError, match="as_: must be one of pandas, pyarrow, but got 'panda' \\(did you mean"
    ):
        wrn_search.read(small.path, as_="panda")
