"""Results directories of listed networks with errors and seconds that were written down, seed by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.analysis.planted import Plan, plant

Errors = Mapping[
    str | tuple[str, float], Sequence[float]
]  # network, or (network, dropout) -> percent, one a seed


def write_results(
    path: Path,
    errors: Errors,
    *,
    seconds: Mapping[str, Sequence[float]] | None = None,
    tested: bool = False,
    dataset: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    name: str = "planted",
    **plan: Any,
) -> Path:
    """A finished search over `search.points` without early stopping; every configuration has as many seeds.

    Args:
        path: of the results directory.
        errors: validation errors at the end.
        seconds: of an epoch, by network and seed.
        tested: the errors are test errors, as after `protocol: test_each`.
        dataset, training, name, plan: of `Plan`.
    """
    points = [_point(entry) for entry in errors]
    repeats = max(map(len, errors.values()))
    search = {"searcher": "grid", "scheduler": "none", "repeats": repeats, "points": points}
    made = Plan(
        name=name,
        model={},
        training=training or {"epochs": 10},
        search=search,
        dataset=dataset or {"name": "cifar10"},
        noise=0.0,
        **plan,
    )
    plant(path, made)
    _rewrite(path / "trials.parquet", errors, tested)
    if seconds is not None:
        _retime(path, seconds)
    return path


def _point(entry: str | tuple[str, float]) -> dict[str, Any]:
    network, dropout = entry if isinstance(entry, tuple) else (entry, 0.0)
    return {"network": network, "dropout": dropout}


def _rewrite(file: Path, errors: Errors, tested: bool) -> None:
    table = pq.read_table(file)
    rows = table.to_pylist()
    lists = list(errors.values())
    for row in rows:
        values = lists[row["configuration"]]
        if row["repeat"] >= len(values):
            row |= {"status": "failed", "val_error": None, "epochs_done": 0}
        elif row["status"] == "completed":
            row["val_error"] = None if tested else values[row["repeat"]]
            row["test_error"] = values[row["repeat"]] if tested else None
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)


def _retime(path: Path, seconds: Mapping[str, Sequence[float]]) -> None:
    trials = {row["trial_id"]: row for row in pq.read_table(path / "trials.parquet").to_pylist()}
    names = list(seconds)
    file = path / "epochs" / "part-000000.parquet"
    table = pq.read_table(file)
    rows = table.to_pylist()
    for row in rows:
        trial = trials[row["trial_id"]]
        row["seconds"] = seconds[names[trial["configuration"]]][trial["repeat"]]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)
