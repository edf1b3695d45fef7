"""The end of every trial, also of those that run or were stopped: predicted from its curve, with an interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from wrn_search.curves.curve_fit import FREEDOM, CurveFit, most_wrong, wrong_by_guessing
from wrn_search.curves.design_columns import Array
from wrn_search.curves.ends.falls_to_chance import chances_of_falling
from wrn_search.curves.ends.known_ends import moved
from wrn_search.curves.ends.moments_of_ends import end_moments, highest_ends, lowest_ends
from wrn_search.curves.observed_curves import CurveTrial, ObservedCurves
from wrn_search.curves.settings_of_cells import end_draws

_NEAR_CHANCE = 0.9  # of the error of chance: whoever is above may never leave it
_STAY = 3  # trials near chance, of which half of one left it: what is held for likely before any is seen
_QUANTILES = 400  # of Student's t: nothing is left to chance


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
    One that has left chance falls back as often as others like it did.
    """
    table = fit.table
    lost = _NEAR_CHANCE * most_wrong(table) if table.chance_error is not None else np.inf
    rows = {each.trial: row for row, each in enumerate(fit.trials)}
    draws, falls = _percent_draws(fit), chances_of_falling(fit, lost)
    ends = []
    for trial in table.trials:
        if trial.status == "diverged" or not trial.epochs:
            continue
        if trial.epochs[-1] == table.last_epoch:
            measured = 100 * trial.wrong[-1] / table.images
            ends.append(PredictedEnd(trial.trial, measured, measured, measured, measured))
            continue
        values = draws[rows[trial.trial]] if trial.trial in rows else _by_hyperparameters(fit, trial)
        if trial.wrong[-1] < lost and falls[trial.trial]:
            told = _mean_and_interval(*_mixed(values, _near_chance(table, lost), 1 - falls[trial.trial]))
        else:
            told = _mean_and_interval(values, np.full(len(values), 1 / len(values)))
        if trial.wrong[-1] >= lost:
            perhaps = _median_and_interval(*_perhaps_lost(table, trial, values, lost))
            # a curve knows its middle better than the crowd does, but not that it will leave chance at all
            middle = told[0] if trial.trial in rows else perhaps[0]
            told = (middle, min(middle, perhaps[1]), max(middle, perhaps[2]))
        ends.append(PredictedEnd(trial.trial, *told, None))
    return tuple(ends)


def _percent_draws(fit: CurveFit) -> Array:
    """(N, quantiles) of the ends of the fit's trials: Student's t around the mean of the model's draws.

    Its deviation is that of the draws, theirs from each other too: a coefficient may be as strange as a curve. Moved,
    and as much wider, as known ends ask for. The middle never rises above where the curve stands (`highest_ends`), and
    one that broke stays up there (`lowest_ends`).
    """
    of = fit.observations
    means, deviations = end_moments(fit)
    middle, deviation = means.mean(0), np.sqrt((deviations**2).mean(0) + means.var(0))
    shift, factor = moved(fit, middle, deviation)
    quantiles = stdtrit((FREEDOM + of.seen.sum(1))[:, None], (np.arange(_QUANTILES) + 0.5) / _QUANTILES)
    middle = np.maximum(np.minimum(middle + shift, highest_ends(fit)), lowest_ends(fit))
    log_odds = middle[:, None] + (factor * deviation)[:, None] * quantiles
    percent: Array = fit.ceiling / (1 + np.exp(-log_odds))
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
    there = [
        (each.wrong[each.epochs.index(epoch)], each.wrong[-1])
        for each in table.trials
        if epoch in each.epochs[:-1]
    ]
    guesses = trial.wrong[-1] >= guessed
    ends = [end for wrong, end in there if wrong >= lost and (wrong >= guessed) == guesses]
    left = (sum(end < lost for end in ends) + 0.5) / (len(ends) + _STAY)
    return _mixed(values, _near_chance(table, lost), left)


def _near_chance(table: ObservedCurves, lost: float) -> Array:
    """Percent: all that was seen near chance."""
    return np.array(
        [100 * wrong / table.images for each in table.trials for wrong in each.wrong if wrong >= lost]
    )


def _mixed(values: Array, others: Array, share: float) -> tuple[Array, Array]:
    """Percent and weights: the values for a share, others for the rest."""
    weights = np.repeat([share / len(values), (1 - share) / len(others)], [len(values), len(others)])
    return np.concatenate([values, others]), weights


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
