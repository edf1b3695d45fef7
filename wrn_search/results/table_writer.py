"""The result tables: a search's state as Parquet, readable at any moment while the search runs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.results.atomic_files import replacing
from wrn_search.results.events import Event, Reported
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.table_columns import EPOCHS_SCHEMA, PRODUCTS, TRIALS_SCHEMA
from wrn_search.results.trial_state import FINAL, TrialState
from wrn_search.space.trial_config import LEAVES

TrialRow: TypeAlias = tuple[Any, ...]  # in the order of `TRIALS_SCHEMA`
# search, trial_id, Unix seconds, metrics, whether the trial was alone on its device
EpochRow: TypeAlias = tuple[str, str, float, EpochMetrics, bool]

TRIALS_SECONDS = 5.0  # between two versions of trials.parquet
EPOCHS_SECONDS = 30.0  # between two versions of the last part file
PART_ROWS = 2000
MAX_SHARE = 0.05  # of the time, for writing trials.parquet


def trials_table(state: SearchState, settled: dict[int, TrialRow] | None = None) -> pa.Table:
    """`TRIALS_SCHEMA`: one row for each trial, by number.

    Args:
        state: of the search.
        settled: rows by number that are still right; those of trials that have ended are added.
    """
    rows: list[TrialRow] = []
    for number in sorted(state.trials):
        trial = state.trials[number]
        row = settled.get(number) if settled is not None else None
        if row is None:
            named = _trial_row(state.search, trial)
            row = tuple(named[field.name] for field in TRIALS_SCHEMA)
            if settled is not None and trial.status in FINAL:
                settled[number] = row
        rows.append(row)
    columns = zip(*rows, strict=True) if rows else [()] * len(TRIALS_SCHEMA)
    arrays = [pa.array(column, type=field.type) for field, column in zip(TRIALS_SCHEMA, columns, strict=True)]
    return pa.Table.from_arrays(arrays, schema=TRIALS_SCHEMA)


def epochs_table(rows: Iterable[EpochRow]) -> pa.Table:
    """`EPOCHS_SCHEMA`: one row for each given one, in their order."""
    rows = list(rows)
    columns: dict[str, list[Any]] = {
        "search": [search for search, *_ in rows],
        "trial_id": [trial_id for _, trial_id, *_ in rows],
        "reported_at": [_microseconds(seconds) for _, _, seconds, *_ in rows],
        "alone": [alone for *_, alone in rows],
    }
    for field in EPOCHS_SCHEMA:
        if field.name not in columns:
            columns[field.name] = [getattr(metrics, field.name) for _, _, _, metrics, _ in rows]
    arrays = [pa.array(columns[field.name], type=field.type) for field in EPOCHS_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=EPOCHS_SCHEMA)


def epoch_rows(state: SearchState) -> Iterator[EpochRow]:
    """All rows of the epochs table, by trial number, each trial's in the order of their reports."""
    for number in sorted(state.trials):
        yield from rows_of_epochs(state.search, state.trials[number])


def rows_of_epochs(search: str, trial: TrialState, first: int = 0) -> Iterator[EpochRow]:
    """Those of one trial in the order of their reports, from the report `first` on."""
    for seconds, metrics in trial.reports[first:]:
        yield search, trial.trial_id, seconds, metrics, metrics.epoch in trial.alone


