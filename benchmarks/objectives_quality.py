"""Two objectives, error and parameters, on tables of recorded curves: our searches at half of NSGA-II's budget.

A play's front is that of the configurations that it trained to their end. Its hypervolume counts errors linearly up to
the table's median end, and parameters by their logarithm up to the table's largest network; 1 is that of the whole
table. NSGA-II is Optuna's own, with both objectives and without early stopping, once with its default of 50 parents and
once with 10. Tables stand in name order in two halves: even places for choosing settings, odd ones held out.

python -m benchmarks.objectives_quality [--curves DIR] [--results RESULTS] [--seeds 10] [--half both]
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.curve_sources import HALVES, families, half_of
from benchmarks.measuring import report
from benchmarks.quick_tpe import quick_tpe
from benchmarks.rivals.nsga2_rival import OptunasGenetic
from wrn_search.errors import InputError
from wrn_search.objectives.hypervolume import hypervolume
from wrn_search.replay.comparison import bootstrap_interval
from wrn_search.replay.curve_table import CurveTable
from wrn_search.replay.methods import Method, player_of
from wrn_search.replay.simulated_clock import Begun, Clock, Player, play
from wrn_search.replay.table_of_results import table_of_results
from wrn_search.seeds import derived_seed

RIVAL = "optuna nsga2, 50 parents"


class Completions:
    """A player that notes when which configuration came to its end, by the epochs spent."""

    def __init__(self, player: Player, table: CurveTable, clock: Clock):
        self._player, self._table, self._clock = player, table, clock
        self._places: dict[
            int, tuple[int, float]
        ] = {}  # trial -> its place in the table, the end of its curve
        self.found: list[tuple[float, float, int]] = []  # (epochs spent, error, parameters)

    def next_trial(self) -> Begun | None:
        """The other one's."""
        if (begun := self._player.next_trial()) is not None:
            self._places[begun.trial] = begun.configuration, self._table.end_of(begun.curve)
        return begun

    def hears(self, epoch: int) -> bool:
        """As the other one."""
        return self._player.hears(epoch)

    def reported(self, trial: int, epoch: int, error: float) -> bool:
        """The last epoch is noted."""
        if epoch == self._table.epochs:
            place, end = self._places[trial]
            self.found.append((self._clock.now, end, self._table.sizes[place]))
        return self._player.reported(trial, epoch, error)

    def diverged(self, trial: int, epoch: int) -> None:
        """The other one hears of it."""
        self._player.diverged(trial, epoch)


MakePlayer = Callable[[CurveTable, int, Clock], Player]


def _ours(searcher: str, scheduler: str) -> MakePlayer:
    method = Method(f"{searcher}+{scheduler}", searcher, scheduler)
    return lambda table, seed, clock: player_of(table, method, (), None, seed, 1, clock)


# Name -> how it is played, and at which share of the budget.
ARMS: dict[str, tuple[MakePlayer, float]] = {
    RIVAL: (lambda table, seed, clock: OptunasGenetic(table, seed, 50), 1.0),
    "optuna nsga2, 10 parents": (lambda table, seed, clock: OptunasGenetic(table, seed, 10), 1.0),
    "nsga2+none": (_ours("nsga2", "none"), 1.0),
    "tpe+none": (_ours("tpe", "none"), 1.0),
    "random+asha": (_ours("random", "asha"), 0.5),
    "tpe+asha": (_ours("tpe", "asha"), 0.5),
    "nsga2+asha": (_ours("nsga2", "asha"), 0.5),
    "tpe+hyperband": (_ours("tpe", "hyperband"), 0.5),
    "tpe+median": (_ours("tpe", "median"), 0.5),
}


@dataclass(frozen=True)
class Measure:
    """What a front is worth on a table."""

    reference: tuple[float, float]  # (error, logarithm of parameters)
    whole: float  # hypervolume of all configurations

    def share(self, found: Sequence[tuple[float, float, int]], epochs: float) -> float:
        """Of what was trained to its end within so many epochs; 1 is the whole table."""
        points = [(error, math.log(size)) for spent, error, size in found if spent <= epochs]
        return hypervolume(points, self.reference) / self.whole


def measure_of(table: CurveTable) -> Measure:
    """By all that the table holds."""
    points = [
        (float(end), math.log(size))
        for end, size in zip(table.ends, table.sizes, strict=True)
        if not math.isnan(end)
    ]
    largest = max(size for _, size in points)
    reference = statistics.median(end for end, _ in points), largest + 1e-9
    return Measure(reference, hypervolume(points, reference))


def with_objectives(table: CurveTable) -> CurveTable:
    """The table searched for both objectives; every epoch costs 1, so that the clock tells the epochs spent."""
    space = table.space.model_copy(update={"objectives": ("val_error", "num_params")})
    private = getattr(table.space, "_of_table", None)
    if private is not None:
        space = type(table.space).of(space, private)  # type: ignore[attr-defined]
    curves = tuple(
        tuple(replace(curve, seconds=np.ones(max(1, len(curve.errors)))) for curve in each)
        for each in table.curves
    )
    return replace(table, space=space, curves=curves, sizes=table.sizes or _sizes(table))


def _sizes(table: CurveTable) -> tuple[int, ...]:
    """Weights between the layers of the funnel that a configuration of LCBench is, inputs and outputs left out."""
    return tuple(_funnel(int(each["num_layers"]), float(each["max_units"])) for each in table.configurations)


