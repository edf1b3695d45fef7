"""Which cells a space has, and at which setting of everything else a cell is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.design_columns import Array, Axis, cell_of
from wrn_search.curves.observed_curves import DEPTH, WIDTH

Setting = Mapping[str, float | str]
_MOST_VALUES = 12  # of depth or width; beyond, only cells that were tried are told
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
_POINTS = 9  # of an axis, where its best value is looked for


def cells_of(fit: CurveFit) -> tuple[tuple[float, float], ...]:
    """Every (depth, widen_factor) that the trials span: all pairs of their values, or those tried if there are many.

    A hyperparameter that the trials do not name counts as 0.
    """
    tried = sorted({cell_of(each.hyperparameters) for each in fit.table.trials})
    depths, widths = sorted({depth for depth, _ in tried}), sorted({width for _, width in tried})
    if max(len(depths), len(widths)) > _MOST_VALUES:
        return tuple(tried)
    return tuple((depth, width) for depth in depths for width in widths)


def in_cell(fit: CurveFit, cell: tuple[float, float], at: Setting) -> dict[str, float | str]:
    """A setting of everything: the cell's depth and width, `at`, and the middle of what `at` leaves open."""
    design = fit.observations.design
    setting: dict[str, float | str] = dict(design.constants)
    for axis in design.axes.values():
        setting[axis.name] = axis.levels[0] if axis.levels else back_on_scale(axis, 0.0)
    setting |= at
    for name, value in zip((DEPTH, WIDTH), cell, strict=True):
        if name in fit.table.trials[0].hyperparameters:
            setting[name] = value
    return setting


def back_on_scale(axis: Axis, position: float) -> float:
    """The value of a hyperparameter at a position of its axis."""
    scaled = float(axis.centre + axis.unit * position)
    if axis.scale == "linear":
        return scaled
    if axis.scale == "log10":
        return float(10.0**scaled)
    return float(2.0**scaled) + (4 if axis.scale == "blocks" else 0)


def best_setting(
    fit: CurveFit, cell: tuple[float, float], fixed: Setting | None = None
) -> dict[str, float | str]:
    """Where a cell's expected end is lowest, within the values seen: each hyperparameter in turn, twice around.

    Args:
        fixed: hyperparameters that are not looked for, such as the block of a network; what does not apply to the
            cell is not either.
    """
    design, late = fit.observations.design, fit.late.mean(0)
    fixed = {
        **{name: each for name, each in fit.table.held(cell).items() if name in design.axes},
        **(fixed or {}),
    }
    setting = in_cell(fit, cell, fixed)
    for axis in [*design.axes.values()] * 2:
        if axis.name in (DEPTH, WIDTH, *fixed):
            continue
        options: Sequence[float | str] = axis.levels or [
            back_on_scale(axis, (each - axis.centre) / axis.unit)
            for each in np.linspace(axis.low, axis.high, _POINTS)
        ]
        ends = [float(design.row({**setting, axis.name: option}) @ late) for option in options]
        setting[axis.name] = options[int(np.argmin(ends))]
    return setting


def end_draws(fit: CurveFit, settings: Sequence[Setting]) -> Array:
    """(S, M) log-odds of the error at the end for each draw and setting, before what seeds and the unmodelled add.

    A cell that was never tried gets an effect drawn from those of its kind, the same for all its settings.
    """
    design = fit.observations.design
    if not settings:
        return np.empty((len(fit.draws), 0))
    rows = np.array([design.row(each) for each in settings])
    ends: Array = fit.end_level[:, None] + fit.late @ rows.T
    unknown = sorted({cell_of({**design.constants, **each}) for each in settings if design.new_cell(each)})
    if unknown:
        generator = np.random.default_rng([fit.seed, 1])
        width = np.array([each.groups[1] for each in fit.variances])
        effects = width[:, None] * generator.standard_normal((len(fit.draws), len(unknown)))
        for column, each in enumerate(settings):
            if design.new_cell(each):
                ends[:, column] += effects[:, unknown.index(cell_of({**design.constants, **each}))]
    return ends


def mean_error(fit: CurveFit, log_odds: Array, deviation: Array) -> Array:
    """Percent: the mean of the error whose log-odds are Gaussian (Gauss-Hermite, 7 nodes); shapes broadcast."""
    share = 1 / (1 + np.exp(-(log_odds[..., None] + deviation[..., None] * _NODES)))
    mean: Array = fit.ceiling * (share * _WEIGHTS).sum(-1) / _WEIGHTS.sum()
    return mean


def spreads(fit: CurveFit) -> tuple[Array, Array]:
    """(S,) deviations at the end between configurations of equal x, and between seeds of one configuration."""
    of_all = np.array([each.effects[0, 0] for each in fit.variances])
    share = np.array([each.share for each in fit.variances])
    return np.sqrt(share * of_all), np.sqrt((1 - share) * of_all)
