"""What early stopping costs where nothing can be learned: our default against random search at full length.

Each seed is a made table of its own (`uninformative_tables.py`), played once by each method with one worker. Told is,
as a share of the epochs of 10, 20 and 40 whole trainings,

- epochs to quality: until the median of the plays has the regret that the median of random search has then. Luck of
  the ends is in it: 30 plays tell a median's epochs to about a quarter;
- epochs to trainings: until so many configurations are at their ends, the mean of the plays. Ends are drawn at random,
  so this is what quality comes to, without the luck.

With `--curves` it is told what the remedy (`schedulers/places_that_last.py`) costs where early epochs do say something:
our default beside itself without any doubt about its rungs, on one half of the recorded tables, to 20 trainings.

    python -m benchmarks.uninformative_rungs [--seeds 30] [--kinds noise crossing] [--searcher tpe] [--json FILE]
    python -m benchmarks.uninformative_rungs --curves DIR --tables lcbench_surrogate --half held-out --seeds 6
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.curve_sources import HALVES, families, half_of
from benchmarks.measuring import options, report
from benchmarks.quick_tpe import quick_tpe
from benchmarks.uninformative_tables import EPOCHS, KINDS, uninformative_table
from wrn_search.replay.comparison import regret_at
from wrn_search.replay.curve_table import CurveTable, Floats, regret_of
from wrn_search.replay.methods import Method, space_of
from wrn_search.replay.our_search import OurSearch
from wrn_search.replay.simulated_clock import Clock, play
from wrn_search.schedulers import places_that_last

TRAININGS = (10, 20, 40)
MOST = 1.5  # times the largest budget is played
FULL = Method("random+none", "random", "none")
WITHOUT_DOUBT = 1 - 1e-12  # believed of rungs


@dataclass(frozen=True)
class PlayOfTable:
    """One play: what it had after each epoch."""

    regrets: Floats  # (M,) of the configuration named best
    trainings: Floats  # (M,) at their ends


class _CountsEnds(OurSearch):
    """Our search, and when each training came to its end."""

    def __init__(self, table: CurveTable, method: Method, seed: int):
        self.ends: list[int] = []  # epochs spent by then
        self._spent = Clock()
        super().__init__(space_of(table, method, (), None, seed), table, 1, self._spent)

    def reported(self, trial: int, epoch: int, error: float) -> bool:
        """With one worker and epochs of one second, the moment is what was spent."""
        if epoch == EPOCHS:
            self.ends.append(round(self._spent.now))
        return super().reported(trial, epoch, error)

    def played_on(self, table: CurveTable) -> PlayOfTable:
        """To the end of the budget."""
        budget = round(MOST * TRAININGS[-1] * EPOCHS)
        done = play(self, table, 1, budget, self._spent)
        moments = np.arange(1, budget + 1)
        ended = np.searchsorted(np.array(self.ends), moments, side="right").astype(float)
        return PlayOfTable(regret_at(done, regret_of(table.ends), list(map(float, moments))), ended)


def plays_of(kind: str, method: Method, seeds: int) -> list[PlayOfTable]:
    """A method on as many tables of a kind."""
    tables = [uninformative_table(kind, seed) for seed in range(seeds)]
    return [_CountsEnds(table, method, seed).played_on(table) for seed, table in enumerate(tables)]


def to_quality(arm: list[PlayOfTable], full: list[PlayOfTable], trainings: int) -> float:
    """Epochs that an arm needs for the median regret of random search after so many trainings, as a share of those."""
    ours, theirs = (np.median([each.regrets for each in plays], axis=0) for plays in (arm, full))
    goal = theirs[trainings * EPOCHS - 1] + 1e-12
    return _first(ours <= goal) / (trainings * EPOCHS)


def to_trainings(arm: list[PlayOfTable], trainings: int) -> float:
    """Mean epochs until so many configurations are at their ends, as a share of those trainings' epochs."""
    needed = [_first(each.trainings >= trainings) for each in arm]
    return float(np.mean(needed)) / (trainings * EPOCHS)


RECORDED = (5, 10, 20)  # trainings