def _funnel(layers: int, units: float) -> int:
    """Layers of n, n (L - 1) / L, ..., n / L units, each fully connected to the next one."""
    widths = [units * (layers - place) / layers for place in range(layers)]
    return max(1, round(sum(a * b for a, b in zip(widths, [*widths[1:], 1.0], strict=True))))


def played(table: CurveTable, arm: str, seed: int, budget: int) -> list[tuple[float, float, int]]:
    """What a play trained to its end."""
    clock = Clock()
    player = Completions(ARMS[arm][0](table, seed, clock), table, clock)
    play(player, table, 1, budget, clock)
    return player.found


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays, prints, writes."""
    asked = _parser().parse_args(arguments)
    quick_tpe()
    try:
        tables = _tables(asked)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    lines: list[str] = []
    found: dict[str, Any] = {}
    for half in HALVES:
        kept = [table for place, table in enumerate(tables) if half_of(place) == half]
        if asked.half not in ("both", half) or not kept:
            continue
        for trainings in asked.trainings:
            using = [table for table in kept if len(table.configurations) >= 2 * trainings]
            if using:
                text, values = _compared(using, trainings, asked)
                lines += [
                    f"{half} half, {trainings} whole trainings: {len(using)} tables x {asked.seeds} seeds",
                    *text,
                    "",
                ]
                found[f"{half}, {trainings}"] = values
    report("objectives_quality", lines, {"seeds": asked.seeds, "parts": found}, asked.json, part=asked.part)
    return 0


def _tables(asked: argparse.Namespace) -> list[CurveTable]:
    found = [] if asked.curves is None else families(asked.curves).get("lcbench_surrogate", [])
    if asked.results is not None:
        table = table_of_results(asked.results, whole=False).table
        found = [*found, replace(table, sizes=_own_sizes(table))]
    if not found:
        raise InputError.of("--curves", "must hold lcbench_surrogate.parquet, or --results name a search")
    return [with_objectives(table) for table in found][: asked.first or None]


def _own_sizes(table: CurveTable) -> tuple[int, ...]:
    from wrn_search.networks.parameters_and_macs import num_params

    space, facts = table.space, table.facts
    assert facts.image_shape is not None
    return tuple(
        num_params(
            space.trial_config(each, 0, precision="fp32", compile="off").architecture,
            facts.num_classes,
            facts.image_shape[2],
        )
        for each in table.configurations
    )


def _compared(
    tables: Sequence[CurveTable], trainings: int, asked: argparse.Namespace
) -> tuple[list[str], dict[str, Any]]:
    """Every arm at its share of the budget, against the rival at all of it."""
    budget = trainings * tables[0].epochs
    measures = {table.name: measure_of(table) for table in tables}
    shares: dict[str, dict[str, list[float]]] = {}
    values: dict[str, Any] = {"tables": list(measures), "arms": {}}
    lines = [f"  {'':26}{'budget':8}{'hypervolume':13}{'minus NSGA-II (50), 95 %':28}tables better:worse"]
    for arm in sorted(asked.arms, key=list(ARMS).index):
        began, part = time.process_time(), ARMS[arm][1]
        shares[arm] = {
            table.name: [
                measures[table.name].share(played(table, arm, seed, round(part * budget)), part * budget)
                for seed in range(asked.seeds)
            ]
            for table in tables
        }
        mean = statistics.fmean(value for each in shares[arm].values() for value in each)
        told = _against(shares[arm], shares[RIVAL]) if RIVAL in shares else {}
        cpu = round(time.process_time() - began, 1)
        values["arms"][arm] = {"budget": part, "mean": round(mean, 4), "cpu_seconds": cpu, **told}
        text = f"{told['difference']:+.3f} ({told['low']:+.3f} to {told['high']:+.3f})" if told else ""
        counted = f"{told['better']}:{told['worse']}" if told else ""
        lines.append(f"  {arm:26}{part:<8g}{mean:<13.3f}{text:28}{counted}")
        print(f"{lines[-1]}   {cpu} CPU seconds", file=sys.stderr, flush=True)
    return lines, values


def _against(ours: Mapping[str, list[float]], theirs: Mapping[str, list[float]]) -> dict[str, float]:
    """Mean difference, paired by table and seed, with a bootstrap interval over seeds within tables."""
    differences = [np.array([ours[table]]).T - np.array([theirs[table]]).T for table in ours]
    low, high = bootstrap_interval(differences, derived_seed(0, "bootstrap"))
    means = [float(each.mean()) for each in differences]
    return {
        "difference": round(statistics.fmean(means), 4),
        "low": round(float(low[0]), 4),
        "high": round(float(high[0]), 4),
        "better": sum(mean > 0 for mean in means),
        "worse": sum(mean < 0 for mean in means),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--curves", type=Path, help="a folder with lcbench_surrogate.parquet")
    add(
        "--results",
        type=Path,
        help="a search that trained everything to its end; one that still runs may be named",
    )
    add("--seeds", type=int, default=10, help="plays of each arm on each table (default 10)")
    add("--trainings", type=lambda text: [int(each) for each in text.split(",")], default=[40, 100])
    add("--half", choices=(*HALVES, "both"), default="both", help="of the tables (default both)")
    add("--first", type=int, help="tables at most (default all)")
    add("--arms", type=lambda text: text.split("/"), default=list(ARMS), help=f"of {' / '.join(ARMS)}")
    add("--part", default="", help="at the end of the name of the file of values")
    add("--json", type=Path, help="where the values go (default results/MACHINE/)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
