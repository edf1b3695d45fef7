"""Whether the curve model's answers are right: on made-up searches whose truth is known, and on recorded curves.

Planted: real TPE and ASHA on made-up curves of 64 trials (`planted_searches.py`). An absent effect is found in at most
5 %, width at -0.37 log-odds a doubling in at least 60 %, the interval of depth against width covers in 93 to 98 %.
Replays of recorded tables (`recorded_curves.py`): hidden ends of stopped trials lie in nominal 95 % intervals in 90 to
98 % on each, and the error of predicted ends is at most half of that of the last value seen. Tables that the model was
tuned on and those that it never saw are told apart. The flagship search on tables of Wide Residual Networks
(`flagship_replays.py`): depth against width with an interval in all searches, the wrong side in at most 3 %. Time: a
fit of 100 trials in 2 CPU seconds, of 1,000 in 10.

    python -m benchmarks.answer_quality [--seeds 200] [--curves PLACE...] [--searches 12] [--anchors 0.1] [--json FILE]
"""

from __future__ import annotations

import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.flagship_replays import sentences
from benchmarks.measuring import options, report
from benchmarks.planted_searches import Truth, searched
from benchmarks.recorded_curves import RecordedCurves, replayed, tables
from wrn_search.curves.anchor_audit import covers
from wrn_search.curves.curve_fit import fit
from wrn_search.curves.effects import effects
from wrn_search.curves.ends.ends_of_trials import ends_of_trials

TRIALS = 64
SIZES = {100: 2.0, 1_000: 10.0}  # trials: CPU seconds that a fit may take
QUESTIONS = ("depth", "width", "depth_vs_width")


@dataclass(frozen=True)
class Gate:
    """One figure to reach."""

    what: str
    value: float
    low: float = -math.inf
    high: float = math.inf

    @property
    def passed(self) -> bool:
        return self.low <= self.value <= self.high

    def line(self) -> str:
        """For the table."""
        bounds = (f"{'>=' if sign < 0 else '<='} {each:g}" for sign, each in ((-1, self.low), (1, self.high)))
        wanted = " and ".join(each for each in bounds if "inf" not in each)
        return f"  {self.what:<74}{self.value:>8.3f}  {wanted:<20}{'' if self.passed else 'MISSED'}"


def truths(seed: int) -> dict[str, Truth]:
    """What is planted: one effect, none but slow starters, and all effects, late and early, drawn anew a seed."""
    depth, width, early_depth, early_width = np.random.default_rng([seed, 7]).normal(
        [-0.1, -0.25, 0.0, 0.0], 0.25
    )
    return {
        "width": Truth(width=-0.37),
        "nothing": Truth(early_depth=0.3, early_width=0.3),
        "drawn": Truth(float(depth), float(width), float(early_depth), float(early_width)),
    }


def planted_counts(seeds: int, anchors: float) -> dict[str, dict[str, float]]:
    """By what was planted: how often a question's interval covered the truth, and how often it left 1; half-widths."""
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for seed in range(seeds):
        for name, truth in truths(seed).items():
            planted = {"depth": truth.depth, "width": truth.width, "depth_vs_width": truth.depth_vs_width}
            for effect in effects(fit(searched(truth, TRIALS, seed, anchors), draws=150)):
                if effect.question in QUESTIONS:
                    low, high = math.log(effect.low), math.log(effect.high)
                    sums[name][f"{effect.question} covered"] += low <= planted[effect.question] <= high
                    sums[name][f"{effect.question} found"] += low > 0 or high < 0
                    sums[name][f"{effect.question} half-width"] += (high - low) / 2
        if (seed + 1) % 20 == 0:
            so_far = {
                f"{name} {what}": round(value, 3)
                for name, each in _divided(sums, seed + 1).items()
                for what, value in each.items()
            }
            print(f"planted, anchors {anchors:g}, {seed + 1} seeds: {so_far}", file=sys.stderr, flush=True)
    return _divided(sums, seeds)


def _divided(sums: Mapping[str, Mapping[str, float]], seeds: int) -> dict[str, dict[str, float]]:
    """Shares: summed as they come, 196 of 200 would be more than 0.98."""
    return {name: {what: value / seeds for what, value in each.items()} for name, each in sums.items()}


def planted_gates(counts: dict[str, dict[str, float]], anchors: float) -> list[Gate]:
    """The figures to reach of made-up searches."""
    where = f"planted, anchors {anchors:g}:"
    nothing, width = counts["nothing"], counts["width"]
    return [
        *(Gate(f"{where} absent {each} found", nothing[f"{each} found"], high=0.05) for each in QUESTIONS),
        Gate(f"{where} absent depth found where width is real", width["depth found"], high=0.05),
        Gate(f"{where} width at -0.37 found", width["width found"], low=0.6),
        Gate(f"{where} depth against width covered", counts["drawn"]["depth_vs_width covered"], 0.93, 0.98),
    ]


