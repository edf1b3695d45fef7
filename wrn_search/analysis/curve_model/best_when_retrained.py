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
from wrn_search.curves.winner_and_smallest import retrained_draws


def best_of(
    configurations: Sequence[Configuration],
    chance_error: float | None,
    expected: Mapping[int, float] | None = None,
) -> Configuration | None:
    """The best configuration; None if there is none with an error at full epochs.

    By the one rule (`order_of`) with the lowest expected error, by configuration, instead of the median; those without
    an expected one come after those that have one.
    """
    expected = expected or {}

    def order(each: Configuration) -> tuple[object, ...]:
        alone, is_open, *others = each.order(chance_error, expected.get(each.number))
        return alone, is_open, bool(expected) and each.number not in expected, *others

    return min(configurations, key=order, default=None)


def expected_when_retrained(fit: CurveFit) -> dict[int, Array]:
    """Draws (S,) of the mean error over fresh seeds, percent, for each trial of the fit: its configuration's."""
    draws, of = retrained_draws(fit), fit.observations.of
    return {int(trial.trial): draws[:, of[row]] for row, trial in enumerate(fit.trials)}


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
