"""The files that follow from the record while a search runs and after: tables, TensorBoard runs, kept checkpoints."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.errors import InputError, printable
from wrn_search.results.events_jsonl import Record, WholeLines
from wrn_search.results.kept_checkpoints import CheckpointKeeper
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.space_on_record import mend_small_files
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.table_reader import read_tables
from wrn_search.results.table_writer import TableWriter, epoch_rows, epochs_table, trials_table
from wrn_search.results.tensorboard.hparams_tab import hparams_searched
from wrn_search.results.tensorboard.tensorboard_log import TensorBoardLog, runs_are_whole
from wrn_search.results.trial_state import costs_of
from wrn_search.space.space import Space

SECONDS_BEFORE_ANOTHER_TRY = 10.0
Observer = TypeVar("Observer")


def mend_files(
    directory: ResultsDirectory, state: SearchState, space: Space, read: WholeLines | None = None
) -> None:
    """Writes anew from the record of a finished search what does not say what the record says.

    Raises:
        InputError: another search writes here.
    """
    tables, runs = _tables_are_whole(directory, state), runs_are_whole(directory.tensorboard, state)
    with Record.open(directory.events, read=read):
        mend_small_files(directory, state)
        if not tables:
            TableWriter(directory, state)
        if not runs:
            TensorBoardLog(directory, state, hparams_searched(state, space)).close()


def _tables_are_whole(directory: ResultsDirectory, state: SearchState) -> bool:
    """Whether the tables hold what the record says, value by value."""
    with suppress(InputError):
        trials, epochs = read_tables(directory.path)
        return bool(trials.equals(trials_table(state)) and epochs.equals(epochs_table(epoch_rows(state))))
    return False


class Observers:
    """Everything that follows from the record while the search runs: tables, TensorBoard, checkpoints kept.

    Whatever goes wrong with such a file, the search goes on: it is made anew from what is known.
    """

    def __init__(self, directory: ResultsDirectory, record: Record, conductor: Conductor):
        search = conductor.space.search
        costs = self._costs_of(conductor) if conductor.space.costs else None
        self._keeper = CheckpointKeeper(directory.checkpoints, search.keep_checkpoints, search.repeats, costs)
        for moment, event in record.events:
            with suppress(OSError):  # `sweep` deletes what is left
                self._keeper(moment, event)
        state = conductor.state
        searched = hparams_searched(state, conductor.space)
        keeper = MadeAnew("old checkpoints", lambda: self._keeper)
        keeper.do(CheckpointKeeper.sweep)
        self._tables = MadeAnew("the tables", lambda: TableWriter(directory, state))
        board = MadeAnew("TensorBoard's files", lambda: TensorBoardLog(directory, state, searched))
        self._board, self._kept = board, keeper
        record.subscribe(lambda moment, event: keeper.do(lambda made: made(moment, event)))
        record.subscribe(lambda moment, event: self._tables.do(lambda made: made.on_event(moment, event)))
        record.subscribe(lambda moment, event: board.do(lambda made: made.on_event(moment, event)))

    @staticmethod
    def _costs_of(conductor: Conductor) -> Callable[[int], Sequence[float | None]]:
        """Of a configuration, by what is known of its repeats now."""
        trials, names = conductor.state.trials, conductor.space.costs
        return lambda configuration: costs_of(
            [each for each in trials.values() if each.configuration == configuration], names
        )

    def tick(self) -> None:
        """Some times a second: tables are at most seconds old also while no event comes."""
        self._tables.do(TableWriter.write_due)
        self._board.do(TensorBoardLog.write_due)

    def finish(self) -> None:
        """The last version of every file.

        Raises:
            OSError: the tables cannot be written.
        """
        error = self._tables.do(_write_all, last=True)
        no_runs = self._board.do(TensorBoardLog.finish, last=True)
        if error is not None:
            raise OSError(f"the tables could not be written: {error}") from error
        if no_runs is not None:
            self._board.tell(f"{no_runs}; --resume writes them anew")
        self._kept.do(CheckpointKeeper.sweep, last=True)  # what is left the next session deletes


def _write_all(tables: TableWriter) -> None:
    tables.flush()
    tables.compact()


class MadeAnew(Generic[Observer]):
    """An observer that is made by `make` from what is known, again whenever something went wrong in it.

    It is tried again at once and then every `SECONDS_BEFORE_ANOTHER_TRY`, and told, once, when that did not help: on a
    disk that is full the record ends the search before, and says why.
    """

    def __init__(self, what: str, make: Callable[[], Observer]):
        self._what = what
        self._make = make
        self._made: Observer | None = None
        self._due = 0.0  # monotonic seconds of the next try
        self._failures = 0  # since it last worked
        self.do(lambda made: None)

    def do(self, act: Callable[[Observer], object], *, last: bool = False) -> Exception | None:
        """Lets the observer do something; the error when that did not work. `last`: there will be no other chance."""
        if self._made is None and time.monotonic() < self._due and not last:
            return None
        error: Exception | None = None
        for _ in range(2):
            try:
                if self._made is None:
                    self._made = self._make()
                act(self._made)
            except Exception as wrong:  # whatever it is, the record is whole and the search goes on
                self._made, error = None, wrong
            else:
                self._failures = 0
                return None
        self._due = time.monotonic() + SECONDS_BEFORE_ANOTHER_TRY
        self._failures += 1
        if self._failures == 2 and not last:
            self.tell(f"{error}; the search goes on, they are written anew when they can be")
        return error

    def tell(self, text: str) -> None:
        """Says on stderr what went wrong, if anybody listens there."""
        with suppress(OSError, ValueError):
            print(printable(f"{self._what} could not be written: {text}"), file=sys.stderr, flush=True)
