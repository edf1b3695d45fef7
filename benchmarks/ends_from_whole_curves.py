"""How well ends can be foretold at all: by trees that know the whole curves of every other trial of a table.

The replayed searches of `answer_quality`, their hidden ends, and the same ratio of errors to those of the last value.
Extremely randomized trees (Geurts, Ernst & Wehenkel, Machine Learning 63, 2006) see the hyperparameters and all epochs
up to where a trial was stopped, and learn from the trials that the search did not stop or never began: hundreds of
ends, where a search has ten or twenty. What they miss is mostly not in what a search has.

    python -m benchmarks.ends_from_whole_curves [--curves PLACE...] [--searches 1] [--anchors 0.1] [--json FILE]
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from benchmarks.measuring import options, report
from benchmarks.recorded_curves import RecordedCurves, replayed, tables
from wrn_search.curves.curve_likelihood import log_odds
from wrn_search.curves.design_columns import Array, design_of
from wrn_search.curves.observed_curves import CurveTrial, ObservedCurves

TRIALS = 64
_TREES, _LEAF = 200, 2


@dataclass
class Errors:
    """Hidden ends, and sums of squared errors (points) of what is foretold and of the last value."""

    count: int = 0
    square: float = 0.0
    square_of_last: float = 0.0

    @property
    def ratio(self) -> float:
        """RMSE over that of the last value."""
        return math.sqrt(self.square / self.square_of_last)


def foretold(table: ObservedCurves, hidden: set[str], stopped: list[CurveTrial], epoch: int) -> Array:
    """(N,) percent: ends of whole trainings known up to an epoch, from those of a table that are not hidden."""
    design = design_of(table)
    plain = [place for place, each in enumerate(design.columns) if each.group in ("size", "main")]
    known = [each for each in table.trials if each.status == "completed" and each.trial not in hidden]

    def features(trials: list[CurveTrial]) -> Array:
        seen = log_odds(np.array([each.wrong[:epoch] for each in trials]), table.images, table.images)
        return np.hstack([design.rows([each.hyperparameters for each in trials])[:, plain], seen])

    def percent(trials: list[CurveTrial], at: int) -> Array:
        return np.array([100 * each.wrong[at] / table.images for each in trials])

    trees = ExtraTreesRegressor(_TREES, min_samples_leaf=_LEAF, random_state=0)
    trees.fit(features(known), percent(known, -1) - percent(known, epoch - 1))
    told: Array = percent(stopped, epoch - 1) + trees.predict(features(stopped))
    return told


def errors_of(table: RecordedCurves, rungs: tuple[int, ...], seed: int, anchors: float) -> Errors:
    """Of one replayed search."""
    cut, hidden = replayed(table.full, rungs, TRIALS, seed, anchors=anchors)
    whole = {each.trial: each for each in table.full.trials}
    found = Errors()
    for epoch in sorted({each.epochs[-1] for each in cut.trials if each.trial in hidden}):
        names = [each.trial for each in cut.trials if each.trial in hidden and each.epochs[-1] == epoch]
        ends = np.array([hidden[name] for name in names])
        last = np.array([100 * whole[name].wrong[epoch - 1] / cut.images for name in names])
        told = foretold(table.full, set(hidden), [whole[name] for name in names], epoch)
        found.count += len(names)
        found.square += float(((told - ends) ** 2).sum())
        found.square_of_last += float(((last - ends) ** 2).sum())
    return found


def main() -> None:
    """Measures and prints."""
    parser = options(__doc__, rounds=1)
    parser.add_argument("--curves", type=Path, nargs="*", default=[], metavar="PLACE")
    parser.add_argument("--searches", type=int, default=1, help="replayed searches of each table (default 1)")
    parser.add_argument("--anchors", type=float, default=0.1, help="share never stopped (default 0.1)")
    chosen = parser.parse_args()
    groups: dict[str, Errors] = defaultdict(Errors)
    for table in tables(chosen.curves):
        for rungs in table.rungs:
            where = f"{table.group}, {'tuned on' if table.tuning else 'held out'}, rungs {rungs}"
            for seed in range(chosen.searches):
                one = errors_of(table, rungs, seed, chosen.anchors)
                for name, value in asdict(one).items():
                    setattr(groups[where], name, getattr(groups[where], name) + value)
            print(f"{table.name}, rungs {rungs}: {groups[where]}", file=sys.stderr, flush=True)
    lines = [f"  {where:<60}{each.count:>6}{each.ratio:>8.3f}" for where, each in groups.items()]
    head = "ends_from_whole_curves: hidden ends, RMSE / last value's"
    values = {where: asdict(each) | {"ratio": each.ratio} for where, each in groups.items()}
    report("ends_from_whole_curves", [head, *lines], {"groups": values}, chosen.json)


if __name__ == "__main__":
    main()