class TableWriter:
    """Keeps `trials.parquet` and `epochs/` abreast of a state; subscribe `on_event` after `state.apply`.

    Opening rewrites both from the state, so each (trial, epoch) stands once whatever a kill had left. Files
    are replaced as a whole: `trials.parquet`, and the last part, which takes in up to `PART_ROWS` rows. So
    there are few part files however slowly epochs come.
    """

    def __init__(
        self,
        directory: ResultsDirectory,
        state: SearchState,
        *,
        trials_seconds: float = TRIALS_SECONDS,
        epochs_seconds: float = EPOCHS_SECONDS,
    ):
        self._directory = directory
        self._state = state
        self._trials_seconds = trials_seconds
        self._epochs_seconds = epochs_seconds
        self._written: dict[int, int] = {}  # trial number -> reports of it that `_rows` took in
        self._rows: list[EpochRow] = []  # of the last part
        self._settled: dict[int, TrialRow] = {}  # of trials that have ended
        self._part = 0
        self._trials_due = self._epochs_due = 0.0  # monotonic seconds
        self._trials_changed = self._epochs_changed = True
        directory.epochs.mkdir(exist_ok=True)
        for stale in (*directory.path.glob(".*.parquet.*tmp"), *directory.epochs.glob(".*.parquet.*tmp")):
            stale.unlink()
        self.compact()
        self._write_trials()

    def on_event(self, time: float, event: Event) -> None:
        """Takes note of an event that the state has applied, and writes what is due."""
        self._trials_changed = True
        number = getattr(event, "number", None)
        if number is None:  # of the whole search
            self._settled.clear()
        else:
            self._settled.pop(number, None)
        if isinstance(event, Reported):
            self._take_in(self._state.trials[event.number])
        self.write_due()

    def write_due(self) -> None:
        """Writes what changed, if it was not written for a while; may be called without an event, too."""
        now = time.monotonic()
        if self._epochs_changed and (len(self._rows) >= PART_ROWS or now >= self._epochs_due):
            self._write_epochs()
        if self._trials_changed and now >= self._trials_due:
            self._write_trials()

    def flush(self) -> None:
        """Writes all that changed."""
        if self._epochs_changed:
            self._write_epochs()
        if self._trials_changed:
            self._write_trials()

    def compact(self) -> None:
        """Makes one part file of all rows.

        The old parts go before the new one comes: a reader may miss rows for a moment, but sees none twice.
        """
        part = self._part_path(0)
        self._rows = list(epoch_rows(self._state))
        self._written = {number: len(trial.reports) for number, trial in self._state.trials.items()}
        with replacing(part) as temporary:
            _write(epochs_table(self._rows), temporary)
            for old in self._directory.epochs.glob("*.parquet"):
                if old != part:
                    old.unlink()
        self._part = 0
        self._epochs_written()

    def _take_in(self, trial: TrialState) -> None:
        """New rows of a trial; none if its last report was of an epoch that was on record."""
        for row in rows_of_epochs(self._state.search, trial, self._written.get(trial.number, 0)):
            self._rows.append(row)
            self._epochs_changed = True
        self._written[trial.number] = len(trial.reports)

    def _write_epochs(self) -> None:
        with replacing(self._part_path(self._part)) as temporary:
            _write(epochs_table(self._rows), temporary)
        self._epochs_written()

    def _epochs_written(self) -> None:
        if len(self._rows) >= PART_ROWS:
            self._part, self._rows = self._part + 1, []
        self._epochs_changed = False
        self._epochs_due = time.monotonic() + self._epochs_seconds

    def _write_trials(self) -> None:
        before = time.monotonic()
        with replacing(self._directory.trials) as temporary:
            _write(trials_table(self._state, self._settled), temporary)
        self._trials_changed = False
        # A table of 10,000 trials takes most of a second, and must not take that from every five.
        now = time.monotonic()
        self._trials_due = now + max(self._trials_seconds, (now - before) / MAX_SHARE)

    def _part_path(self, part: int) -> Path:
        return self._directory.epochs / f"part-{part:06d}.parquet"


def _trial_row(search: str, trial: TrialState) -> dict[str, Any]:
    """The columns of one trial by name."""
    all_metrics = [metrics for _, metrics in trial.reports]
    seconds = sum(metrics.seconds for metrics in all_metrics)
    images = sum(metrics.images_per_second * metrics.seconds for metrics in all_metrics)
    last = trial.last
    leaves = {leaf: None if trial.leaves_out(leaf) else trial.config[leaf] for leaf in LEAVES}
    return {
        **leaves,
        **{name: _product(leaves[one], leaves[other]) for name, (one, other) in PRODUCTS.items()},
        "search": search,
        "trial_id": trial.trial_id,
        "number": trial.number,
        "status": trial.status,
        "dataset": trial.config["dataset"]["name"],
        "seed": trial.config["seed"],
        "repeat": trial.repeat,
        "configuration": trial.configuration,
        "retries": trial.retries,
        "rung": trial.rung,
        "anchor": trial.anchor,
        "seconds_alone": trial.seconds_alone,
        "epochs_alone": len(trial.alone),
        "num_params": trial.num_params,
        "macs": trial.macs,
        "epochs_done": trial.epochs_done,
        "val_error": last.val_error if last else None,
        "best_val_error": trial.best_val_error,
        "ema_val_error": last.ema_val_error if last else None,
        "val_loss": last.val_loss if last else None,
        "train_error": last.train_error if last else None,
        "train_loss": last.train_loss if last else None,
        "test_error": trial.tested.test_error if trial.tested else None,
        "test_images_by_class": trial.tested.by_class.get("images") if trial.tested else None,
        "test_wrong_by_class": trial.tested.by_class.get("wrong") if trial.tested else None,
        "inference_ms": trial.inference_ms,
        "inference_ms_64": trial.inference_ms_64,
        "energy_kwh": trial.energy_kwh,
        "train_seconds": seconds,
        "images_per_second": images / seconds if seconds else None,
        "peak_memory_bytes": max((metrics.memory_bytes for metrics in all_metrics), default=None),
        "gpu_fraction": trial.gpu_fraction,
        "threads": trial.threads,
        "device": trial.device,
        "node": trial.node,
        "error": trial.error,
        "started_at": _microseconds(trial.started_at),
        "finished_at": _microseconds(trial.finished_at),
    }


def _product(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one * other


def _microseconds(seconds: float | None) -> int | None:
    """Unix microseconds, as pyarrow takes a timestamp."""
    return None if seconds is None else round(seconds * 1_000_000)


def _write(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd")
