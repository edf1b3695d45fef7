"""The tables of `search_quality`: recorded here and shipped, or of others, in a folder that a user names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.curve_table import TABLES
from wrn_search.errors import InputError
from wrn_search.replay.curve_table import CurveTable
from wrn_search.replay.table_of_parquet import tables_of_parquet
from wrn_search.replay.table_space import TableSpace
from wrn_search.space.domains import Choice, IntRange

DESCRIPTIONS = TABLES / "descriptions"
HALVES = ("tuning", "held-out")


def families(curves: Path | None) -> dict[str, list[CurveTable]]:
    """Family -> its tables, in name order: each shipped table by itself, then each described file of a folder.

    Raises:
        InputError: there is none, or one cannot be read.
    """
    found: dict[str, list[CurveTable]] = {}
    for file in sorted(TABLES.glob("*/curves.parquet")):
        found[file.parent.name] = [
            replace(table, name=table.name.replace(file.stem, file.parent.name, 1))
            for table in tables_of_parquet(file)
        ]
    described = {path.stem: path for path in sorted(DESCRIPTIONS.glob("*.yaml"))}
    there = {} if curves is None else {name: curves / f"{name}.parquet" for name in described}
    for name, file in there.items():
        if file.is_file():
            tables = tables_of_parquet(file, described[name])
            found[name] = sorted(tables, key=lambda table: table.name)
    if not found or (there and not any(file.is_file() for file in there.values())):
        known = ", ".join(f"{name}.parquet" for name in described)
        text = f"must be a folder with {known}, or some of them, but there are none"
        raise InputError.of("--curves", text, str(curves or TABLES))
    return found


def half_of(place: int) -> str:
    """Of a table at a place of its family's name order: even ones may be looked at to choose settings."""
    return HALVES[place % 2]


def with_labels(table: CurveTable) -> CurveTable:
    """The same table, its few whole numbers listed as choices: a searcher hears of them as labels without an order."""
    domains = {
        name: Choice(tuple(domain.values)) if isinstance(domain, IntRange) and not domain.log else domain
        for name, domain in table.hyperparameters.items()
    }
    return replace(table, space=TableSpace.of(table.space, domains))


def by_epochs(tables: Sequence[CurveTable]) -> list[list[CurveTable]]:
    """Tables with equally long trainings together: they share a budget."""
    lengths = sorted({table.epochs for table in tables})
    return [[table for table in tables if table.epochs == length] for length in lengths]
