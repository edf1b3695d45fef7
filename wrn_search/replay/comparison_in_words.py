"""A comparison for programs (JSON) and for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wrn_search.replay.all_plays import Asked
from wrn_search.replay.comparison import Comparison, MethodResult, Pair, Quartiles
from wrn_search.replay.curve_table import Floats
from wrn_search.seconds_alone import NONE_ALONE
from wrn_search.wording import interval_text, plural

_DIGITS = 6
REGRET = "regret: 0 is the table's best recorded end, 1 its median"


def to_json(asked: Asked, found: Comparison) -> dict[str, Any]:
    """Plain values; numbers with six significant digits."""
    return {
        "sources": [
            {
                "name": table.name,
                "configurations": len(table.configurations),
                "epochs": table.epochs,
                "seeds": table.seeds,
                "best": _number(np.nanmin(table.ends)),
                "median": _number(np.nanmedian(table.ends)),
                "unit": table.unit,
                "shared": table.shared,
            }
            for table in asked.tables
        ],
        "budget": asked.budget,
        "workers": list(asked.workers),
        "seeds": asked.seeds,
        "methods": [_method(asked, found, result) for result in found.results],
        "pairs": [_pair(asked, found, pair) for pair in found.pairs],
    }


def label(asked: Asked, result: MethodResult) -> str:
    """The method's name, with its workers where there are several numbers of them."""
    name = asked.methods[result.method].name
    return name if len(asked.workers) == 1 else f"{name}, {plural(result.workers, 'worker')}"


def settings_of(asked: Asked, result: MethodResult) -> dict[str, str]:
    """KEY -> VALUE of what was set for a method; a rival keeps its own."""
    method = asked.methods[result.method]
    pairs = () if method.rival else (*asked.shared, *method.settings)
    return dict(pair.split("=", 1) for pair in pairs)


def text_of(asked: Asked, found: Comparison) -> str:
    """The comparison for a terminal: a line a method, then each against the first."""
    tables = ", ".join(f"{table.name} ({len(table.configurations)})" for table in asked.tables[:6])
    more = f" and {len(asked.tables) - 6} more" if len(asked.tables) > 6 else ""
    lines = [
        f"{plural(len(asked.tables), 'table')} (configurations): {tables}{more}",
        f"{plural(asked.seeds, 'seed')}, {asked.budget:,} epochs; {REGRET}",
        "",
    ]
    if beside := [table.name for table in asked.tables if table.shared]:
        lines.insert(2, f"hours of {', '.join(beside)}: {NONE_ALONE}, so they are of epochs beside others")
    names = [label(asked, result) for result in found.results]
    wide = max(map(len, names), default=0)
    at = quarter_points(found)
    heads = [f"{found.epochs[place]:,} epochs" for place in at]
    lines.append(
        f"{'':{wide}}  " + "".join(f"{head:>22}" for head in heads) + "   completed stopped diverged"
    )
    for name, result in zip(names, found.results, strict=True):
        cells = [cell(result.regret, place) for place in at]
        trials = result.trials
        ends = f"{trials['completed']:12.1f}{trials['stopped']:8.1f}{trials['diverged']:9.1f}"
        lines.append(f"{name:{wide}}  " + "".join(f"{each:>22}" for each in cells) + ends)
    lines += ["", *(pair_sentence(asked, found, pair) for pair in found.pairs)]
    return "\n".join(lines).rstrip()


def quarter_points(found: Comparison) -> list[int]:
    """Places of a quarter, half and the whole of the budget."""
    last = len(found.epochs) - 1
    return sorted({max(0, round((last + 1) * share) - 1) for share in (0.25, 0.5, 1.0)})


def cell(quartiles: Quartiles, place: int) -> str:
    """`0.33 (0.21 to 0.50)`: median and quartiles."""
    low, middle, high = (values[place] for values in (quartiles.q25, quartiles.median, quartiles.q75))
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def pair_sentence(asked: Asked, found: Comparison, pair: Pair) -> str:
    """One pair at the end of the budget, with its interval and what it comes to."""
    a, b = (label(asked, found.results[place]) for place in (pair.a, pair.b))
    low, high = float(pair.low[-1]), float(pair.high[-1])
    said = f"{a} is better" if high < 0 else f"{b} is better" if low > 0 else "not told apart"
    reached = f"{a} needs more than the budget for the median that {b} has at its end"
    if pair.epochs_to_reach is not None:
        share = pair.epochs_to_reach / asked.budget
        reached = f"{a} has the median of {b} after {pair.epochs_to_reach:,} epochs ({100 * share:.0f} %)"
    difference = f"{pair.difference[-1]:+.2f} (95 % interval {interval_text((low, high))})"
    return f"{a} against {b}: {difference}: {said}; {reached}"


def _method(asked: Asked, found: Comparison, result: MethodResult) -> dict[str, Any]:
    method = asked.methods[result.method]
    told: dict[str, Any] = {
        "name": method.name,
        "searcher": method.searcher,
        "scheduler": method.scheduler,
        "settings": settings_of(asked, result),
        "workers": result.workers,
        "epochs": list(found.epochs),
        "regret": _quartiles(result.regret),
        "trials": result.trials,
        "epochs_spent": _number(result.epochs),
        "hours_spent": None if result.hours is None else _number(result.hours),
        "decisions_per_second": _number(result.decisions_per_second),
        "by_source": [
            {"name": table.name, "regret": _quartiles(quartiles)}
            for table, quartiles in zip(asked.tables, result.by_table, strict=True)
        ],
        "rungs": [vars(rung) for rung in result.rungs],
    }
    if result.by_hours is not None:
        told["by_hours"] = {"hours": _numbers(found.hours), "regret": _quartiles(result.by_hours)}
    return told


def _pair(asked: Asked, found: Comparison, pair: Pair) -> dict[str, Any]:
    a, b = found.results[pair.a], found.results[pair.b]
    return {
        "a": asked.methods[a.method].name,
        "b": asked.methods[b.method].name,
        "workers": a.workers,
        "difference": _numbers(pair.difference),
        "low": _numbers(pair.low),
        "high": _numbers(pair.high),
        "epochs_to_reach": pair.epochs_to_reach,
    }


def _quartiles(quartiles: Quartiles) -> dict[str, list[float]]:
    return {name: _numbers(getattr(quartiles, name)) for name in ("median", "q25", "q75")}


def _numbers(values: Floats | Sequence[float]) -> list[float]:
    return [_number(value) for value in values]


def _number(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