def on_recorded(tables: Sequence[CurveTable], method: Method, seeds: int, believed: float) -> Floats:
    """(plays, moments) regret of our search after `RECORDED` trainings, with a belief in its rungs."""
    own = places_that_last.BELIEVED
    places_that_last.BELIEVED = believed
    found = []
    for table in tables:
        moments = [float(each * table.epochs) for each in RECORDED]
        for seed in range(seeds):
            clock = Clock()
            search = OurSearch(space_of(table, method, (), None, seed), table, 1, clock)
            done = play(search, table, 1, RECORDED[-1] * table.epochs, clock)
            found.append(regret_at(done, regret_of(table.ends), moments))
    places_that_last.BELIEVED = own
    return np.array(found)


def recorded_lines(name: str, now: Floats, before: Floats) -> list[str]:
    """Median regrets with and without doubt, and their difference: mean with its standard error, over plays."""
    change = now - before
    error = change.std(axis=0, ddof=1) / np.sqrt(len(change))
    told = {
        "without doubt": np.median(before, axis=0),
        "now": np.median(now, axis=0),
        "mean difference": change.mean(axis=0),
        "its standard error": error,
    }
    texts = [f"{what} {' / '.join(f'{value:.3f}' for value in values)}" for what, values in told.items()]
    return [f"  {name:<20} {len(now)} plays, regret: {', '.join(texts)}"]


def _first(reached: np.ndarray) -> float:  # type: ignore[type-arg]
    """Epochs until it first is; infinite if it never is."""
    places = np.flatnonzero(reached)
    return float(places[0] + 1) if len(places) else float("inf")


def main() -> None:
    """Plays and prints."""
    parser = options(__doc__, rounds=1)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--searcher", default="tpe")
    parser.add_argument("--set", nargs="*", default=[], help="KEY=VALUE of the search, beside its defaults")
    parser.add_argument("--curves", type=Path, help="a folder of public tables")
    parser.add_argument("--tables", nargs="*", default=[], help="families; all of them if none is named")
    parser.add_argument("--half", choices=HALVES, default=HALVES[1])
    parser.add_argument(
        "--believed",
        type=float,
        default=places_that_last.BELIEVED,
        help="of rungs before anything was seen; 1: no doubt",
    )
    asked = parser.parse_args()
    quick_tpe()
    places_that_last.BELIEVED = min(asked.believed, WITHOUT_DOUBT)
    default = Method(f"{asked.searcher}+asha", asked.searcher, "asha", tuple(asked.set))
    if asked.curves is not None:
        _report_recorded(asked, default)
    else:
        _report_made(asked, default)


def _report_recorded(asked: argparse.Namespace, default: Method) -> None:
    lines = [
        f"{default.name} on recorded curves, {asked.half} half; {' / '.join(map(str, RECORDED))} trainings"
    ]
    regrets: dict[str, dict[str, list[list[float]]]] = {}
    for family, tables in families(asked.curves).items():
        if not asked.tables or family in asked.tables:
            chosen = [table for place, table in enumerate(tables) if half_of(place) == asked.half]
            now = on_recorded(chosen, default, asked.seeds, places_that_last.BELIEVED)
            before = on_recorded(chosen, default, asked.seeds, WITHOUT_DOUBT)
            lines += recorded_lines(family, now, before)
            regrets[family] = {"now": now.tolist(), "before": before.tolist()}
    report("uninformative_rungs", lines, regrets, asked.json, part="_recorded")


def _report_made(asked: argparse.Namespace, default: Method) -> None:
    budgets = " / ".join(map(str, TRAININGS))
    lines = [f"{default.name} beside random search at full length, {asked.seeds} seeds; {budgets} trainings"]
    values: dict[str, dict[str, list[float]]] = {}
    for kind in asked.kinds:
        began = time.process_time()
        ours, full = (plays_of(kind, method, asked.seeds) for method in (default, FULL))
        values[kind] = {
            "to_quality": [to_quality(ours, full, each) for each in TRAININGS],
            "to_trainings": [to_trainings(ours, each) for each in TRAININGS],
        }
        told = {what: " / ".join(f"{share:.2f}" for share in shares) for what, shares in values[kind].items()}
        lines.append(
            f"  {kind:<10} epochs to quality {told['to_quality']}, to trainings {told['to_trainings']} (at most 1.10)"
        )
        print(f"{kind}: {time.process_time() - began:.0f} CPU seconds", file=sys.stderr)
    report("uninformative_rungs", lines, values, asked.json)


if __name__ == "__main__":
    main()
