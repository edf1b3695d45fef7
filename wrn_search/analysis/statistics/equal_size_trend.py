"""The trend of error along depth:width at equal parameters: least squares and its bootstrap, on plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wrn_search.analysis.input_tables.shared_values import Interval

Floats = NDArray[np.float64]

RESAMPLES = 999
CHUNK_VALUES = 4_000_000  # residuals held at once
# Degree of f -> networks that it takes. Error flattens out as parameters grow, which a cubic follows over their range
# of some hundred times; every further coefficient leaves less to tell the slope by.
NETWORKS_FOR = {3: 12, 2: 8, 1: 5}
_MAX_INFLATION = 100.0  # of the slope's variance by what it shares with the parameters


@dataclass(frozen=True)
class Trend:
    """error = f(P) + slope * R, P = log2 num_params, R = log2(depth / widen_factor), f a polynomial.

    The slope compares networks of equal parameters: what parameters alone explain is taken by f, for which all
    networks of the search speak and not only those that happen to have a partner of equal size.
    """

    slope: float  # points of error for each doubling of depth:width
    per_doubling: float  # mean of f'(P) over the points: points of error for each doubling of parameters
    coefficients: Floats  # of f(P - centre), rising powers
    centre: float

    def error_at(self, log_params: float, log_ratio: float) -> float:
        """The fitted error in percent."""
        powers = (log_params - self.centre) ** np.arange(len(self.coefficients))
        return float(powers @ self.coefficients + self.slope * log_ratio)


def fit(log_params: Floats, log_ratio: Floats, error: Floats) -> Trend | str:
    """The trend through points, (n,) each, or why there is none."""
    networks = len(set(zip(log_params.tolist(), log_ratio.tolist(), strict=True)))
    degree = _degree(networks)
    if degree == 0:
        were = "was" if networks == 1 else "were"
        return f"at least {NETWORKS_FOR[1]} networks must have been trained to the end, but {networks} {were}"
    design = _design(log_params, log_ratio, degree)
    if _inflation(design) > _MAX_INFLATION:
        return "depth:width and the number of parameters rise and fall together in these networks"
    solved = np.linalg.lstsq(design, error, rcond=None)[0].astype(np.float64)
    return _trend(solved, log_params)


def intervals(
    log_params: Floats, log_ratio: Floats, error: Floats, weights: Floats, seed: int = 0
) -> Interval | None:
    """95 % interval of `weights @ (slope, per_doubling)` by a wild bootstrap-t over the points.

    Points are configurations: each one's residual is given a random sign, which leaves the networks as they are, as a
    grid demands. Residuals and standard errors are HC3's, which hold when configurations spread unequally (MacKinnon &
    White 1985); studentised, as percentiles alone are too narrow for few points (Davidson & Flachaire 2008). None if
    there are too few points.
    """
    networks = len(set(zip(log_params.tolist(), log_ratio.tolist(), strict=True)))
    degree = _degree(networks)
    design = _design(log_params, log_ratio, degree)
    contrast = _contrast(log_params, degree, weights)
    inverse = np.linalg.pinv(design.T @ design).astype(np.float64)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    if degree == 0 or (leverage > 1 - 1e-9).any():
        return None  # a point that alone decides a coefficient has no residual to resample
    influence = design @ inverse @ contrast  # (n,): the contrast's estimate is influence @ error
    estimate = float(influence @ error)
    fitted: Floats = design @ (inverse @ (design.T @ error))
    residual = (error - fitted) / (1 - leverage)
    spread = float(np.sqrt(((influence * residual) ** 2).sum()))
    if spread == 0:
        return estimate, estimate
    ratios = _bootstrap_t(design, inverse, leverage, influence, residual, np.random.default_rng(seed))
    low, high = np.quantile(ratios, [0.025, 0.975])
    return estimate - float(high) * spread, estimate - float(low) * spread


def _bootstrap_t(
    design: Floats,
    inverse: Floats,
    leverage: Floats,
    influence: Floats,
    residual: Floats,
    rng: np.random.Generator,
) -> Floats:
    """(RESAMPLES,) studentised deviations of the contrast's estimate from its truth, when the fit is the truth."""
    found = []
    count = max(1, CHUNK_VALUES // len(residual))
    for start in range(0, RESAMPLES, count):
        size = (min(count, RESAMPLES - start), len(residual))
        drawn = residual * rng.choice([-1.0, 1.0], size=size)  # (resamples, n)
        deviation = drawn @ influence
        left = (drawn - (drawn @ design) @ inverse @ design.T) / (1 - leverage)
        found.append(deviation / np.sqrt(((influence * left) ** 2).sum(axis=1)))
    return np.concatenate(found)


def _degree(networks: int) -> int:
    """Of f; 0 if there are too few networks even for a line."""
    return next((degree for degree, least in NETWORKS_FOR.items() if networks >= least), 0)


def _design(log_params: Floats, log_ratio: Floats, degree: int) -> Floats:
    """(n, degree + 2): the powers of P - mean, then R."""
    centred = log_params - log_params.mean()
    return np.column_stack([centred**power for power in range(degree + 1)] + [log_ratio])


def _contrast(log_params: Floats, degree: int, weights: Floats) -> Floats:
    """The coefficients' weights in `weights @ (slope, per_doubling)`."""
    centred = log_params - log_params.mean()
    slopes = [0.0] + [float((power * centred ** (power - 1)).mean()) for power in range(1, degree + 1)]
    return np.array([weights[1] * slope for slope in slopes] + [weights[0]])


def _trend(solved: Floats, log_params: Floats) -> Trend:
    degree = len(solved) - 2
    slopes = _contrast(log_params, degree, np.array([0.0, 1.0]))
    return Trend(
        slope=float(solved[-1]),
        per_doubling=float(slopes @ solved),
        coefficients=solved[:-1],
        centre=float(log_params.mean()),
    )


def _inflation(design: Floats) -> float:
    """Variance inflation of R: 1 / (1 - R^2) of its regression on the powers of P."""
    powers, ratio = design[:, :-1], design[:, -1]
    total = float(((ratio - ratio.mean()) ** 2).sum())
    if total == 0:
        return np.inf
    left = ratio - powers @ np.linalg.lstsq(powers, ratio, rcond=None)[0]
    rest = float((left**2).sum())
    return np.inf if rest <= 1e-12 * total else total / rest
