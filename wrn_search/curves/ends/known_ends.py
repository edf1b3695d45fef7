"""What known ends say of predicted ones: where they lie instead, and how much wider the intervals of others must be.

A model's variances are those of the curves that it was fitted to; how well it foretells an end shows only where it did
not know one. Each trial with an end is predicted from its own earlier rungs, with coefficients that never saw the rest
of its curve (leave-one-out, Vehtari, Gelman & Gabry, Statistics and Computing 27, 2017, of the posterior mode). What
they miss by, rung by rung, is the model's discrepancy (Kennedy & O'Hagan, J. R. Stat. Soc. B 63, 2001), here a line:

    end - predicted = a + b (z - centre) / unit + g (z - predicted) + e

z is the log-odds at the rung: a line through where curves stand and through how far they are said to fall, so g = 1
puts the last value in the model's place. Priors around 0, the variance of e and the line's answer are conjugate
(Gelman et al., Bayesian Data Analysis, 3rd ed., section 14.8). Where nobody's end is known the line is uncertain, so a
trial far from those with ends gets a wider interval than one among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from wrn_search.curves.curve_fit import FREEDOM, CurveFit, coefficient_draw
from wrn_search.curves.curve_likelihood import coefficients
from wrn_search.curves.design_columns import Array
from wrn_search.curves.ends.moments_of_ends import moments

_MOST = 16  # trials that are predicted; of more, those at equal steps through the table
_DRAWS = 12  # of the coefficients for each
_PRIOR = 4.0  # ends as wide as the model says that are believed to have been seen
_LARGEST = 5.0  # deviations that one end may count for
_LEVEL, _TILT = 0.6, 0.3  # prior deviations of a and b, in deviations of predicted ends
_FALL = 0.3  # of g


@dataclass(frozen=True)
class KnownEnd:
    """The end of a trial, and what would have been predicted of it from an earlier rung; log-odds.

    Attributes:
        trial: its row.
        rung: the last that the prediction knew of; `seen`: how many it knew of.
        z: at the rung.
        predicted, deviation: of the end.
        end: what was measured.
    """

    trial: int
    rung: int
    seen: int
    z: float
    predicted: float
    deviation: float
    end: float


def moved(fit: CurveFit, means: Array, deviations: Array) -> tuple[Array, Array]:
    """What known ends add to predicted log-odds with `means` and `deviations` (N,), and their factor on these; (N,).

    0 and 1 for trials with an end. Deviations never become smaller: who was trained to the end was mostly chosen.
    """
    of = fit.observations
    shift, factor = np.zeros(len(of.z)), np.ones(len(of.z))
    last = of.z.shape[1] - 1 - of.seen[:, ::-1].argmax(1)
    known = known_ends(fit)
    for rung in sorted(set(last.tolist()) - {of.z.shape[1] - 1}):
        rows = np.flatnonzero(last == rung)
        others = _Predicted(of.z[rows, rung], means[rows], deviations[rows], of.seen[rows].sum(1))
        told = [each for each in known if each.rung == rung]
        shift[rows], factor[rows] = _discrepancy(told, others, of.z[of.seen[:, rung], rung])
    return shift, factor


def known_ends(fit: CurveFit) -> list[KnownEnd]:
    """Of each of `_MOST` trials with an end, from each earlier rung seen."""
    of = fit.observations
    known = np.flatnonzero(of.seen[:, -1] & of.seen[:, :-1].any(1))
    chosen = known[np.unique(np.linspace(0, len(known) - 1, min(len(known), _MOST)).astype(int))]
    generator = np.random.default_rng([fit.seed, 5])
    return [
        _known_end(fit, int(row), int(rung), generator) for row in chosen for rung in _earlier(fit, int(row))
    ]


def _earlier(fit: CurveFit, row: int) -> NDArray[np.intp]:
    """Rungs at which a trial was seen before its end."""
    return np.flatnonzero(fit.observations.seen[row, :-1])


def _known_end(fit: CurveFit, row: int, rung: int, generator: np.random.Generator) -> KnownEnd:
    """Of one trial, of whose curve nothing after a rung is known."""
    whole = fit.observations
    seen, spread = whole.seen.copy(), whole.spread.copy()
    seen[row, rung + 1 :] = False
    spread[row] = 1.0  # what was strange may only have been seen later
    of = replace(whole, seen=seen, z=np.where(seen, whole.z, 0.0), spread=spread)
    given = coefficients(of, fit.mode)
    # The trial's configuration with all its repeats: nothing else decides its moments.
    rows = np.flatnonzero(of.of == of.of[row])
    alone = of.only(rows)
    draws = np.array([coefficient_draw(given, generator) for _ in range(_DRAWS)])
    place = int(np.flatnonzero(rows == row)[0])
    means, deviations = (each[:, place] for each in moments(alone, fit.mode, draws))
    return KnownEnd(
        row,
        rung,
        int(seen[row].sum()),
        float(whole.z[row, rung]),
        float(means.mean()),
        float(np.sqrt((deviations**2).mean() + means.var())),
        float(whole.z[row, -1]),
    )


@dataclass(frozen=True)
class _Predicted:
    """Trials stopped at a rung: log-odds there, of the predicted end, its deviation, and how many rungs were seen."""

    z: Array
    means: Array
    deviations: Array
    seen: NDArray[np.intp]


def _discrepancy(known: Sequence[KnownEnd], others: _Predicted, at_rung: Array) -> tuple[Array, Array]:
    """Shift and factor (N,) for `others`; `at_rung` are the log-odds of all trials at the rung."""
    centre, unit = float(at_rung.mean()), max(float(at_rung.std()), 1e-6)

    def columns(z: Array, predicted: Array) -> Array:
        return np.column_stack([np.ones(len(z)), (z - centre) / unit, z - predicted])

    z, predicted, deviations, ends = (
        np.array([(each.z, each.predicted, each.deviation, each.end) for each in known]).reshape(-1, 4).T
    )
    typical = float(np.mean(np.concatenate([deviations, others.deviations]) ** 2))
    prior = np.diag([_LEVEL**2 * typical, _TILT**2 * typical, _FALL**2])
    missed = np.clip(ends - predicted, -_LARGEST * deviations, _LARGEST * deviations)
    squares = np.array([_square(FREEDOM + each.seen) for each in known])
    x = columns(z, predicted)
    weights = np.linalg.inv(np.diag(squares * deviations**2) + x @ prior @ x.T)
    gain = prior @ x.T @ weights
    variance = max(1.0, (_PRIOR + float(missed @ weights @ missed)) / (_PRIOR + len(known)))
    line, uncertain = gain @ missed, prior - gain @ x @ prior
    x = columns(others.z, others.means)
    own = np.array([_square(FREEDOM + count) for count in others.seen]) * others.deviations**2
    return x @ line, np.sqrt(variance * (1 + np.einsum("na,ab,nb->n", x, uncertain, x) / own))


@cache
def _square(freedom: float) -> float:
    """Mean square of Student's t, none counted for more than `_LARGEST`: what errors of a true model come to."""
    quantiles = stdtrit(freedom, (np.arange(400) + 0.5) / 400)
    return float(np.mean(np.minimum(quantiles**2, _LARGEST**2)))
