"""The flagship search replayed on recorded curves of Wide Residual Networks: what does it say of depth and width?

`search_spaces/cifar_width_depth.yaml`, its search section as it is (TPE, ASHA, anchors), over the table's own depths,
widening factors and whatever else the table varies; a proposal becomes the nearest recorded training. The truth is the
same model's answer from all trainings of the table, each to its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.recorded_curves import RecordedCurves, scheduled_rungs
from wrn_search.curves.curve_fit import fit
from wrn_search.curves.effects import DEPTH_VS_WIDTH, Effect, effects
from wrn_search.curves.observed_curves import DEPTH, WIDTH, ObservedCurves, Status
from wrn_search.replay.curve_table import CurveTable
from wrn_search.replay.methods import Method, space_of
from wrn_search.replay.our_search import OurSearch
from wrn_search.replay.simulated_clock import Begun, Clock
from wrn_search.space.space_file import read_space

FLAGSHIP = Path(__file__).parents[1] / "search_spaces" / "cifar_width_depth.yaml"


@dataclass
class Sentences:
    """What searches said of depth against width.

    Attributes:
        truth, truth_low, truth_high: the factor from all trainings, below 1 for depth.
        searches: how many were replayed.
        told: with an interval.
        right: of the side of the truth, or `undecided`, or `no difference`.
        decided: the interval left 1.
        covered: the truth lies in the interval.
        width: sum of the intervals' widths, in log-odds.
    """

    truth: float
    truth_low: float
    truth_high: float
    searches: int = 0
    told: int = 0
    right: int = 0
    decided: int = 0
    covered: int = 0
    width: float = 0.0


def sentences(recorded: RecordedCurves, searches: int) -> Sentences | None:
    """Searches on a table; None where it cannot be searched, does not vary depth and width, or stops nobody."""
    table = recorded.table
    if table is None or not scheduled_rungs(table):
        return None
    varied = [{each.hyperparameters.get(name) for each in recorded.full.trials} for name in (DEPTH, WIDTH)]
    if min(map(len, varied)) < 2:
        return None
    truth = _depth_vs_width(replace(recorded.full, rungs=scheduled_rungs(table)), 0)
    assert truth is not None
    said = Sentences(truth.effect, truth.low, truth.high)
    for seed in range(searches):
        found = _depth_vs_width(flagship_search(recorded, table, seed), seed)
        said.searches += 1
        if found is None:
            continue
        said.told += 0 < found.low < found.high < math.inf
        decided = found.verdict in ("helps", "hurts")
        said.decided += decided
        said.right += not decided or (found.effect < 1) == (truth.effect < 1)
        said.covered += found.low <= truth.effect <= found.high
        said.width += math.log(found.high / found.low)
    return said


def flagship_search(recorded: RecordedCurves, table: CurveTable, seed: int) -> ObservedCurves:
    """One search of the flagship's section `search` on a table, one worker, as it would be on record."""
    search = read_space(FLAGSHIP).search
    kept = ("rungs", "reduction_factor", "grace_period", "promote", "anchors")
    settings = tuple(f"search.{name}={getattr(search, name)}" for name in kept)
    method = Method("flagship", search.searcher, search.scheduler, settings)
    player = OurSearch(space_of(table, method, (), search.trials, seed), table, 1, Clock())
    by_name = {each.trial: each for each in recorded.full.trials}
    trials = {}  # one that rested at a rung begins again
    for begun in iter(player.next_trial, None):
        place = next(at for at, each in enumerate(table.curves[begun.configuration]) if each is begun.curve)
        whole = by_name[f"{begun.configuration}.{place}"]
        status, epochs = _trained(player, begun, table.epochs)
        trials[begun.trial] = replace(
            whole,
            trial=str(begun.trial),
            epochs=whole.epochs[:epochs],
            wrong=whole.wrong[:epochs],
            status=status,
            anchor=player.state.trials[begun.trial].anchor,
        )
    return replace(recorded.full, trials=tuple(trials.values()), rungs=scheduled_rungs(table))


def _trained(player: OurSearch, begun: Begun, last: int) -> tuple[Status, int]:
    """(status, epochs) of a trial that the search lets train."""
    for epoch in range(begun.epochs_done + 1, last + 1):
        if epoch > len(begun.curve.errors):
            player.diverged(begun.trial, epoch)
            return "diverged", epoch - 1
        heard = epoch == last or player.hears(epoch)
        goes_on = not heard or player.reported(begun.trial, epoch, float(begun.curve.errors[epoch - 1]))
        if not goes_on and epoch < last:
            return "stopped", epoch
    return "completed", last


def _depth_vs_width(table: ObservedCurves, seed: int) -> Effect | None:
    found: Iterator[Effect] = (each for each in effects(fit(table, seed)) if each.question == DEPTH_VS_WIDTH)
    return next(found, None)
