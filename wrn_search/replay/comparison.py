"""What plays say of methods: regret over epochs and hours, paired differences, what the rungs stopped. Pure."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

from wrn_search.replay.all_plays import Asked, Played
from wrn_search.replay.curve_table import CurveTable, Floats, regret_of
from wrn_search.replay.simulated_clock import Play
from wrn_search.seeds import derived_seed

MEASURED = 100  # moments of a budget at which the regret is told
_RESAMPLES = 1000
_BEST_SHARE = 0.05  # of a table: what no rung should stop
_MOST_RUNGS = 12  # that are told of one method


@dataclass(frozen=True)
class Quartiles:
    """(M,) each: over seeds and tables together."""

    median: Floats
    q25: Floats
    q75: Floats


@dataclass(frozen=True)
class Rung:
    """What happened at one rung, over all plays of a method."""

    epoch: int
    arrived: int
    stopped: int
    best_arrived: int  # of those whose recorded ends are among the table's best 5 %
    best_stopped: int
    kendall_tau: float | None  # between the errors there and the ends, over the tables; None for equal ones


@dataclass(frozen=True)
class MethodResult:
    """One method with one number of workers."""

    method: int  # its place in `Asked.methods`
    workers: int
    runs: Floats  # (tables * seeds, M): regret, the tables one after the other
    regret: Quartiles
    by_hours: Quartiles | None  # over `Comparison.hours`; None where a table knows no seconds
    by_table: tuple[Quartiles, ...]
    trials: dict[str, float]  # completed, stopped, diverged, unfinished: mean of a play
    epochs: float  # spent: mean of a play
    hours: float | None  # mean of a play
    rungs: tuple[Rung, ...]
    decisions_per_second: float  # of CPU time


@dataclass(frozen=True)
class Pair:
    """Method `a` against `b`, paired by table and seed: negative differences are in favour of `a`."""

    a: int  # places in `Comparison.results`
    b: int
    difference: Floats  # (M,) mean of a - b
    low: Floats  # (M,) 95 %, by a bootstrap over seeds within each table
    high: Floats
    epochs_to_reach: (
        int | None
    )  # that `a` needs for the median that `b` has at the end; None: not within the budget


@dataclass(frozen=True)
class Comparison:
    """All that a replay found."""

    epochs: tuple[int, ...]  # (M,) at which regret is told
    hours: tuple[float, ...]  # (M,) likewise; empty where a table knows no seconds
    results: tuple[MethodResult, ...]
    pairs: tuple[Pair, ...]


def compared(asked: Asked, plays: Sequence[Played]) -> Comparison:
    """The comparison of plays in the order of `keys_of`."""
    grid = measured_epochs(asked.budget)
    timed = all(table.in_seconds for table in asked.tables)
    longest = max((played.play.time for played in plays), default=0.0)
    seconds = [longest * (place + 1) / MEASURED for place in range(MEASURED)] if timed else []
    regrets = [regret_of(table.ends) for table in asked.tables]
    each = len(asked.tables) * asked.seeds
    results = [
        _result(asked, plays[start : start + each], regrets, grid, seconds)
        for start in range(0, len(plays), each)
    ]
    pairs = [
        _pair(asked, results, a, b, grid)
        for a, b in combinations(range(len(results)), 2)
        if results[a].workers == results[b].workers
    ]
    return Comparison(grid, tuple(value / 3600 for value in seconds), tuple(results), tuple(pairs))


def measured_epochs(budget: int) -> tuple[int, ...]:
    """At most `MEASURED` epochs, evenly spread, the budget last."""
    return tuple(sorted({max(1, round(budget * (place + 1) / MEASURED)) for place in range(MEASURED)}))


def regret_at(play: Play, regret: Floats, moments: Sequence[float], *, by_time: bool = False) -> Floats:
    """(M,) regret of the configuration named best at each moment; the table's mean before there was any.

    Args:
        play: a play.
        regret: (C,) of the table's configurations.
        moments: epochs spent, or with `by_time` the table's seconds.
    """
    when = [named[1] if by_time else named[0] for named in play.named]
    places = [bisect.bisect_right(when, moment) - 1 for moment in moments]
    guess = float(np.nanmean(regret))
    return np.array([regret[play.named[place][2]] if place >= 0 else guess for place in places])


def _result(
    asked: Asked,
    plays: Sequence[Played],
    regrets: Sequence[Floats],
    grid: Sequence[int],
    seconds: Sequence[float],
) -> MethodResult:
    key = plays[0].key
    runs = np.array([regret_at(each.play, regrets[each.key.table], grid) for each in plays])
    by_hours = None
    if seconds:
        timed = [regret_at(each.play, regrets[each.key.table], seconds, by_time=True) for each in plays]
        by_hours = quartiles(np.array(timed))
    per_table = np.split(runs, len(asked.tables))
    counts = [each.play.counts for each in plays]
    cpu = sum(each.cpu_seconds for each in plays)
    return MethodResult(
        method=key.method,
        workers=key.workers,
        runs=runs,
        regret=quartiles(runs),
        by_hours=by_hours,
        by_table=tuple(map(quartiles, per_table)),
        trials={kind: float(np.mean([count[kind] for count in counts])) for kind in counts[0]},
        epochs=float(np.mean([each.play.epochs for each in plays])),
        hours=float(np.mean([each.play.time for each in plays])) / 3600 if seconds else None,
        rungs=rungs_of_plays(asked.tables, plays),
        decisions_per_second=sum(each.play.decisions for each in plays) / max(cpu, 1e-9),
    )


def quartiles(runs: Floats) -> Quartiles:
    """Over the first axis."""
    low, middle, high = np.quantile(runs, (0.25, 0.5, 0.75), axis=0)
    return Quartiles(middle, low, high)


def rungs_of_plays(tables: Sequence[CurveTable], plays: Sequence[Played]) -> tuple[Rung, ...]:
    """Every epoch at which a trial was stopped; of many the most used ones, by epoch."""
    best = [best_of(table.ends) for table in tables]
    stopped: dict[int, list[bool]] = {}
    for each in plays:
        for trial, end in each.play.end.items():
            if end == "stopped":
                is_best = each.play.configuration[trial] in best[each.key.table]
                stopped.setdefault(each.play.last_epoch[trial], []).append(is_best)
    most = sorted(stopped, key=lambda epoch: -len(stopped[epoch]))[:_MOST_RUNGS]
    arrived = {
        epoch: [
            each.play.configuration[trial] in best[each.key.table]
            for each in plays
            for trial, last in each.play.last_epoch.items()
            if last >= epoch
        ]
        for epoch in most
    }
    return tuple(
        Rung(
            epoch,
            len(arrived[epoch]),
            len(stopped[epoch]),
            sum(arrived[epoch]),
            sum(stopped[epoch]),
            kendall_tau(tables, epoch),
        )
        for epoch in sorted(most)
    )


def best_of(ends: Floats) -> frozenset[int]:
    """Places of the best 5 %, at least one, ties with the last of them too."""
    finite = ends[~np.isnan(ends)]
    limit = np.sort(finite)[max(1, int(_BEST_SHARE * len(finite))) - 1]
    return frozenset(np.flatnonzero(ends <= limit).tolist())


def kendall_tau(tables: Sequence[CurveTable], epoch: int) -> float | None:
    """Kendall's tau-b between the errors after `epoch` and the ends: the mean over the tables."""
    found = []
    for table in tables:
        pairs = [
            (curve.errors[epoch - 1], table.end_of(curve))
            for curves in table.curves
            for curve in curves
            if len(curve.errors) >= epoch
        ]
        if len(pairs) > 1:
            tau = stats.kendalltau(*zip(*pairs, strict=True)).statistic
            found += [float(tau)] if np.isfinite(tau) else []
    return float(np.mean(found)) if found else None


def _pair(asked: Asked, results: Sequence[MethodResult], a: int, b: int, grid: Sequence[int]) -> Pair:
    differences = results[a].runs - results[b].runs
    low, high = bootstrap_interval(
        np.split(differences, len(asked.tables)), derived_seed(0, "bootstrap", a, b)
    )
    reached = np.flatnonzero(results[a].regret.median <= results[b].regret.median[-1])
    return Pair(a, b, differences.mean(axis=0), low, high, grid[reached[0]] if len(reached) else None)


def bootstrap_interval(by_table: Sequence[Floats], seed: int) -> tuple[Floats, Floats]:
    """95 % percentile interval of the mean, resampling rows within each table: tables are those at hand.

    Args:
        by_table: for each table (S, M).
        seed: of the resamples.
    """
    generator = np.random.default_rng(seed)
    total = np.zeros((_RESAMPLES, by_table[0].shape[1]))
    for rows in by_table:
        weights = generator.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=_RESAMPLES)
        total += weights @ rows / len(rows)
    low, high = np.quantile(total / len(by_table), (0.025, 0.975), axis=0)
    return low, high
