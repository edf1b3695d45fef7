"""Arms played on families of tables, and what they come to: regrets, epochs to reach a rival, paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.curve_sources import by_epochs, half_of, with_labels
from benchmarks.kept_plays import KeptPlays, MeasuredPlay
from benchmarks.search_arms import Arm
from wrn_search.replay.all_plays import Asked, Played, keys_of, plays_in_turn
from wrn_search.replay.comparison import (
    MEASURED,
    best_of,
    bootstrap_interval,
    quartiles,
    regret_at,
)
from wrn_search.replay.curve_table import CurveTable, Floats, regret_of
from wrn_search.seeds import derived_seed

_COUNTED = ("completed", "stopped", "diverged", "best_begun", "best_stopped")


@dataclass(frozen=True)
class ArmPlayed:
    """An arm on a family."""

    arm: Arm
    regrets: dict[str, Floats]  # table -> (S, M) at M moments of the largest budget
    counts: dict[str, dict[str, float]]  # table -> mean trials of a play at the end of it, by `_COUNTED`
    cpu_seconds: float


def played(
    arm: Arm,
    tables: Sequence[CurveTable],
    seeds: int,
    trainings: int,
    processes: int,
    keep: Path | None = None,
) -> ArmPlayed:
    """An arm on the tables of a family, each with a budget of so many whole trainings.

    Args:
        arm: what is played.
        tables: of the family.
        seeds: plays on each table.
        trainings: the budget.
        processes: to use.
        keep: a folder that holds each finished play of the same code; plays that it has are not played again.
    """
    regrets: dict[str, Floats] = {}
    counts: dict[str, dict[str, float]] = {}
    cpu = 0.0
    for group in by_epochs(tables):
        used = tuple(map(with_labels, group)) if arm.labels else tuple(group)
        budget = trainings * group[0].epochs
        asked = Asked(used, (arm.method,), (), (arm.workers,), seeds, budget, None)
        kept = KeptPlays(keep, arm.name, trainings)
        there = {key: kept.of(used[key.table].name, key.seed) for key in keys_of(asked)}
        missing = sorted((key for key, play in there.items() if play is None), key=lambda key: key.seed)
        for each in plays_in_turn(asked, missing, processes):
            table = used[each.key.table]
            there[each.key] = play = _measured(table, each, budget)
            kept.add(table.name, each.key.seed, play)
        cpu += sum(play.cpu_seconds for play in there.values() if play)
        for place, table in enumerate(used):
            own = [play for key, play in there.items() if play and key.table == place]
            regrets[table.name] = np.array([play.regrets for play in own])
            counts[table.name] = {
                name: float(np.mean([play.counts[name] for play in own])) for name in _COUNTED
            }
    return ArmPlayed(arm, regrets, counts, cpu)


def _measured(table: CurveTable, played: Played, budget: int) -> MeasuredPlay:
    play = played.play
    grid = [budget * (moment + 1) / MEASURED for moment in range(MEASURED)]
    best = best_of(table.ends)
    good = [trial for trial, configuration in play.configuration.items() if configuration in best]
    counts = play.counts | {
        "best_begun": len(good),
        "best_stopped": sum(play.end.get(trial) == "stopped" for trial in good),
    }
    regrets = regret_at(play, regret_of(table.ends), grid)
    return MeasuredPlay(
        [float(each) for each in regrets], {name: counts[name] for name in _COUNTED}, played.cpu_seconds
    )


def half(played: ArmPlayed, name: str) -> ArmPlayed:
    """An arm on one half of the tables, by their name order."""
    kept = [table for place, table in enumerate(sorted(played.regrets)) if half_of(place) == name]
    return ArmPlayed(
        played.arm,
        {table: played.regrets[table] for table in kept},
        {table: played.counts[table] for table in kept},
        played.cpu_seconds,
    )


def summary(
    arm: ArmPlayed, other: ArmPlayed, default: ArmPlayed | None, trainings: Sequence[int]
) -> dict[str, Any]:
    """Plain values of an arm on one half.

    Args:
        arm: what is told of.
        other: the arm that it is compared with, paired by table and seed.
        default: our default, if it was played: how soon it has what `arm` has.
        trainings: budgets, the largest last.
    """
    places = [round(MEASURED * budget / trainings[-1]) - 1 for budget in trainings]
    runs = np.concatenate(list(arm.regrets.values()))
    spread = quartiles(runs)
    told: dict[str, Any] = {
        "name": arm.arm.name,
        "against": other.arm.name,
        "tables": len(arm.regrets),
        "plays": len(runs),
        "budgets": [],
        "trials": {
            name: round(float(np.mean([counts[name] for counts in arm.counts.values()])), 2)
            for name in _COUNTED
        },
    }
    for budget, place in zip(trainings, places, strict=True):
        row: dict[str, Any] = {
            "trainings": budget,
            "regret": [_digits(getattr(spread, part)[place]) for part in ("median", "q25", "q75")],
            "mean_regret": _digits(runs[:, place].mean()),
        }
        if other is not arm:
            row |= _difference(arm, other, place)
        if default is not None and default is not arm:
            row |= _share_to_reach(default, arm, place)
        told["budgets"].append(row)
    return told


def _difference(arm: ArmPlayed, other: ArmPlayed, place: int) -> dict[str, Any]:
    """Mean of arm - other, 95 % bootstrap interval over seeds within tables, and on which tables the arm is better."""
    differences = {
        table: arm.regrets[table][:, place : place + 1] - other.regrets[table][:, place : place + 1]
        for table in arm.regrets
    }
    means = {table: float(values.mean()) for table, values in differences.items()}
    low, high = bootstrap_interval(list(differences.values()), derived_seed(0, "bootstrap", place))
    return {
        "difference": _digits(np.mean(list(means.values()))),
        "interval": [_digits(low[0]), _digits(high[0])],
        "better_on": [table for table, mean in means.items() if mean < 0],
        "worse_on": [table for table, mean in means.items() if mean > 0],
    }


def _share_to_reach(default: ArmPlayed, arm: ArmPlayed, place: int) -> dict[str, Any]:
    """Epochs that our default needs for the arm's median at a budget, as a share of it.

    Twice: the tables' median of each table's share, and the share at which the median over all plays on all tables is
    the arm's; an easy table or two do not carry the first, the tables where regrets are large rule the second.
    """
    shares = [
        _reached(default.regrets[table], float(np.median(regrets[:, place])), place)
        for table, regrets in arm.regrets.items()
    ]
    pooled = _reached(
        np.concatenate([default.regrets[table] for table in arm.regrets]),
        float(np.median(np.concatenate(list(arm.regrets.values()))[:, place])),
        place,
    )
    return {
        "default_needs": _told(float(np.median(shares)), place),
        "default_never_on": int(np.isinf(shares).sum()),
        "default_needs_pooled": _told(pooled, place),
    }


def _reached(regrets: Floats, goal: float, place: int) -> float:
    """At which share of the first `place` + 1 moments the median of plays, (S, M), has a goal; or infinite."""
    reached = np.flatnonzero(np.median(regrets, axis=0) <= goal + 1e-12)
    return float((reached[0] + 1) / (place + 1)) if len(reached) else np.inf


def _told(share: float, place: int) -> float | str:
    return _digits(share) if np.isfinite(share) else f"> {round(MEASURED / (place + 1), 2):g}"


def _digits(value: float) -> float:
    return float(f"{value:.4g}")
