"""The end of every trial, also of those that run or were stopped: predicted from its curve, with an interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from wrn_search.curves.curve_fit import FREEDOM, CurveFit, most_wrong, wrong_by_guessing
from wrn_search.curves.curve_likelihood import Observations, Variances, count_variance, precisions
from wrn_search.curves.design_columns import Array
from wrn_search.curves.observed_curves import CurveTrial, ObservedCurves
from wrn_search.curves.settings_of_cells import end_draws

_NEAR_CHANCE = 0.9  # of the error of chance: whoever is above may never leave it
_STAY = 3  # trials near chance, of which half of one left it: what is held for likely before any is seen
_QUANTILES = 24  # of Student's t for each draw: nothing is left to chance


@dataclass(frozen=True)
class PredictedEnd:
    """The error that would be measured at the end.

    Attributes:
        trial: its name.
        estimate, low, high: percent; the mean (the median of a trial that has no curve and may never leave chance) and
            a 95 % interval.
        measured: percent, where the trial has an end.
    """

    trial: str
    estimate: float
    low: float
    high: float
    measured: float | None


def ends_of_trials(fit: CurveFit) -> tuple[PredictedEnd, ...]:
    """A prediction for each trial with any epoch that did not diverge, in the order of the table.

    A trial with an end keeps it: estimate, low and high are what was measured. One that is still near chance stays
    there as often as others did, else it ends as its curve lets expect, or its hyperparameters if it learned nothing.
    """
    table = fit.table
    lost = _NEAR_CHANCE * most_wrong(table) if table.chance_error is not None else np.inf
    rows = {each.trial: row for row, each in enumerate(fit.trials)}
    draws = _percent_draws(fit)
    ends = []
    for trial in table.trials:
        if trial.status == "diverged" or not trial.epochs:
            continue
        if trial.epochs[-1] == table.last_epoch:
            measured = 100 * trial.wrong[-1] / table.images
            ends.append(PredictedEnd(trial.trial, measured, measured, measured, measured))
            continue
        values = draws[rows[trial.trial]] if trial.trial in rows else _by_hyperparameters(fit, trial)
        weights = np.full(len(values), 1 / len(values))
        told = _mean_and_interval(values, weights)
        if trial.wrong[-1] >= lost:
            perhaps = _median_and_interval(*_perhaps_lost(table, trial, values, lost))
            # a curve knows its middle better than the crowd does, but not that it will leave chance at all
            middle = told[0] if trial.trial in rows else perhaps[0]
            told = (middle, min(middle, perhaps[1]), max(middle, perhaps[2]))
        ends.append(PredictedEnd(trial.trial, *told, None))
    return tuple(ends)


def _percent_draws(fit: CurveFit) -> Array:
    """(N, draws) of the ends of the fit's trials: quantiles of Student's t for each draw of the model."""
    of = fit.observations
    means, deviations = end_moments(fit)
    quantiles = stdtrit((FREEDOM + of.seen.sum(1))[:, None], (np.arange(_QUANTILES) + 0.5) / _QUANTILES)
    log_odds = means[:, :, None] + deviations[:, :, None] * quantiles
    percent: Array = fit.ceiling / (1 + np.exp(-log_odds.transpose(1, 0, 2).reshape(len(of.z), -1)))
    return percent


def _by_hyperparameters(fit: CurveFit, trial: CurveTrial) -> Array:
    """(S,) percent: draws of the end of a trial whose curve says nothing."""
    generator = np.random.default_rng([fit.seed, 4])
    own = np.sqrt([each.effects[0, 0] for each in fit.variances]) * generator.standard_normal(len(fit.draws))
    percent: Array = fit.ceiling / (1 + np.exp(-end_draws(fit, [trial.hyperparameters])[:, 0] - own))
    return percent


def _perhaps_lost(
    table: ObservedCurves, trial: CurveTrial, values: Array, lost: float
) -> tuple[Array, Array]:
    """Percent and weights: `values` as often as trials as near chance at that epoch left it, else near chance.

    Near is `lost` wrong or more; as near also means on the same side of what guessing reaches.
    """
    guessed, epoch = wrong_by_guessing(table), trial.epochs[-1]
    near = [100 * wrong / table.images for each in table.trials for wrong in each.wrong if wrong >= lost]
    there = [
        (each.wrong[each.epochs.index(epoch)], each.wrong[-1])
        for each in table.trials
        if epoch in each.epochs[:-1]
    ]
    guesses = trial.wrong[-1] >= guessed
    ends = [end for wrong, end in there if wrong >= lost and (wrong >= guessed) == guesses]
    left = (sum(end < lost for end in ends) + 0.5) / (len(ends) + _STAY)
    weights = np.repeat([left / len(values), (1 - left) / len(near)], [len(values), len(near)])
    return np.concatenate([values, near]), weights


def _mean_and_interval(values: Array, weights: Array) -> tuple[float, float, float]:
    """The mean, which errs least in the square, and the 2.5 and 97.5 % quantiles of weighted values."""
    _, low, high = _median_and_interval(values, weights)
    return min(max(float(values @ weights), low), high), low, high


def _median_and_interval(values: Array, weights: Array) -> tuple[float, float, float]:
    """The 50, 2.5 and 97.5 % quantiles of weighted values."""
    order = np.argsort(values)
    reached = np.searchsorted(np.cumsum(weights[order]), [0.5, 0.025, 0.975])
    middle, low, high = values[order][np.minimum(reached, len(values) - 1)]
    return float(middle), float(low), float(high)


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
    shared_seen = np.where(of.seen, of.spread[:, None] * shared, 0.0)
    gain = shared_seen[:, None, :] @ weights  # (N, 1, J)
    gain = gain[:, 0]
    mean = expected[:, -1]
    explained = (gain * shared_seen).sum(1)
    counted = _count_variance_at_end(of, mean)
    variance = of.spread * shared[-1] - explained + at.of_epochs(counted, of.spread[:, None])[:, -1]
    if of.repeated:
        effect, covariance = effects_of_configurations(of, at, draw)
        residual = np.where(of.seen, residual - (effect @ basis.T)[of.of], 0.0)
        through = basis[-1] - gain @ basis  # (N, 2): what the configuration's effects still do to the end
        variance = variance + np.einsum("na,nab,nb->n", through, covariance[of.of], through)
        mean = mean + effect[of.of] @ basis[-1]
    return mean + (gain * residual).sum(1), np.sqrt(np.maximum(variance, 0.0))


def _count_variance_at_end(of: Observations, mean: Array) -> Array:
    """(N, J) with the last column right: counting variance of an end whose log-odds are `mean`."""
    counted = of.count_variance.copy()
    counted[:, -1] = count_variance(of.most / (1 + np.exp(-mean)), of.images, of.most)
    return counted
