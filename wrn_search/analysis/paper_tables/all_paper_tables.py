"""Every table of the paper that results can speak to, beside theirs; and the same as plain values for JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wrn_search.analysis.paper_tables.paper_values import TableBeside
from wrn_search.analysis.paper_tables.results_at_hand import Group, groups_of
from wrn_search.analysis.paper_tables.table_beside import TITLES, networks_of, table_beside
from wrn_search.errors import InputError, Problem

TABLES = tuple(TITLES)
_MOST_NAMED = 12  # networks in an error


def tables_beside(
    directories: Sequence[Path | str],
    table: int | None = None,
    *,
    dataset: str | None = None,
    margin: float | None = None,
) -> tuple[TableBeside, ...]:
    """The tables, by their number, of each group of results that can be compared.

    Args:
        directories: results directories of any data sets.
        table: one of `TABLES`; None takes all that the results can speak to.
        dataset: the paper's data set that the images of `folder` and `parquet` are.
        margin: points within which errors are no different; None takes 5 % of the lower one.

    Raises:
        InputError: as `groups_of`, or the results hold no network of the table, or of any.
    """
    groups = groups_of(directories, dataset)
    wanted = TABLES if table is None else (table,)
    found = [table_beside(group, number, margin) for number in wanted for group in groups]
    tables = tuple(each for each in found if each is not None)
    if not tables:
        raise InputError(_no_network(group, table) for group in groups)
    return tables


def _no_network(group: Group, table: int | None) -> Problem:
    held = _listed(tuple(map(str, group.material.trials["network"].unique())))
    where = ", ".join(group.paths)
    if table is None:
        rule = f"must hold a network of the paper's tables {TABLES[0]} to {TABLES[-1]}"
        return Problem("RESULTS", f"{rule}, but got {held}", where)
    names = _listed(networks_of(table))
    return Problem(
        "--table",
        f"must be a table of which the results hold a network ({table}: {names}), but got {held}",
        where,
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def to_json(tables: Sequence[TableBeside]) -> dict[str, Any]:
    """`tables`, each with `rows`, `rank` and `claims`: the fields of `paper_values`, plain."""
    return {"tables": [_plain(asdict(each)) for each in tables]}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    assert not isinstance(value, float) or math.isfinite(value), value
    return value
