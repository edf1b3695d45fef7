"""Tracker `csv`: `csv/trials.csv` and `csv/epochs.csv`, with the rows and columns of the Parquet files."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import csv

from wrn_search.results.atomic_files import leftovers, replacing
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.table_writer import (
    EpochRow,
    TrialRow,
    epoch_rows,
    epochs_table,
    rows_of_epochs,
    trials_table,
)
from wrn_search.results.trial_state import TrialState
from wrn_search.trackers.tracker import TrackerKind


class CsvFiles:
    """Opening writes both files anew, so that whatever a kill had left each row stands once; then rows are added."""

    def __init__(self, directory: ResultsDirectory, state: SearchState):
        self._folder = directory.path / "csv"
        self._trials, self._epochs = self._folder / "trials.csv", self._folder / "epochs.csv"
        self._settled: dict[int, TrialRow] = {}  # rows of trials that have ended
        with self._located():
            self._folder.mkdir(exist_ok=True)
            for stale in [*leftovers(self._trials), *leftovers(self._epochs)]:
                stale.unlink(missing_ok=True)
            with replacing(self._epochs) as temporary:
                temporary.write_bytes(_lines(epochs_table(epoch_rows(state)), header=True))
        self._written = {number: trial.epochs_done for number, trial in state.trials.items()}

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._folder)

    def update(self, state: SearchState, changed: Iterable[int]) -> None:
        """Adds the new epochs; the table of trials is replaced."""
        numbers = sorted(changed)
        with self._located():
            if rows := [row for number in numbers for row in self._new(state.search, state.trials[number])]:
                self._add(_lines(epochs_table(rows), header=False))
                self._written |= {number: state.trials[number].epochs_done for number in numbers}
            for number in numbers:
                self._settled.pop(number, None)
            with replacing(self._trials) as temporary:
                temporary.write_bytes(_lines(trials_table(state, self._settled), header=True))

    def close(self, state: SearchState, is_running: bool) -> None:
        """All is there."""

    def _add(self, lines: bytes) -> None:
        descriptor = os.open(self._epochs, os.O_WRONLY | os.O_APPEND)  # not made anew where it was removed
        try:
            if os.write(descriptor, lines) != len(lines):
                raise OSError(errno.ENOSPC, "not all could be written: is the disk full?")
        finally:
            os.close(descriptor)

    @contextmanager
    def _located(self) -> Iterator[None]:
        """Whatever cannot be written is told with its place: a full disk names none."""
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror or str(error), error.filename or self.place) from error

    def _new(self, search: str, trial: TrialState) -> Iterator[EpochRow]:
        yield from rows_of_epochs(search, trial, self._written.get(trial.number, 0))


def _lines(table: pa.Table, *, header: bool) -> bytes:
    """As CSV; a list is the text of a list."""
    for place, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            listed = [None if value is None else json.dumps(value) for value in table[place].to_pylist()]
            table = table.set_column(place, field.name, pa.array(listed, type=pa.string()))
    text = io.BytesIO()
    csv.write_csv(table, text, csv.WriteOptions(include_header=header))
    return text.getvalue()


CSV = TrackerKind(CsvFiles)