@dataclass
class Ends:
    """Hidden ends against their predictions, summed over searches (points of error)."""

    count: int = 0
    covered: int = 0
    square: float = 0.0
    square_of_last: float = 0.0
    bias: float = 0.0

    def add(self, other: Ends) -> None:
        """Sums."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


def replayed_ends(table: RecordedCurves, rungs: tuple[int, ...], searches: int, anchors: float) -> Ends:
    """Searches on a table: what was stopped, predicted, against what it really came to."""
    found = Ends()
    for seed in range(searches):
        cut, hidden = replayed(table.full, rungs, TRIALS, seed, anchors=anchors)
        last = {each.trial: 100 * each.wrong[-1] / cut.images for each in cut.trials if each.epochs}
        for end in ends_of_trials(fit(cut, seed, draws=200)):
            if end.trial in hidden:
                truth = float(hidden[end.trial])
                found.count += 1
                found.covered += covers(end.low, end.high, truth, cut.images)
                found.square += (end.estimate - truth) ** 2
                found.square_of_last += (last[end.trial] - truth) ** 2
                found.bias += end.estimate - truth
    return found


def replays(
    recorded: Sequence[RecordedCurves], searches: int, anchors: float
) -> tuple[list[Gate], dict[str, Any]]:
    """Gates by group of tables, its half (tuned on or held out) and its rungs; the sums of each table."""
    groups: dict[tuple[str, str, str], Ends] = defaultdict(Ends)
    single: dict[str, Any] = {}
    count = Counter((each.group, each.tuning) for each in recorded)
    for table in recorded:
        half = "tuned on" if table.tuning else "held out"
        for rungs in table.rungs:
            each = math.ceil(searches / count[table.group, table.tuning])
            ends = replayed_ends(table, rungs, each, anchors)
            groups[table.group, half, str(rungs)].add(ends)
            print(f"{table.name}, rungs {rungs}: {ends}", file=sys.stderr, flush=True)
            single[f"{table.name}, {half}, rungs {rungs}, anchors {anchors:g}"] = asdict(ends)
    gates = []
    for (group, half, epochs), ends in groups.items():
        where = f"{group}, {half}, rungs {epochs}, anchors {anchors:g}:"
        if ends.count:
            gates.append(Gate(f"{where} covered", ends.covered / ends.count, 0.90, 0.98))
            gates.append(
                Gate(f"{where} RMSE / last's", math.sqrt(ends.square / ends.square_of_last), high=0.5)
            )
    return gates, single


def flagship(recorded: Sequence[RecordedCurves], searches: int) -> tuple[list[Gate], dict[str, Any]]:
    """Gates by table of networks; what was counted."""
    gates, counted = [], {}
    for table in recorded:
        said = sentences(table, searches)
        if said is None or not said.searches:
            continue
        where = f"flagship search on {table.name}: depth against width"
        gates.append(Gate(f"{where} told with an interval", said.told / said.searches, low=1.0))
        gates.append(Gate(f"{where} right or undecided", said.right / said.searches, low=0.97))
        counted[table.name] = asdict(said)
        print(f"{where}: {said}", file=sys.stderr, flush=True)
    return gates, counted


def seconds(trials: int) -> float:
    """CPU seconds of one fit."""
    table = searched(Truth(width=-0.37), trials, 0)
    start = time.process_time()
    fit(table)
    return time.process_time() - start


def main() -> None:
    """Measures and prints."""
    parser = options(__doc__, rounds=1)
    parser.add_argument("--seeds", type=int, default=200, help="made-up searches of each kind (default 200)")
    parser.add_argument(
        "--curves",
        type=Path,
        nargs="*",
        default=[],
        metavar="PLACE",
        help="beside the shipped tables: folders of public ones, results directories, described Parquet files",
    )
    parser.add_argument(
        "--searches",
        type=int,
        default=12,
        help="replayed searches of each group of tables, spread over them (default 12); 0 leaves replays out",
    )
    parser.add_argument(
        "--flagship", type=int, default=40, help="flagship searches of each table (default 40)"
    )
    parser.add_argument(
        "--anchors", default="0.1", help="shares of trials that are never stopped (default 0.1)"
    )
    chosen = parser.parse_args()
    recorded = list(tables(chosen.curves)) if chosen.searches or chosen.flagship else []
    gates = [
        Gate(f"CPU seconds of a fit of {size} trials", seconds(size), high=most)
        for size, most in SIZES.items()
    ]
    values: dict[str, Any] = {"planted": {}, "replays": {}}
    for anchors in map(float, chosen.anchors.split(",")):
        if chosen.seeds:
            counts = planted_counts(chosen.seeds, anchors)
            gates += planted_gates(counts, anchors)
            values["planted"][str(anchors)] = counts
        if chosen.searches:
            found, single = replays(recorded, chosen.searches, anchors)
            gates += found
            values["replays"] |= single
    found, values["flagship"] = flagship(recorded, chosen.flagship)
    gates += found
    values["gates"] = [asdict(each) | {"passed": each.passed} for each in gates]
    report(
        "answer_quality",
        ["answer_quality: figures to reach", *(each.line() for each in gates)],
        values,
        chosen.json,
    )


if __name__ == "__main__":
    main()
