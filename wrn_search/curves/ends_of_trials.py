"""The end of every trial, also of those that run or were stopped: predicted from its curve, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.curve_likelihood import Observations, Variances, precisions
from wrn_search.curves.design_columns import Array

_NORMALS = 16  # a draw of the variances; a fixed set of quantiles, so nothing is left to chance


@dataclass(frozen=True)
class PredictedEnd:
    """The error that would be measured at the end.

    Attributes:
        trial: its name.
        estimate, low, high: percent; the median and a 95 % interval.
        measured: percent, where the trial has an end.
    """

    trial: str
    estimate: float
    low: float
    high: float
    measured: float | None


def ends_of_trials(fit: CurveFit) -> tuple[PredictedEnd, ...]:
    """A prediction for each trial of the fit, as if its end had not been seen only where it was not.

    A trial with an end keeps it: estimate, low and high are what was measured.
    """
    of = fit.observations
    means, deviations = end_moments(fit)
    quantiles = _normal_quantiles(_NORMALS)
    log_odds = (
        (means[:, :, None] + deviations[:, :, None] * quantiles).transpose(1, 0, 2).reshape(len(of.z), -1)
    )
    percent = 100 / (1 + np.exp(-np.quantile(log_odds, [0.5, 0.025, 0.975], axis=1)))
    ends = []
    for row, trial in enumerate(fit.trials):
        measured = None
        if of.seen[row, -1]:
            measured = 100 * trial.wrong[-1] / fit.table.images
            values: Sequence[float] = (measured,) * 3
        else:
            values = [float(each) for each in percent[:, row]]
        ends.append(PredictedEnd(trial.trial, values[0], values[1], values[2], measured))
    return tuple(ends)


def end_moments(fit: CurveFit) -> tuple[Array, Array]:
    """(S, N) mean and deviation of z at the end for each draw, given the trial's curve and its repeats' curves."""
    moments = [
        _moments(fit.observations, variances, row)
        for variances, row in zip(fit.variances, fit.draws, strict=True)
    ]
    return np.array([mean for mean, _ in moments]), np.array([deviation for _, deviation in moments])


def expected_curves(of: Observations, at: Variances, draw: Array) -> Array:
    """(C, J) m + x'b + phi x'd of each configuration."""
    rungs, columns = of.z.shape[1], of.x.shape[1]
    late = of.x @ draw[rungs : rungs + columns]
    early = of.x[:, of.early_columns] @ draw[rungs + columns :]
    curves: Array = draw[:rungs] + late[:, None] + early[:, None] * at.phi
    return curves


def effects_of_configurations(of: Observations, at: Variances, draw: Array) -> tuple[Array, Array]:
    """(C, 2) mean and (C, 2, 2) covariance of u and v of the configurations, given coefficients and curves.

    The share of the seed's effects is not in them.
    """
    weights, _ = precisions(of, at, 1 - at.share)
    residual = np.where(of.seen, of.z - expected_curves(of, at, draw)[of.of], 0.0)
    basis = at.basis
    count = len(of.x)
    information, pull = np.zeros((count, 2, 2)), np.zeros((count, 2))
    np.add.at(information, of.of, basis.T @ weights @ basis)
    np.add.at(pull, of.of, np.einsum("ijk,ik->ij", weights, residual) @ basis)
    effects = at.share * at.effects
    inner = np.eye(2) + effects @ information
    covariance = np.linalg.solve(inner, np.broadcast_to(effects, inner.shape))
    return np.einsum("cab,cb->ca", covariance, pull), covariance


def _moments(of: Observations, at: Variances, draw: Array) -> tuple[Array, Array]:
    seed_share = 1 - at.share if of.repeated else 1.0
    weights, _ = precisions(of, at, seed_share)
    expected = expected_curves(of, at, draw)[of.of]
    residual = np.where(of.seen, of.z - expected, 0.0)
    basis = at.basis
    shared = at.of_trial(seed_share)[-1]  # (J,) of the end with the rungs
    gain = np.where(of.seen, shared, 0.0)[:, None, :] @ weights  # (N, 1, J)
    gain = gain[:, 0]
    mean = expected[:, -1]
    explained = (gain * np.where(of.seen, shared, 0.0)).sum(1)
    counted = _count_variance_at_end(of, mean)
    variance = shared[-1] - explained + at.of_epochs(counted)[:, -1]
    if of.repeated:
        effect, covariance = effects_of_configurations(of, at, draw)
        residual = np.where(of.seen, residual - (effect @ basis.T)[of.of], 0.0)
        through = basis[-1] - gain @ basis  # (N, 2): what the configuration's effects still do to the end
        variance = variance + np.einsum("na,nab,nb->n", through, covariance[of.of], through)
        mean = mean + effect[of.of] @ basis[-1]
    return mean + (gain * residual).sum(1), np.sqrt(variance)


def _count_variance_at_end(of: Observations, mean: Array) -> Array:
    """(N, J) with the last column right: counting variance of an end whose log-odds are `mean`."""
    counted = of.count_variance.copy()
    share = 1 / (1 + np.exp(-mean))
    counted[:, -1] = 1 / (of.images * share + 0.5) + 1 / (of.images * (1 - share) + 0.5)
    return counted


def _normal_quantiles(count: int) -> Array:
    from scipy.special import ndtri

    quantiles: Array = ndtri((np.arange(count) + 0.5) / count)
    return quantiles
