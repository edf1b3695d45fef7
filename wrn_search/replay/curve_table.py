"""A table of recorded learning curves: what a search is played against."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wrn_search.decisions.image_facts import DataFacts
from wrn_search.searchers.searcher import Hparams
from wrn_search.space.domains import Domain
from wrn_search.space.space import Space

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RecordedCurve:
    """One training: its validation error after each epoch, from the first one on."""

    errors: Floats  # (E,) percent; shorter than the table's epochs where it diverged or was stopped
    seconds: Floats  # (E,) what each epoch took, in seconds or in the table's unit of cost
    diverged: bool = False  # in the epoch after the last one
    number: int | None = None  # of the trial in the search that recorded it


@dataclass(frozen=True, eq=False)
class CurveTable:
    """Configurations with the curves of one or several seeds each."""

    name: str
    space: Space  # with the table's domains; its `search` section is what a method changes
    configurations: tuple[Hparams, ...]
    curves: tuple[tuple[RecordedCurve, ...], ...]  # of each configuration, a curve for each seed
    facts: DataFacts
    in_seconds: bool  # whether costs are seconds, so that hours can be told
    unit: str = "percent"  # of the errors as recorded; `loss`: they were scaled to 0 to 100
    left_out: int = 0  # trainings of the source that are not here: their ends are not known
    depth: str = "depth"  # the hyperparameter that is the network's depth
    width: str = "widen_factor"
    sizes: tuple[int, ...] = ()  # parameters of each configuration, where its network is none of ours
    shared: bool = (
        False  # whether no epoch had its device alone, so that the seconds are of epochs beside others
    )

    @property
    def epochs(self) -> int:
        """Of a whole training."""
        return self.space.training.epochs

    @property
    def hyperparameters(self) -> Mapping[str, Domain]:
        """What is searched."""
        return self.space.hyperparameters

    @property
    def seeds(self) -> int:
        """That every configuration has at least."""
        return min(len(curves) for curves in self.curves)

    def end_of(self, curve: RecordedCurve) -> float:
        """Percent: the error of the last epoch; that of chance where it diverged; NaN where nobody knows."""
        if curve.diverged:
            return self.facts.chance_error
        return float(curve.errors[-1]) if len(curve.errors) >= self.epochs else math.nan

    @property
    def ends(self) -> Floats:
        """(C,) percent: the mean end of each configuration over its seeds; NaN where none is recorded."""
        means = []
        for curves in self.curves:
            ends = [end for end in map(self.end_of, curves) if not math.isnan(end)]
            means.append(sum(ends) / len(ends) if ends else math.nan)
        return np.array(means)

    def with_seeds(self, least: int) -> CurveTable | None:
        """Only the configurations with so many seeds; None if there are none."""
        kept = [place for place, curves in enumerate(self.curves) if len(curves) >= least]
        if not kept:
            return None
        return replace(
            self,
            configurations=tuple(self.configurations[place] for place in kept),
            curves=tuple(self.curves[place] for place in kept),
        )


def regret_of(ends: Floats) -> Floats:
    """(C,): how far each configuration's end is from the table's best, its median being 1.

    Where half of the table is as good as the best, the scale is the mean distance; where all are, every regret is 0.
    """
    above = ends - np.nanmin(ends)
    scale = np.nanmedian(above) or np.nanmean(above)
    return above / scale if scale > 0 else above
