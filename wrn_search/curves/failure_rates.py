"""Crashed and diverged trials: a rate by cell, beside the error, with every trial in its denominator."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from wrn_search.curves.design_columns import Array, cell_of, design_of
from wrn_search.curves.observed_curves import ObservedCurves

_INTERCEPT = (
    -3.0,
    2.0,
)  # prior mean and deviation of the log-odds in the middle of the trials: 5 %, 0.1 to 72 %
_SLOPE = 1.0  # prior deviation of every other coefficient
_NORMAL = 1.959964


@dataclass(frozen=True)
class FailureRate:
    """How often trainings of a cell fail.

    Attributes:
        depth, widen_factor: of the cell.
        rate, low, high: percent with a 95 % interval; everything else in the middle of the trials.
        failed, n: of the cell's own trials that ended.
    """

    depth: float
    widen_factor: float
    rate: float
    low: float
    high: float
    failed: int
    n: int


def failure_rates(
    table: ObservedCurves,
    statuses: Collection[str] = ("diverged",),
    cells: Sequence[tuple[float, float]] | None = None,
) -> tuple[FailureRate, ...]:
    """Logistic regression of failure on the hyperparameters, Gaussian priors, by Laplace's approximation.

    Gelman et al., Ann. Appl. Stat. 2 (2008) on why the priors: a cell in which all or none failed has a finite rate.

    Args:
        statuses: that count as failed; all trials but the running ones are in the denominator.
        cells: (depth, widen_factor) of each; those tried if None.
    """
    design = design_of(table)
    ended = [each for each in table.trials if each.status != "running"]
    tried = sorted({cell_of(each.hyperparameters) for each in table.trials})
    main = [
        index
        for index, column in enumerate(design.columns)
        if column.group in ("size", "main") and len(column.factors) == 1
    ]
    rows = np.array([[1.0, *design.row(each.hyperparameters)[main]] for each in ended]).reshape(
        len(ended), -1
    )
    rows = rows if len(ended) else np.empty((0, 1 + len(main)))
    failed = np.array([each.status in statuses for each in ended], dtype=float)
    mean, covariance = _logistic_regression(rows, failed)
    where = [cell_of(each.hyperparameters) for each in ended]
    told = []
    for cell in tried if cells is None else cells:
        setting = {**dict(table.trials[0].hyperparameters), **design.constants}
        centre = np.zeros(len(design.columns))
        for index, column in enumerate(design.columns):
            if column.name in ("depth", "widen_factor"):
                axis = design.axes[column.name]
                centre[index] = axis.value(cell[0] if column.name == "depth" else cell[1])
                setting[column.name] = cell[0] if column.name == "depth" else cell[1]
        row = np.array([1.0, *centre[main]])
        middle, spread = float(row @ mean), float(np.sqrt(row @ covariance @ row))
        rate, low, high = (
            float(100 / (1 + np.exp(-middle - step * spread))) for step in (0.0, -_NORMAL, _NORMAL)
        )
        count = sum(bool(value) for value, place in zip(failed, where, strict=True) if place == cell)
        told.append(FailureRate(*cell, rate, low, high, count, where.count(cell)))
    return tuple(told)


def _logistic_regression(rows: Array, failed: Array) -> tuple[Array, Array]:
    """Mode and covariance of the coefficients, by Newton's method with halved steps."""
    size = rows.shape[1]
    prior_mean = np.array([_INTERCEPT[0], *[0.0] * (size - 1)])
    precision = np.diag([_INTERCEPT[1] ** -2.0, *[_SLOPE**-2.0] * (size - 1)])

    def loss(at: Array) -> float:
        linear = rows @ at
        fit = np.logaddexp(0, linear) - failed * linear
        return float(fit.sum() + 0.5 * (at - prior_mean) @ precision @ (at - prior_mean))

    mean = prior_mean
    curvature = precision
    for _ in range(50):
        chance = 1 / (1 + np.exp(-rows @ mean))
        slope = rows.T @ (chance - failed) + precision @ (mean - prior_mean)
        curvature = rows.T @ ((chance * (1 - chance))[:, None] * rows) + precision
        step = np.linalg.solve(curvature, slope)
        while loss(mean - step) > loss(mean) + 1e-12 and float(np.abs(step).max()) > 1e-9:
            step = step / 2
        mean = mean - step
        if float(np.abs(step).max()) < 1e-8:
            break
    return mean, np.linalg.inv(curvature)
