"""Which configuration is best, in one place: the lowest error to be expected when it is trained again.

A measured value is the lowest of many and so was lucky; one of a single seed more than the median of five. The curve
model takes that luck out by the same rule for all, so configurations with and without repeats stand side by side.
Without a model the lowest median counts.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from wrn_search.analysis.curve_model.model_values import Winner
from wrn_search.analysis.input_tables.configurations import Configuration
from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.design_columns import Array
from wrn_search.curves.ends_of_trials import effects_of_configurations, expected_curves
from wrn_search.curves.settings_of_cells import mean_error, spreads


def best_of(
    configurations: Sequence[Configuration],
    chance_error: float | None,
    expected: Mapping[int, float] | None = None,
) -> Configuration | None:
    """The best configuration; None if there is none with an error at full epochs.

    Those whose repeats have all ended come first. Then the lowest expected error counts, by configuration, or the
    lowest median where a configuration has none; of equals the lower mean, the smaller network, the earlier one.
    """
    expected = expected or {}

    def order(each: Configuration) -> tuple[bool, bool, float, float, int, int]:
        median = statistics.median(each.values(chance_error))
        value = expected.get(each.number, median)
        unknown = bool(expected) and each.number not in expected
        return each.ended < each.trials, unknown, value, each.mean, each.num_params, each.number

    return min(configurations, key=order, default=None)


def expected_when_retrained(fit: CurveFit) -> dict[int, Array]:
    """Draws (S,) of the mean error over fresh seeds, percent, for each trial of the fit: its configuration's.

    The same as `curves.retrained`, for all configurations in one pass.
    """
    of = fit.observations
    generator = np.random.default_rng([fit.seed, 3])
    log_odds = np.empty((len(fit.draws), len(of.x)))
    for index, (at, draw) in enumerate(zip(fit.variances, fit.draws, strict=True)):
        effect, covariance = effects_of_configurations(of, at, draw)
        spread = np.sqrt(np.maximum(0.0, covariance[:, 0, 0]))
        noise = generator.standard_normal(len(spread))
        log_odds[index] = expected_curves(of, at, draw)[:, -1] + effect[:, 0] + spread * noise
    seeds = np.broadcast_to(spreads(fit)[1][:, None], log_odds.shape)
    errors = mean_error(fit, log_odds, seeds)
    return {int(trial.trial): errors[:, of.of[row]] for row, trial in enumerate(fit.trials)}


def winner_of(
    fit: CurveFit, configurations: Sequence[Configuration], chance_error: float | None
) -> Winner | None:
    """The best configuration with what it reached and what another training of it would reach."""
    draws = expected_when_retrained(fit)
    means = {each.number: float(draws[each.trial].mean()) for each in configurations if each.trial in draws}
    best = best_of(configurations, chance_error, means)
    if best is None or best.trial not in draws:
        return None
    low, high = (float(value) for value in np.quantile(draws[best.trial], [0.025, 0.975]))
    measured = statistics.median(best.values(chance_error))
    return Winner(
        best.trial,
        best.number,
        best.network,
        best.num_params,
        measured,
        len(best.completed),
        means[best.number],
        low,
        high,
    )
