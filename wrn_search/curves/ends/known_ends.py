"""How far known ends lie from what would have been predicted of them: predicted ends get intervals that much wider.

A model's variances are those of the curves that it was fitted to; how well it foretells an end shows only where it did
not know one. Each trial with an end is predicted from its own earlier rungs, with coefficients that never saw the rest
of its curve (leave-one-out, Vehtari, Gelman & Gabry, Statistics and Computing 27, 2017, of the posterior mode).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wrn_search.curves.curve_fit import CurveFit, coefficient_draw
from wrn_search.curves.curve_likelihood import coefficients
from wrn_search.curves.design_columns import Array
from wrn_search.curves.ends.moments_of_ends import moments

_MOST = 16  # trials that are predicted; of more, those at equal steps through the table
_DRAWS = 12  # of the coefficients for each
_PRIOR = 2.0  # ends as wide as the model says that are believed to have been seen
_LARGEST = 5.0  # deviations that one end may count for


def times_too_narrow(fit: CurveFit) -> float:
    """A factor for deviations on the scale of log-odds, at least 1: root of the mean square, shrunk towards 1.

    1 where no trial has both an end and an earlier rung.
    """
    squares = [
        float(np.mean(np.minimum(np.square(each), _LARGEST**2))) for each in standard_errors(fit) if len(each)
    ]
    return float(np.sqrt(max(1.0, (_PRIOR + sum(squares)) / (_PRIOR + len(squares)))))


def standard_errors(fit: CurveFit) -> list[Array]:
    """Of each of `_MOST` trials with an end: (measured end - predicted) / deviation, from each earlier rung seen."""
    of = fit.observations
    known = np.flatnonzero(of.seen[:, -1] & of.seen[:, :-1].any(1))
    chosen = known[np.unique(np.linspace(0, len(known) - 1, min(len(known), _MOST)).astype(int))]
    generator = np.random.default_rng([fit.seed, 5])
    return [
        np.array([_standard_error(fit, int(row), int(last), generator) for last in _earlier(fit, int(row))])
        for row in chosen
    ]


def _earlier(fit: CurveFit, row: int) -> NDArray[np.intp]:
    """Rungs at which a trial was seen before its end."""
    return np.flatnonzero(fit.observations.seen[row, :-1])


def _standard_error(fit: CurveFit, row: int, last: int, generator: np.random.Generator) -> float:
    """Of one trial, of whose curve nothing after rung `last` is known."""
    whole = fit.observations
    seen, spread = whole.seen.copy(), whole.spread.copy()
    seen[row, last + 1 :] = False
    spread[row] = 1.0  # what was strange may only have been seen later
    of = replace(whole, seen=seen, z=np.where(seen, whole.z, 0.0), spread=spread)
    given = coefficients(of, fit.mode)
    # The trial's configuration with all its repeats: nothing else decides its moments.
    rows = np.flatnonzero(of.of == of.of[row])
    alone = of.only(rows)
    told = [moments(alone, fit.mode, coefficient_draw(given, generator)) for _ in range(_DRAWS)]
    place = int(np.flatnonzero(rows == row)[0])
    means = np.array([mean[place] for mean, _ in told])
    variances = np.array([deviation[place] ** 2 for _, deviation in told])
    return float((whole.z[row, -1] - means.mean()) / np.sqrt(variances.mean() + means.var()))
