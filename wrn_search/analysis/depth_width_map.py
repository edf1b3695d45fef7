"""Depth x widening factor: one cell for each pair that was tried, of errors and of times (rule 5)."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from wrn_search.analysis.input_tables.configurations import Configuration, are_all_shared
from wrn_search.analysis.input_tables.joined_tables import Material

if TYPE_CHECKING:
    import pandas as pd

MAX_COLUMNS = 12  # widening factors that a table can show; more are binned
BINS = 8


@dataclass(frozen=True)
class Cell:
    """All trials of one depth and widening factor."""

    depth: int
    widen_factor: float
    value: float | None  # error map: lowest at full epochs, percent; time map: median seconds an epoch
    trial: int | None  # the one with the lowest error; None if none got there
    n: int  # trials that `value` was taken from
    stopped: int
    failed: int
    diverged: int
    other: int  # running or interrupted
    median: float | None  # with repeats: of the repeats of the cell's best configuration, else None
    low: float | None  # their range
    high: float | None
    repeats: int  # how many they are

    @property
    def total(self) -> int:
        """All trials of the cell, whatever became of them (of an error map; a time map counts the same trials)."""
        return self.n + self.stopped + self.failed + self.diverged + self.other


@dataclass(frozen=True)
class CellMap:
    """Depth x widening factor; pairs that were never tried have no cell, and are gaps."""

    depths: tuple[int, ...]  # rising
    widen_factors: tuple[float, ...]  # rising; binned where k is continuous, see `binned`
    cells: tuple[Cell, ...]
    unit: str  # percent | seconds
    repeated: bool  # whether medians are shown
    binned: bool  # widening factors are the middles of bins, since there are too many for a table
    shared: bool = False  # of a time map: no epoch had its device alone, so that its seconds are no costs


def error_map_of(material: Material, configurations: Sequence[Configuration]) -> CellMap:
    """The lowest error at full epochs of each cell; with repeats the median and range of its best configuration."""
    by_number = {c.number: c for c in configurations}
    chance = material.dataset.chance_error
    widths, binned = columns_of(material.trials["widen_factor"])
    cells = []
    for (depth, width), rows in material.trials.groupby(["depth", widths], sort=True):
        full = rows[(rows["status"] == "completed") & rows["configuration"].isin(by_number)]
        full = full.sort_values(["val_error", "number"])
        repeated = [by_number[number] for number in set(full["configuration"])]
        repeated = [c for c in repeated if len(c.completed) > 1]
        best = min(repeated, key=lambda c: c.order(chance), default=None)
        values = best.values(chance) if best else ()
        cells.append(
            Cell(
                depth=int(depth),
                widen_factor=float(width),
                value=float(full["val_error"].iloc[0]) if len(full) else None,
                trial=int(full.index[0]) if len(full) else None,
                n=len(full),
                median=statistics.median(values) if values else None,
                low=min(values, default=None),
                high=max(values, default=None),
                repeats=len(values),
                **_others(rows),
            )
        )
    repeated_anywhere = any(cell.repeats for cell in cells)
    return _map(cells, "percent", repeated=repeated_anywhere, binned=binned)


def time_map_of(material: Material, seconds: Mapping[int, float]) -> CellMap:
    """The median seconds an epoch over the timed trials of each cell, whatever became of them, and their range.

    Args:
        material: all trials.
        seconds: what `seconds_per_epoch` gives; trials without an epoch that counts are not there.
    """
    widths, binned = columns_of(material.trials["widen_factor"])
    cells = []
    for (depth, width), rows in material.trials.groupby(["depth", widths], sort=True):
        timed = [(seconds[trial], int(trial)) for trial in rows.index if trial in seconds]
        values = [value for value, _ in timed]
        middle = statistics.median(values) if values else None
        untimed = rows[~rows.index.isin([trial for _, trial in timed])]
        cells.append(
            Cell(
                depth=int(depth),
                widen_factor=float(width),
                value=middle,
                trial=min(timed, key=lambda pair: abs(pair[0] - (middle or 0.0)))[1] if timed else None,
                n=len(values),
                median=middle,
                low=min(values, default=None),
                high=max(values, default=None),
                repeats=len(values),
                **_others(untimed, completed_too=True),
            )
        )
    found = _map(cells, "seconds", repeated=True, binned=binned)
    return replace(found, shared=are_all_shared(material))


def untried(depth: int, widen_factor: float) -> Cell:
    """The cell of a pair that the space has and no trial had."""
    return Cell(depth, widen_factor, None, None, 0, 0, 0, 0, 0, None, None, None, 0)


def columns_of(widths: pd.Series) -> tuple[pd.Series, bool]:
    """(the column of each trial, whether columns are bins): equal bins of log2 k where k takes too many values."""
    if widths.nunique() <= MAX_COLUMNS:
        return widths, False
    logs = np.log2(widths.to_numpy())
    edges = np.linspace(logs.min(), logs.max(), BINS + 1)
    place = np.clip(np.searchsorted(edges, logs, side="right") - 1, 0, BINS - 1)
    middles = np.round(2 ** ((edges[:-1] + edges[1:]) / 2), 3)
    binned = widths.copy()
    binned[:] = middles[place]
    return binned, True


def _others(rows: pd.DataFrame, *, completed_too: bool = False) -> dict[str, int]:
    """Trials that gave the cell's value nothing, by what became of them."""
    statuses = Counter(rows["status"])
    other = statuses["running"] + statuses["interrupted"] + (statuses["completed"] if completed_too else 0)
    return {name: statuses[name] for name in ("stopped", "failed", "diverged")} | {"other": other}


def _map(cells: list[Cell], unit: str, *, repeated: bool, binned: bool) -> CellMap:
    return CellMap(
        depths=tuple(sorted({cell.depth for cell in cells})),
        widen_factors=tuple(sorted({cell.widen_factor for cell in cells})),
        cells=tuple(cells),
        unit=unit,
        repeated=repeated,
        binned=binned,
    )
