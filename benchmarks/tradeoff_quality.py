"""How many epochs a search spends until depth against width is answered right, by its goal.

Each method is played on tables of recorded curves that vary depth and width. The curves as they stand after every
`--step` epochs are fitted as the report fits them. The right verdict is that of the same model from all trainings of
the table, each to its end; it counts from the step on after which it is given at every further one, to the end of the
search or of the budget. A search that ends before has never given it.

    python -m benchmarks.tradeoff_quality [--curves PLACE...] [--seeds 30] [--budget 30] [--step 25] [--json FILE]
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.measuring import options, report
from benchmarks.recorded_curves import RecordedCurves, scheduled_rungs, tables
from wrn_search.curves.curve_fit import fit
from wrn_search.curves.effects import DEPTH_VS_WIDTH, Effect, effects
from wrn_search.curves.observed_curves import DEPTH, WIDTH, CurveTrial, ObservedCurves, Status
from wrn_search.decisions.rung_epochs import curve_levels, drops_of
from wrn_search.replay.curve_table import CurveTable
from wrn_search.replay.methods import Method, space_of
from wrn_search.replay.our_search import OurSearch
from wrn_search.replay.simulated_clock import Begun, Clock, play

METHODS = (
    Method("goal: tradeoff", "curves", "curves", ("search.goal=tradeoff",)),
    Method("goal: best", "curves", "curves", ("search.goal=best",)),
    Method("random+none", "random", "none"),
    Method("tpe+asha", "tpe", "asha"),
)
DRAWS = 150  # of a fit


@dataclass(frozen=True)
class Found:
    """One search.

    Attributes:
        epochs: until the right verdict was there to stay; None if it never was.
        spent: of the whole search.
    """

    epochs: int | None
    spent: int


class Recording(OurSearch):
    """A search that notes every epoch in its order."""

    def __init__(self, table: CurveTable, method: Method, seed: int):
        super().__init__(space_of(table, method, (), None, seed), table, 1, clock := Clock())
        self.clock, self.log = clock, list[tuple[int, int]]()
        self.begun: dict[int, Begun] = {}  # trial -> what it trains
        self._last_epoch = table.epochs

    def next_trial(self) -> Begun | None:
        """Noted."""
        if (begun := super().next_trial()) is not None:
            self.begun[begun.trial] = begun
        return begun

    def hears(self, epoch: int) -> bool:
        """Everything; its search hears what it would have heard."""
        return True

    def reported(self, trial: int, epoch: int, error: float) -> bool:
        """Noted."""
        self.log.append((trial, epoch))
        unheard = epoch < self._last_epoch and not super().hears(epoch)
        return unheard or super().reported(trial, epoch, error)

    def diverged(self, trial: int, epoch: int) -> None:
        """Noted as an epoch that has no value."""
        self.log.append((trial, epoch))
        super().diverged(trial, epoch)


def searched(
    recorded: RecordedCurves, table: CurveTable, method: Method, seed: int, budget: int
) -> Recording:
    """One play."""
    search = Recording(table, method, seed)
    play(search, table, 1, budget, search.clock)
    return search


def known_after(
    recorded: RecordedCurves, search: Recording, epochs: int, rungs: Sequence[int]
) -> ObservedCurves:
    """The curves as they stood on record after so many epochs of a search."""
    table = recorded.table
    assert table is not None
    whole = {each.trial: each for each in recorded.full.trials}
    trials: list[CurveTrial] = []
    for trial, last in dict(search.log[:epochs]).items():
        begun = search.begun[trial]
        place = next(at for at, each in enumerate(table.curves[begun.configuration]) if each is begun.curve)
        curve = whole[f"{begun.configuration}.{place}"]
        seen = min(last, len(curve.epochs))
        status: Status = "stopped" if last < table.epochs else "completed"
        status = "diverged" if seen < last else status
        trials.append(
            replace(
                curve, trial=str(trial), epochs=curve.epochs[:seen], wrong=curve.wrong[:seen], status=status
            )
        )
    return replace(recorded.full, trials=tuple(trials), rungs=tuple(rungs))


def verdict(table: ObservedCurves, seed: int) -> Effect | None:
    """Depth against width by a table; None where nothing can be said."""
    try:
        found: Iterator[Effect] = (
            each for each in effects(fit(table, seed, DRAWS)) if each.question == DEPTH_VS_WIDTH
        )
    except ValueError:  # no training learned anything
        return None
    return next(found, None)


def found_by(
    recorded: RecordedCurves, method: Method, seed: int, right: str, budget: int, step: int
) -> Found:
    """Looks from the end of a search back to where the verdict was not yet right."""
    table = recorded.table
    assert table is not None
    search = Recording(table, method, seed)
    play(search, table, 1, budget, search.clock)
    rungs = curve_levels(drops_of(table.space), table.epochs)
    spent = len(search.log)
    first = None
    for epochs in sorted({*range(step, spent, step), spent}, reverse=True):
        effect = verdict(known_after(recorded, search, epochs, rungs), seed)
        if effect is None or effect.verdict != right:
            break
        first = epochs
    return Found(first, spent)


def median_epochs(found: Sequence[Found]) -> float:
    """Infinite where half of the searches never gave the right verdict."""
    return statistics.median(float("inf") if each.epochs is None else each.epochs for each in found)


def usable(recorded: RecordedCurves) -> bool:
    """Whether a table can be searched and varies depth and width."""
    varied = [{each.hyperparameters.get(name) for each in recorded.full.trials} for name in (DEPTH, WIDTH)]
    return recorded.table is not None and bool(scheduled_rungs(recorded.table)) and min(map(len, varied)) > 1


def main() -> None:
    """Plays, fits and prints."""
    parser = options(__doc__, rounds=1)
    parser.add_argument(
        "--curves",
        type=Path,
        nargs="*",
        default=[],
        metavar="PLACE",
        help="beside the shipped tables: results directories, described Parquet files",
    )
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--budget", type=int, default=30, help="of a search, in whole trainings (default 30)")
    parser.add_argument("--step", type=int, default=25, help="epochs between two fits (default 25)")
    parser.add_argument(
        "--methods", type=int, default=2, help=f"so many of {', '.join(each.name for each in METHODS)}"
    )
    asked = parser.parse_args()
    lines, values = [], {}
    for recorded in filter(usable, tables(asked.curves)):
        table = recorded.table
        assert table is not None
        rungs = curve_levels(drops_of(table.space), table.epochs)
        truth = verdict(replace(recorded.full, rungs=rungs), 0)
        assert truth is not None
        told = f"{truth.effect:.2f} ({truth.low:.2f} to {truth.high:.2f}), {truth.verdict}"
        lines.append(
            f"{recorded.name}: {len(table.configurations)} trainings say {told}; {asked.seeds} seeds"
        )
        if truth.verdict == "undecided":
            lines.append("  the table itself does not tell, so nothing can be right")
            continue
        by_method: dict[str, list[Found]] = {each.name: [] for each in METHODS[: asked.methods]}
        for seed in range(asked.seeds):
            for method in METHODS[: asked.methods]:
                each = found_by(
                    recorded, method, seed, truth.verdict, asked.budget * table.epochs, asked.step
                )
                by_method[method.name].append(each)
            print(
                recorded.name, seed, {name: found[-1] for name, found in by_method.items()}, file=sys.stderr
            )
        lines += [_line(name, found) for name, found in by_method.items()]
        values[recorded.name] = {
            "truth": told,
            "step": asked.step,
            **{name: [vars(each) for each in found] for name, found in by_method.items()},
        }
    report("tradeoff_quality", lines, values, asked.json)


def _line(name: str, found: Sequence[Found]) -> str:
    never = sum(each.epochs is None for each in found)
    spent = statistics.median(each.spent for each in found)
    median = median_epochs(found)
    epochs = "never" if median == float("inf") else f"{median:.0f}"
    some = f"never in {never} of {len(found)} searches, which spent {spent:.0f} (median)"
    return f"  {name:<16}{epochs:>8} epochs (median); {some}"


if __name__ == "__main__":
    main()
