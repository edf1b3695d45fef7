"""What two regularisers do together, the network held fixed: the expected error over the plane of their values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wrn_search.analysis.curve_model.effect_curves import adjusted_ends
from wrn_search.analysis.curve_model.model_values import EffectPlane, ModelCell, PlanePoint
from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.design_columns import Array, Axis
from wrn_search.curves.ends.ends_of_cells import expected_errors
from wrn_search.curves.ends.ends_of_trials import PredictedEnd
from wrn_search.curves.observed_curves import DEPTH, WIDTH
from wrn_search.curves.settings_of_cells import back_on_scale, best_setting, end_draws

FIRST = ("dropout", "weight_decay")  # then whatever else was searched, in the order of the model
LEAST_VALUES = 5  # of each: a contour between fewer shows nothing that somebody measured
_GRID = 25  # values a side
_NORMAL = 1.959964


def effect_plane(
    fit: CurveFit, cells: Sequence[ModelCell], ends: Sequence[PredictedEnd]
) -> EffectPlane | None:
    """The plane in the best cell, all else at its best there; None where fewer than two take many values."""
    axes = _axes(fit)
    if len(axes) < 2:
        return None
    x, y = axes[:2]
    cell = min(cells, key=lambda each: each.estimate)
    at = best_setting(fit, (float(cell.depth), cell.widen_factor))
    x_values, y_values = _values(x), _values(y)
    settings = [{**at, x.name: right, y.name: up} for up in y_values for right in x_values]
    ends_there = end_draws(fit, settings)
    errors = expected_errors(fit, ends_there)
    means = errors.mean(0)
    apart = ends_there - ends_there[:, [int(means.argmin())]]
    above = apart.mean(0) - _NORMAL * apart.std(0)  # the quantiles of so few draws would give a ragged edge
    lows, highs = np.quantile(errors, [0.025, 0.975], axis=0)
    fixed = {name: at[name] for name in fit.observations.design.axes if name not in (x.name, y.name)}
    return EffectPlane(
        x=x.name,
        y=y.name,
        x_log=_is_log(x),
        y_log=_is_log(y),
        at={name: int(value) if name == DEPTH else value for name, value in fixed.items()},
        x_values=tuple(x_values),
        y_values=tuple(y_values),
        errors=_rows(means),
        lows=_rows(lows),
        highs=_rows(highs),
        above=_rows(above),
        trials=tuple(
            PlanePoint(trial, float(right), float(up), error, ended)
            for trial, (right, up), error, ended in adjusted_ends(fit, [x.name, y.name], at, ends)
        ),
    )


def _axes(fit: CurveFit) -> list[Axis]:
    """Numeric hyperparameters beside depth and width that took many values, dropout and weight decay first."""
    axes = fit.observations.design.axes
    names = [name for name in FIRST if name in axes]
    names += [name for name in axes if name not in (*FIRST, DEPTH, WIDTH)]
    return [axes[name] for name in names if not axes[name].levels and axes[name].distinct >= LEAST_VALUES]


def _values(axis: Axis) -> list[float]:
    places = np.linspace(axis.low, axis.high, _GRID)
    return [back_on_scale(axis, float(place - axis.centre) / axis.unit) for place in places]


def _is_log(axis: Axis) -> bool:
    return axis.scale in ("log10", "log2")


def _rows(values: Array) -> tuple[tuple[float, ...], ...]:
    """(_GRID * _GRID,) as rows."""
    return tuple(tuple(map(float, row)) for row in values.reshape(_GRID, _GRID))
