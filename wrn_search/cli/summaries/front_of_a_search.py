"""The front of a search with several objectives, for the end of a command."""

from __future__ import annotations

import math
from typing import Any

from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_selection import front_of, name_of, objectives_of
from wrn_search.results.trial_state import TrialState
from wrn_search.wording import plural


def _front_of(state: SearchState) -> list[tuple[TrialState, dict[str, float | None]]]:
    """Each trial on the front of several objectives with its values, by rising error; nothing with one objective."""
    names = objectives_of(state)
    front = front_of(state, names) if len(names) > 1 else []
    return [
        (
            state.trials[each.number],
            {
                name: value if math.isfinite(value) else None
                for name, value in zip(names, values, strict=True)
            },
        )
        for each, values in front
    ]


def front_dicts(state: SearchState) -> list[dict[str, Any]]:
    """The front for programs, by rising error; empty with one objective."""
    return [{"number": trial.number, "name": name_of(trial), **values} for trial, values in _front_of(state)]


def front_lines(state: SearchState) -> list[str]:
    """The front as a table, and that it is one of lucky errors."""
    names = objectives_of(state)
    if not (front := _front_of(state)):
        return []
    rows = [["trial", *names]]
    for trial, values in front:
        told = {
            name: "-" if value is None else f"{value:.2f} %" if name == "val_error" else f"{value:,.6g}"
            for name, value in values.items()
        }
        rows.append([name_of(trial), *told.values()])
    return [
        f"Front of {' and '.join(names)}: {plural(len(front), 'configuration')} at full epochs that no other is as "
        "good as in all of them and better in one (confirm --pareto trains them again)",
        *aligned(rows),
        "",
    ]


def aligned(rows: list[list[str]]) -> list[str]:
    """Rows of equal length as lines, their columns below each other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
