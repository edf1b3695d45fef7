"""Tables of a Parquet file of curves: a row a training, described by a small YAML file beside it (`docs/replay.md`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from wrn_search.decisions.image_facts import DataFacts
from wrn_search.errors import InputError
from wrn_search.networks.parameters_and_macs import macs
from wrn_search.replay.curve_table import CurveTable, RecordedCurve
from wrn_search.replay.table_description import TableDescription, described, is_number
from wrn_search.replay.table_space import TableSpace
from wrn_search.searchers.searcher import Hparams
from wrn_search.space.domains import Domain, finite_values, member
from wrn_search.space.rules.broken_rule import spelled
from wrn_search.space.space_file import space_from_mapping


def tables_of_parquet(path: Path, description_file: Path | None = None) -> list[CurveTable]:
    """The tables of a Parquet file, in the order in which they first appear.

    Args:
        path: the file.
        description_file: says what its columns are; default the YAML file beside it.

    Raises:
        InputError: the file or its description cannot be read, lacks a column, or holds no whole training.
    """
    columns = _read(path)
    description = described(description_file or path.with_suffix(".yaml"), columns)
    rows = columns.to_pylist()
    for column, kept in (description.get("where") or {}).items():
        wanted = kept if isinstance(kept, list) else [kept]
        rows = [row for row in rows if row[column] in wanted]
    splitting = description.get("tables")
    if splitting and (odd := [row[splitting] for row in rows if not _names_a_table(row[splitting])]):
        rule = (
            f"every row must name its table in '{splitting}', by text or a number (`where` leaves rows out)"
        )
        raise description.error("tables", f"{rule}, but {len(odd)} of {len(rows)} do not: {spelled(odd[0])}")
    groups: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[splitting] if splitting else "", []).append(row)
    if not columns.num_rows:
        raise InputError.of("SOURCE", "must hold rows, but there is none", str(path))
    if not groups:
        raise description.error("where", "must keep at least one row, but there is none")
    several = len(groups) > 1 or bool(splitting)
    return [
        _table(f"{path.stem} {value}" if several else path.stem, group, description)
        for value, group in groups.items()
    ]


def _names_a_table(value: object) -> bool:
    return isinstance(value, str | bool) or is_number(value)


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        first = str(error).splitlines()[0].removeprefix(f"Could not open Parquet input source '{path}': ")
        raise InputError.of(
            "SOURCE", f"must be a Parquet file of curves, but got: {first}", str(path)
        ) from None


def _table(name: str, rows: list[dict[str, Any]], description: TableDescription) -> CurveTable:
    lists = [_values(row, description) for row in rows]
    epochs = description.get("epochs") or max(map(len, lists))
    whole = [values[:epochs] for values in lists]
    finite = [[value for value in values if math.isfinite(value)] for values in whole]
    scale, chance = _scale(finite, description)
    space = _space(name, epochs, description)
    shape = tuple(description.get("image_shape") or (32, 32, 3))
    facts = DataFacts(10, shape, description.get("validation_images", 10_000), chance)
    configurations: dict[tuple[Any, ...], list[RecordedCurve]] = {}
    for row, values in zip(rows, whole, strict=True):
        hparams = _hparams(row, description)
        good = next((place for place, value in enumerate(values) if not math.isfinite(value)), len(values))
        if good < epochs and good == len(values) and description.get("unit") != "loss":
            continue  # shorter than the others: its end is not known
        cost = _cost(row, hparams, space, facts, description)
        curve = RecordedCurve(
            scale(np.array(values[:good], dtype=float)), np.full(max(1, good), cost), diverged=good < epochs
        )
        configurations.setdefault(tuple(hparams.values()), []).append(curve)
    if not configurations:
        text = f"must hold trainings of all {epochs} epochs, but none of {len(rows)} rows of '{name}' is"
        raise description.error("curve", text)
    network = description.get("network") or {"depth": "depth", "width": "widen_factor"}
    return CurveTable(
        name=name,
        space=space,
        configurations=tuple(dict(zip(description.domains, key, strict=True)) for key in configurations),
        curves=tuple(map(tuple, configurations.values())),
        facts=facts,
        in_seconds=description.get("epoch_cost_unit") == "seconds",
        unit=description.get("unit", "percent"),
        left_out=len(rows) - sum(map(len, configurations.values())),
        depth=network["depth"],
        width=network["width"],
    )


def _values(row: Mapping[str, Any], description: TableDescription) -> list[float]:
    """From epoch 1 on; null is a value that is not finite."""
    listed = row[description.values["curve"]] or []
    values = [math.nan if value is None else float(value) for value in listed]
    return values[1:] if description.get("first", 1) == 0 else values


def _scale(curves: list[list[float]], description: TableDescription) -> tuple[Any, float]:
    """(how values become percent, the error of chance in percent)."""
    values = [value for curve in curves for value in curve]
    if not values:
        raise description.error("curve", "must hold finite values, but there are none")
    low, high = min(values), max(values)
    if description.get("unit") == "loss":
        size = (high - low) or 1.0
        return (lambda array: 100 * (array - low) / size), 100.0
    if low < 0 or high > 100:
        text = f"must hold percent, 0 to 100, or say `unit: loss`, but got {low:g} to {high:g}"
        raise description.error("curve", text)
    return (lambda array: array), float(description.get("chance_error") or 100)


def _hparams(row: Mapping[str, Any], description: TableDescription) -> Hparams:
    """Values of the domains; a float32 at the edge of one is its edge."""
    found: Hparams = {}
    for name, domain in description.domains.items():
        value = row[name]
        inside = None if value is None else member(domain, value)
        if inside is None and isinstance(value, float):
            inside = _at_edge(domain, value)
        if inside is None:
            text = f"every value of '{name}' must lie in its domain, but got {spelled(value)}"
            raise description.error(f"hyperparameters.{name}", text)
        found[name] = inside
    return found


def _at_edge(domain: Domain, value: float) -> Any:
    near = finite_values(domain) or (domain.low, domain.high)  # type: ignore[union-attr]
    close = (float(edge) for edge in near if not isinstance(edge, str))
    edge = next((edge for edge in close if math.isclose(edge, value, rel_tol=1e-6)), None)
    return None if edge is None else member(domain, edge)


def _space(name: str, epochs: int, description: TableDescription) -> TableSpace:
    training: dict[str, Any] = {"epochs": epochs, "lr_drops": []}  # none that the file does not tell of
    for key in ("lr_schedule", "lr_drops", "lr_cooldown", "warmup_epochs"):
        if description.get(key) is not None:
            training[key] = description.get(key)
    document = {"name": "replay", "description": name, "dataset": {"name": "digits"}, "training": training}
    try:
        space = space_from_mapping(document)
    except InputError as error:
        keys = [(problem.key.removeprefix("training."), problem.text) for problem in error.problems]
        raise InputError(
            problem for key, text in keys for problem in description.error(key, text).problems
        ) from None
    return TableSpace.of(space, description.domains)


def _cost(
    row: Mapping[str, Any],
    hparams: Hparams,
    space: TableSpace,
    facts: DataFacts,
    description: TableDescription,
) -> float:
    cost = description.get("epoch_cost", 1.0)
    if cost == "macs":
        config = space.trial_config(hparams, 0, precision="fp32", compile="off")
        height, width, channels = facts.image_shape
        return float(macs(config.architecture, facts.num_classes, channels, (height, width)))
    value = row[cost] if isinstance(cost, str) else cost
    if not is_number(value) or value <= 0:
        raise description.error("epoch_cost", f"must be a number above 0, but got {spelled(value)}")
    return float(value)
