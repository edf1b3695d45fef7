"""What every cell of depth and width would reach at the end, whether anybody trained it to the end or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.design_columns import Array, cell_of
from wrn_search.curves.settings_of_cells import (
    Setting,
    best_setting,
    cells_of,
    end_draws,
    in_cell,
    mean_error,
    spreads,
)

Kind = Literal["measured", "predicted"]


@dataclass(frozen=True)
class CellEnd:
    """The expected error of a network, trained anew with another seed.

    Attributes:
        depth, widen_factor: of the cell.
        at: every other hyperparameter that varies.
        estimate, low, high: percent at the end, the mean over draws and a 95 % interval.
        kind: `measured` where at least one trial of the cell was trained to its end, else `predicted`; the interval is
            the model's either way.
        n: trials of the cell trained to the end.
        trials: trials of the cell with any epoch.
        best: probability that no other cell told beside it has a lower expected error.
    """

    depth: float
    widen_factor: float
    at: Mapping[str, float | str]
    estimate: float
    low: float
    high: float
    kind: Kind
    n: int
    trials: int
    best: float


def ends_of_cells(
    fit: CurveFit, at: Setting | None = None, cells: Sequence[tuple[float, float]] | None = None
) -> tuple[CellEnd, ...]:
    """Every cell with an estimate and an interval.

    Args:
        at: the regularisation at which all are told, by hyperparameter; None tells each at its own best one.
        cells: (depth, widen_factor) of each; those of `cells_of` if None.

    Raises:
        ValueError: `at` holds a level that no trial had.
    """
    cells = cells_of(fit) if cells is None else cells
    settings = [best_setting(fit, cell) if at is None else in_cell(fit, cell, at) for cell in cells]
    ends = end_draws(fit, settings)
    errors = expected_errors(fit, ends)
    best = np.bincount(ends.argmin(1), minlength=len(cells)) / len(ends)
    where = [cell_of(each.hyperparameters) for each in fit.trials]
    ended = [cell for cell, seen in zip(where, fit.observations.seen[:, -1], strict=True) if seen]
    told = []
    for column, (cell, setting) in enumerate(zip(cells, settings, strict=True)):
        low, high = np.quantile(errors[:, column], [0.025, 0.975])
        n = ended.count(cell)
        told.append(
            CellEnd(
                *cell,
                {
                    name: setting[name]
                    for name in fit.observations.design.axes
                    if name not in ("depth", "widen_factor")
                },
                float(errors[:, column].mean()),
                float(low),
                float(high),
                "measured" if n else "predicted",
                n,
                where.count(cell),
                float(best[column]),
            )
        )
    return tuple(told)


def expected_errors(fit: CurveFit, ends: Array) -> Array:
    """(S, M) percent: mean over seeds for draws (S, M) of the log-odds, with what x leaves of configurations."""
    between, seeds = spreads(fit)
    generator = np.random.default_rng([fit.seed, 2])
    # one column of normals for all cells alike: what is told apart are cells, not luck
    lasting = between[:, None] * generator.standard_normal((len(ends), 1))
    return mean_error(fit, ends + lasting, np.broadcast_to(seeds[:, None], ends.shape))
