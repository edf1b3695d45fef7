"""What wrong knowledge costs: `search.prior` and `search.points` at the worst tenth of a table, beside neither.

Each play believes in a configuration of the table's worst tenth by end, another one with each seed, at the given
confidence; or three of that tenth are its points. Told is after how many epochs the median of all plays, on all tables
together, has the regret that the median without any has after 10 and 20 whole trainings, as a share of the epochs
that the one without needs (regret 0: the table's best end, 1: its median). At most 1.20 is asked.

    python -m benchmarks.wrong_prior --curves DIR [--tables lcbench_surrogate] [--first 4] [--seeds 30] [--json FILE]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.curve_sources import families
from benchmarks.measuring import options, report
from benchmarks.quick_tpe import quick_tpe
from wrn_search.replay.comparison import regret_at
from wrn_search.replay.curve_table import CurveTable, Floats, regret_of
from wrn_search.replay.methods import Method, space_of
from wrn_search.replay.our_search import OurSearch
from wrn_search.replay.simulated_clock import Clock, play
from wrn_search.replay.table_space import TableSpace
from wrn_search.searchers.draws_around_a_prior import CONFIDENCES
from wrn_search.seeds import derived_seed

TRAININGS = (10, 20)  # at whose regret the searches are compared
MOST = 1.5  # times as many epochs are played
MOMENTS = 300
POINTS = 3
ARMS = (*CONFIDENCES, "points")


def worst_tenth(table: CurveTable) -> list[int]:
    """Places of the configurations with the worst ends; those whose end nobody knows are the worst of all."""
    ends = np.nan_to_num(table.ends, nan=np.inf)
    return [int(each) for each in np.argsort(ends, kind="stable")[-max(POINTS, len(ends) // 10) :]]


def regrets_of(table: CurveTable, method: Method, arm: str | None, seed: int) -> Floats:
    """(MOMENTS,) of one play: with a wrong prior of a confidence, with wrong points, or with neither."""
    space = space_of(table, method, (), None, seed)
    if arm is not None:
        worst = worst_tenth(table)
        first = derived_seed(seed, "wrong belief") % len(worst)
        believed = [table.configurations[worst[(first + place) % len(worst)]] for place in range(POINTS)]
        wrong = {"points": believed} if arm == "points" else {"prior": {**believed[0], "confidence": arm}}
        space = space.model_copy(update={"search": space.search.model_copy(update=wrong)})
        if isinstance(table.space, TableSpace):
            space = TableSpace.of(space, table.hyperparameters)
    clock = Clock()
    budget = round(MOST * TRAININGS[-1] * table.epochs)
    done = play(OurSearch(space, table, 1, clock), table, 1, budget, clock)
    moments = [budget * (moment + 1) / MOMENTS for moment in range(MOMENTS)]
    return regret_at(done, regret_of(table.ends), moments)


def share_needed(wrong: Sequence[Floats], free: Sequence[Floats], trainings: int) -> float:
    """Epochs that the median with wrong knowledge needs for what the one without has then, as a share of its own.

    Counted from when the one without has it first; infinite if it never comes.
    """
    believing, without = np.median(np.array(wrong), axis=0), np.median(np.array(free), axis=0)
    goal = without[round(MOMENTS / MOST * trainings / TRAININGS[-1]) - 1] + 1e-12
    there = np.flatnonzero(believing <= goal)
    return float((there[0] + 1) / (np.flatnonzero(without <= goal)[0] + 1)) if len(there) else float("inf")


def main() -> None:
    """Plays and prints."""
    parser = options(__doc__, rounds=1)
    parser.add_argument("--curves", type=Path, default=None, help="a folder of public tables")
    parser.add_argument("--tables", nargs="*", default=[], help="families; all of them if none is named")
    parser.add_argument("--first", type=int, default=4, help="so many tables of each family (default 4)")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=ARMS)
    parser.add_argument("--searcher", default="tpe")
    asked = parser.parse_args()
    quick_tpe()
    method = Method(f"{asked.searcher}+asha", asked.searcher, "asha")
    found = families(asked.curves)
    tables = [
        table
        for family, all_of_it in found.items()
        if not asked.tables or family in asked.tables
        for table in all_of_it[: asked.first]
    ]
    began = time.process_time()
    plays: dict[str, list[Floats]] = {}
    for arm in (None, *asked.arms):
        plays[arm or "none"] = [
            regrets_of(table, method, arm, seed) for table in tables for seed in range(asked.seeds)
        ]
        print(f"{arm}: {time.process_time() - began:.0f} CPU seconds so far", file=sys.stderr, flush=True)
    budgets = " / ".join(map(str, TRAININGS))
    lines = [
        f"{method.name}, {len(tables)} tables x {asked.seeds} seeds: epochs with wrong knowledge over those without, "
        f"{budgets} trainings (at most 1.20)"
    ]
    values: dict[str, list[float]] = {}
    for arm in asked.arms:
        values[arm] = [share_needed(plays[arm], plays["none"], each) for each in TRAININGS]
        which = "3 wrong points" if arm == "points" else f"wrong prior, {arm} confidence"
        lines.append(f"  {which:<32}{' / '.join(f'{share:.2f}' for share in values[arm])}")
    names = [table.name for table in tables]
    report("wrong_prior", lines, {"tables": names, "seeds": asked.seeds, "shares": values}, asked.json)


if __name__ == "__main__":
    main()
