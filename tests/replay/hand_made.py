"""Tables of curves made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from wrn_search.decisions.image_facts import DataFacts
from wrn_search.replay.curve_table import CurveTable, RecordedCurve
from wrn_search.replay.simulated_clock import Begun
from wrn_search.replay.table_space import TableSpace
from wrn_search.space.domains import Uniform
from wrn_search.space.space_file import space_from_mapping


def curve(*errors: float, seconds: float = 1.0, diverged: bool = False) -> RecordedCurve:
    """Errors after epochs 1, 2, ..., each taking so many seconds."""
    return RecordedCurve(np.array(errors, dtype=float), np.full(max(1, len(errors)), seconds), diverged)


def table_of(curves: Mapping[float, Sequence[RecordedCurve] | RecordedCurve], **search: Any) -> CurveTable:
    """A table over one hyperparameter `x` in 0 to 1: its value -> a curve, or one for each seed."""
    listed = {x: (each,) if isinstance(each, RecordedCurve) else tuple(each) for x, each in curves.items()}
    epochs = max(len(each.errors) for seeds in listed.values() for each in seeds) or 3
    document = {
        "name": "hand_made",
        "dataset": {"name": "digits"},
        "training": {"epochs": epochs},
        "search": {"rungs": "geometric", "grace_period": 1, **search},
    }
    return CurveTable(
        name="hand made",
        space=TableSpace.of(space_from_mapping(document), {"x": Uniform(0.0, 1.0)}),
        configurations=tuple({"x": x} for x in listed),
        curves=tuple(listed.values()),
        facts=DataFacts(10, (8, 8, 1), 300, 90.0),
        in_seconds=True,
    )


def falling(count: int, epochs: int = 9, **options: float) -> CurveTable:
    """`count` curves that fall to different ends in the order of x, the lowest first."""
    ends = np.linspace(5, 50, count)
    return table_of(
        {
            float(place / max(1, count - 1)): curve(*(end + 30 / epoch for epoch in range(1, epochs + 1)))
            for place, end in enumerate(ends)
        },
        **options,
    )


class InOrder:
    """A player that trains the table's configurations in their order, all to their ends but for those in `stops`."""

    def __init__(self, table: CurveTable, stops: Mapping[int, int] | None = None):
        self.heard: list[tuple[int, int]] = []  # (trial, epoch) in the order of arrival
        self.broken: list[int] = []
        self._table, self._stops, self._next = table, stops or {}, 0

    def next_trial(self) -> Begun | None:
        """The next one."""
        if self._next == len(self._table.configurations):
            return None
        self._next += 1
        return Begun(self._next - 1, self._next - 1, self._table.curves[self._next - 1][0])

    def hears(self, epoch: int) -> bool:
        """Always."""
        return True

    def reported(self, trial: int, epoch: int, error: float) -> bool:
        """Goes on but for the stops."""
        self.heard.append((trial, epoch))
        return self._stops.get(trial) != epoch

    def diverged(self, trial: int, epoch: int) -> None:
        """Noted."""
        self.broken.append(trial)


def write_parquet(folder: Path, rows: Sequence[Mapping[str, Any]], **description: Any) -> Path:
    """A Parquet file of curves with its description."""
    path = folder / "curves.parquet"
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), path)
    path.with_suffix(".yaml").write_text(yaml.safe_dump(description), encoding="utf-8")
    return path
