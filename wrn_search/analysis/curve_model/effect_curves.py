"""What each hyperparameter beside depth and width does, the network held fixed; and how much each does of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from wrn_search.analysis.curve_model.model_values import EffectCurve, EffectPoint, ModelCell, Share
from wrn_search.analysis.input_tables.shared_values import Value
from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.design_columns import Array, Axis
from wrn_search.curves.effects import Effect
from wrn_search.curves.ends.ends_of_cells import expected_errors
from wrn_search.curves.ends.ends_of_trials import PredictedEnd
from wrn_search.curves.observed_curves import DEPTH, WIDTH
from wrn_search.curves.settings_of_cells import Setting, back_on_scale, best_setting, end_draws

_GRID = 25  # values of a curve
MOST_POINTS = 600  # trials drawn beside a curve, an even choice
_LEAST = 0.05  # percent: an adjusted error that is drawn on a logarithm


def effect_curves(
    fit: CurveFit, effects: Sequence[Effect], cells: Sequence[ModelCell], ends: Sequence[PredictedEnd]
) -> tuple[EffectCurve, ...]:
    """A curve for each hyperparameter that varies, in the best cell with all else at its best there."""
    cell = min(cells, key=lambda each: each.estimate)
    at = best_setting(fit, (float(cell.depth), cell.widen_factor))
    axes = [axis for axis in fit.observations.design.axes.values() if axis.name not in (DEPTH, WIDTH)]
    found = {effect.question: effect for effect in effects}
    return tuple(_curve(fit, axis, at, found.get(axis.name), ends) for axis in axes)


def _curve(
    fit: CurveFit, axis: Axis, at: Setting, effect: Effect | None, trials: Sequence[PredictedEnd]
) -> EffectCurve:
    values: list[float | str] = list(axis.levels)
    if not values:
        places = np.linspace(axis.low, axis.high, _GRID)
        values = [back_on_scale(axis, float(place - axis.centre) / axis.unit) for place in places]
    ends = end_draws(fit, [{**at, axis.name: value} for value in values])
    errors = expected_errors(fit, ends)
    lows, highs = np.quantile(errors, [0.025, 0.975], axis=0)
    columns = zip(values, errors.mean(0), lows, highs, strict=True)
    design = fit.observations.design
    fixed: dict[str, Value] = {name: at[name] for name in design.axes if name != axis.name}
    return EffectCurve(
        name=axis.name,
        log=axis.scale in ("log10", "log2"),
        categorical=bool(axis.levels),
        at={name: int(value) if name == DEPTH else value for name, value in fixed.items()},
        points=tuple((value, float(mean), float(low), float(high)) for value, mean, low, high in columns),
        trials=tuple(
            EffectPoint(trial, value, error, ended)
            for trial, (value,), error, ended in adjusted_ends(fit, [axis.name], at, trials)
        ),
        best=effect.best if effect else None,
        best_low=effect.best_low if effect else None,
        best_high=effect.best_high if effect else None,
        span=_span(values, ends),
    )


def _span(values: Sequence[float | str], ends: Array) -> tuple[Value, Value, float, float, float]:
    """What the worst value tried does against the best one, of draws (S, M) of the log-odds."""
    means = ends.mean(0)
    best, worst = int(means.argmin()), int(means.argmax())
    middle, low, high = np.exp(np.quantile(ends[:, worst] - ends[:, best], [0.5, 0.025, 0.975]))
    return values[best], values[worst], float(middle), float(low), float(high)


def adjusted_ends(
    fit: CurveFit, names: Sequence[str], at: Setting, ends: Sequence[PredictedEnd]
) -> list[tuple[int, tuple[float | str, ...], float, bool]]:
    """(trial, its own values of `names`, error in percent, whether it has an end): partial residuals.

    Each trial's end is moved by what the model says of all other settings, from its own to those of `at`. An even
    choice of at most `MOST_POINTS` or so; trials that learned nothing have an end and are in no fit.
    """
    design, late = fit.observations.design, fit.late.mean(0)
    fitted = {each.trial: each.hyperparameters for each in fit.trials}
    ends = [each for each in ends if each.trial in fitted]
    found = []
    for end in ends[:: 1 + len(ends) // MOST_POINTS]:
        own = fitted[end.trial]
        moved = {**at, **{name: own[name] for name in names}}
        shift = float((design.row(moved) - design.row(own)) @ late)
        share = min(99.95, max(_LEAST, end.estimate)) / 100
        odds = share / (1 - share) * np.exp(shift)
        values = tuple(own[name] for name in names)
        found.append((int(end.trial), values, float(100 * odds / (1 + odds)), end.measured is not None))
    return found


def importance_of_model(fit: CurveFit) -> tuple[Share, ...]:
    """Shares of the variance that the main effects have where each hyperparameter is drawn evenly over its values.

    Evenly on its scale between the lowest and highest value tried (depth, width and levels: over the values tried),
    so the shares do not follow from where an adaptive search looked. They sum to 1 in every draw.
    """
    axes = fit.observations.design.axes
    variances = {name: _main_variance(fit, axis) for name, axis in axes.items()}
    if not variances:
        return ()
    total = np.maximum(sum(variances.values()), 1e-300)
    told = []
    for name, variance in variances.items():
        shares = variance / total
        low, high = np.quantile(shares, [0.025, 0.975])
        told.append(Share(name, float(shares.mean()), float(low), float(high)))
    return tuple(sorted(told, key=lambda each: (-each.share, each.name)))


def _main_variance(fit: CurveFit, axis: Axis) -> Array:
    """(S,) variance of what one hyperparameter alone does to the log-odds of an error."""
    design = fit.observations.design
    values: list[float | str] = list(axis.levels)
    if axis.name in (DEPTH, WIDTH):
        values = sorted({trial.hyperparameters[axis.name] for trial in fit.table.trials}, key=float)
    elif not values:
        places = np.linspace(axis.low, axis.high, _GRID)
        values = [back_on_scale(axis, float(place - axis.centre) / axis.unit) for place in places]
    own = [
        bool(each.factors) and {name for name, _ in each.factors} == {axis.name} for each in design.columns
    ]
    rows = np.array([design.row({axis.name: value}) for value in values])
    variance: Array = (fit.late[:, own] @ rows[:, own].T).var(axis=1)
    return variance


def best_values(curves: Sequence[EffectCurve]) -> Mapping[str, tuple[float, float, float]]:
    """Name -> (value with the lowest expected error, its 95 % range), where the effect may bend."""
    return {
        each.name: (each.best, each.best_low, each.best_high)
        for each in curves
        if each.best is not None and each.best_low is not None and each.best_high is not None
    }
