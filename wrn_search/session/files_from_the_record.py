"""The files that follow from the record while a search runs and after: tables, TensorBoard runs, kept checkpoints."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.errors import InputError
from wrn_search.results.events_jsonl import Record
from wrn_search.results.kept_checkpoints import CheckpointKeeper
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.table_reader import read_tables
from wrn_search.results.table_writer import TableWriter
from wrn_search.results.tensorboard.hparams_tab import hparams_searched
from wrn_search.results.tensorboard.tensorboard_log import TensorBoardLog
from wrn_search.space.space import Space

if TYPE_CHECKING:
    pass


def mend_tables(directory: ResultsDirectory, state: SearchState, space: Space) -> None:
    """Writes tables and TensorBoard runs of a finished search anew from its record, if the tables are not whole.

    Raises:
        InputError: another search writes here.
    """
    rows = (len(state.trials), sum(trial.epochs_done for trial in state.trials.values()))
    with suppress(InputError):
        trials, epochs = read_tables(directory.path)
        if (trials.num_rows, epochs.num_rows) == rows:
            return
    with Record.open(directory.events):
        TableWriter(directory, state)
        TensorBoardLog(directory, state, hparams_searched(state, space)).close()


class Observers:
    """Everything that follows from the record while the search runs: tables, TensorBoard, checkpoints kept."""

    def __init__(self, directory: ResultsDirectory, record: Record, conductor: Conductor):
        self._keeper = CheckpointKeeper(directory.checkpoints, conductor.space.search.keep_checkpoints)
        for moment, event in record.events:
            self._keeper(moment, event)
        self._keeper.sweep()
        self._tables = TableWriter(directory, conductor.state)
        searched = hparams_searched(conductor.state, conductor.space)
        self._board = TensorBoardLog(directory, conductor.state, searched)
        record.subscribe(self._keeper)
        record.subscribe(self._tables.on_event)
        record.subscribe(self._board.on_event)

    def finish(self) -> None:
        """The last version of every file."""
        self._tables.flush()
        self._tables.compact()
        self._board.close()
        self._keeper.sweep()
