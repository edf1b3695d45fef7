"""The tables on disk: files can be read at any moment, and each epoch stands in them once."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.results.searches import (
    MAX_EPOCHS,
    START,
    every_event,
    follow,
    proposed,
    reported,
    search_started,
    started,
    timed,
)
from wrn_search.results import table_writer
from wrn_search.results.events import Completed, Reopened
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.table_reader import read_tables
from wrn_search.results.table_writer import TableWriter, epoch_rows, epochs_table, trials_table


@pytest.fixture
def directory(tmp_path):
    directory = ResultsDirectory(tmp_path / "small")
    directory.create()
    return directory


def on_disk(directory):
    """(trials, epochs) as lists of rows, as a reader sees them now."""
    trials, epochs = read_tables(directory.path)
    key = lambda row: (row["trial_id"], row["epoch"])  # noqa: E731
    return trials.to_pylist(), sorted(epochs.to_pylist(), key=key)


def expected(state):
    """What the files should hold for a state."""
    return trials_table(state).to_pylist(), epochs_table(epoch_rows(state)).to_pylist()


def test_files_can_be_read_after_every_single_event(directory, monkeypatch):
    monkeypatch.setattr(table_writer, "MAX_SHARE", float("inf"))
    state = SearchState()
    writer = TableWriter(directory, state, trials_seconds=0, epochs_seconds=0)
    assert on_disk(directory) == ([], [])
    for event in every_event():
        follow(writer, state, [event])
        assert on_disk(directory) == expected(state)


def test_a_trial_that_has_ended_is_looked_at_again_only_when_it_changes(directory, monkeypatch):
    looked_at, row = [], table_writer._trial_row
    monkeypatch.setattr(
        table_writer, "_trial_row", lambda search, trial: looked_at.append(trial.number) or row(search, trial)
    )
    state = SearchState()
    writer = TableWriter(directory, state, trials_seconds=0, epochs_seconds=0)
    follow(writer, state, timed(search_started(), proposed(0), proposed(1), Completed(0)))
    writer.flush()
    looked_at.clear()
    for event in (reported(1, 1), reported(1, 2)):
        follow(writer, state, timed(event))
        writer.flush()
    assert set(looked_at) == {1}
    follow(writer, state, timed(Reopened(0), started(0), reported(0, 1)))
    writer.flush()
    assert on_disk(directory) == expected(state)
    assert on_disk(directory)[0][0]["status"] == "running"


def test_events_are_gathered_until_a_write_is_due(directory, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("wrn_search.results.table_writer.time.monotonic", lambda: now[0])
    state = SearchState()
    writer = TableWriter(directory, state)
    follow(writer, state, every_event())
    assert on_disk(directory) == ([], []), "just written when it was opened"
    now[0] += 6
    writer.write_due()
    assert on_disk(directory) == (expected(state)[0], [])
    now[0] += 25
    writer.write_due()
    assert on_disk(directory) == expected(state)


def test_flush_writes_all_and_leaves_files_alone_that_are_up_to_date(directory):
    state = SearchState()
    writer = TableWriter(directory, state)
    follow(writer, state, every_event())
    writer.flush()
    assert on_disk(directory) == expected(state)
    before = [path.stat().st_ino for path in (directory.trials, *directory.epochs.iterdir())]
    writer.flush()
    assert before == [path.stat().st_ino for path in (directory.trials, *directory.epochs.iterdir())]


def test_writing_the_trials_takes_a_twentieth_of_the_time_at_most(directory, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("wrn_search.results.table_writer.time.monotonic", lambda: now[0])

    def slow_table(state, settled):
        now[0] += 2.0
        return trials_table(state)

    state = SearchState()
    with monkeypatch.context() as patch:
        patch.setattr(table_writer, "trials_table", slow_table)
        writer = TableWriter(directory, state)
    follow(writer, state, timed(search_started(), proposed(0)))
    now[0] += 39
    writer.write_due()
    assert on_disk(directory)[0] == []
    now[0] += 2
    writer.write_due()
    assert len(on_disk(directory)[0]) == 1


def test_full_parts_stay_and_the_last_is_replaced(directory, monkeypatch):
    monkeypatch.setattr(table_writer, "PART_ROWS", 3)
    state = SearchState()
    writer = TableWriter(directory, state, epochs_seconds=0)
    rows = [(START + epoch, reported(0, epoch)) for epoch in range(1, 9)]
    follow(writer, state, [*timed(search_started(), proposed(0)), *rows])
    sizes = {path.name: pq.read_metadata(path).num_rows for path in directory.epochs.glob("*.parquet")}
    assert sizes == {"part-000000.parquet": 3, "part-000001.parquet": 3, "part-000002.parquet": 2}
    assert on_disk(directory)[1] == expected(state)[1]
    writer.compact()
    assert [path.name for path in directory.epochs.iterdir()] == ["part-000000.parquet"]
    assert on_disk(directory)[1] == expected(state)[1]
    follow(writer, state, [(START + 99, reported(0, 9))])
    assert on_disk(directory)[1] == expected(state)[1]
    assert len(on_disk(directory)[1]) == 9


def test_opening_repairs_whatever_a_kill_left(directory):
    state = fold(every_event())
    TableWriter(directory, state).flush()
    row = epochs_table(list(epoch_rows(state))[:2])
    pq.write_table(row, directory.epochs / "part-000007.parquet")  # rows that stand in part 0, too
    (directory.epochs / ".part-000001.parquet.tmp").write_bytes(b"PAR1 half")
    (directory.path / ".trials.parquet.tmp").write_bytes(b"PAR1 half")
    directory.trials.unlink()
    TableWriter(directory, state)
    assert on_disk(directory) == expected(state)
    left = {path.name for path in directory.path.rglob("*") if path.is_file()} - {".starting"}
    assert left == {"trials.parquet", "part-000000.parquet"}


def test_temporary_files_are_never_matched_by_a_pattern_of_tables(directory, monkeypatch):
    seen = []
    write = pq.write_table

    def spy(table, path, **options):
        write(table, path, **options)
        seen.append([Path(path), list(Path(path).parent.glob("*.parquet"))])

    monkeypatch.setattr(pq, "write_table", spy)
    TableWriter(directory, fold(every_event())).flush()
    assert len(seen) == 2
    assert all(path not in matched for path, matched in seen)


epoch_reports = st.lists(st.tuples(st.integers(0, 2), st.integers(1, MAX_EPOCHS)), max_size=25)


@settings(max_examples=40, deadline=None)
@given(before=epoch_reports, after=epoch_reports, part_rows=st.integers(1, 6), compacted=st.booleans())
def test_each_trial_and_epoch_stands_once_across_kills_and_repeats(before, after, part_rows, compacted):
    """A session dies without a word; the next opens on the record's state and runs some epochs again."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_writer, "PART_ROWS", part_rows)
        directory = ResultsDirectory(folder)
        state = SearchState()
        writer = TableWriter(directory, state, epochs_seconds=0)
        follow(writer, state, timed(search_started(), *(proposed(number) for number in range(3))))
        follow(writer, state, timed(*(reported(*row) for row in before)))
        writer = TableWriter(directory, state, epochs_seconds=0)
        follow(writer, state, timed(*(reported(*row, val_error=99.0) for row in after)))
        if compacted:
            writer.compact()
        keys = [(row["trial_id"], row["epoch"]) for row in on_disk(directory)[1]]
        assert sorted(set(keys)) == keys
        assert set(keys) == {(f"trial_{number:05d}", epoch) for number, epoch in before + after}
        again = [
            row["val_error"]
            for row in on_disk(directory)[1]
            if (int(row["trial_id"][-1]), row["epoch"]) in before
        ]
        assert 99.0 not in again


def test_a_reader_never_fails_while_a_writer_is_killed_again_and_again(directory):
    """Real processes: each writes as fast as it can until it is killed; the files are read all the while."""
    code = f"""
import itertools, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.results.searches import every_event, proposed, reported, search_started
from wrn_search.results import table_writer as tables
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState
tables.PART_ROWS = 7
tables.MAX_SHARE = float("inf")
state = SearchState()
state.apply(0.0, search_started())
state.apply(0.0, proposed(0))
directory = ResultsDirectory({str(directory.path)!r})
writer = tables.TableWriter(directory, state, trials_seconds=0, epochs_seconds=0)
print("ready", flush=True)
for epoch in itertools.count(1):
    state.apply(float(epoch), reported(0, epoch))
    writer.on_event(float(epoch), reported(0, epoch))
    if epoch % 20 == 0:
        writer.compact()
"""
    reads = 0
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        try:
            assert process.stdout.readline() == b"ready\n"
            until = time.monotonic() + 0.7
            while time.monotonic() < until:
                _, epochs = read_tables(directory.path)
                seen = epochs["epoch"].to_pylist()
                assert len(seen) == len(set(seen))
                reads += 1
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        read_tables(directory.path)
    assert reads > 10
