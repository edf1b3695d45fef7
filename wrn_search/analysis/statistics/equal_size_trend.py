"""The trend of error along depth:width at equal parameters: least squares, by repeats or a bootstrap; plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wrn_search.analysis.input_tables.shared_values import Interval
from wrn_search.analysis.statistics.pure_error import RepeatedFit, is_repeated, repeated_fit
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import num_params

Floats = NDArray[np.float64]

RESAMPLES = 999
FEW = 5  # residuals beyond the coefficients
CHUNK_VALUES = 4_000_000  # residuals held at once
# Degree of f -> networks that it takes. Error flattens out as parameters grow, which a cubic follows over their range
# of some hundred times; every further coefficient leaves less to tell the slope by.
NETWORKS_FOR = {3: 12, 2: 8, 1: 5}
DEGREE_WITH_REPEATS = {
    4: 9,
    3: 6,
    2: 5,
}  # where repeats tell the noise: a degree of freedom is left to test the curve
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


@dataclass(frozen=True)
class RepeatedTrend:
    """The trend by repeats: its intervals rest on their spread, its curve is tested against them.

    As noise is known from the repeats, f may bend more than means alone would allow: a stiff curve that misses them
    moves the slope (on 3 x 3 networks of a power law, seeds five times, a parabola's interval covered 12 to 90 %).
    """

    trend: Trend
    fit: RepeatedFit
    degree: int
    log_params: Floats

    def interval(self, weights: Floats) -> Interval:
        """95 % interval of `weights @ (slope, per_doubling)`."""
        return self.fit.interval(_contrast(self.log_params, self.degree, weights))


def repeated_trend(
    log_params: Floats, log_ratio: Floats, groups: Sequence[Sequence[float]]
) -> RepeatedTrend | None:
    """The trend through n settings, (n,) each, with the errors of each one's repeats; None without repeats enough."""
    networks = len(set(zip(log_params.tolist(), log_ratio.tolist(), strict=True)))
    degree = next((each for each, least in DEGREE_WITH_REPEATS.items() if networks >= least), 0)
    if degree == 0 or not is_repeated(groups):
        return None
    design = _design(log_params, log_ratio, degree)
    if _inflation(design) > _MAX_INFLATION or np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    found = repeated_fit(design, groups)
    return (
        None
        if found is None
        else RepeatedTrend(_trend(found.coefficients, log_params), found, degree, log_params)
    )


def slope_error(networks: Sequence[Architecture], repeats: int) -> float | None:
    """Standard error of the slope of so many repeats each, in deviations of a repeat; None where there is no slope."""
    log_params = np.log2([float(num_params(network)) for network in networks])
    log_ratio = np.log2([network.depth / network.widen_factor for network in networks])
    degree = next((each for each, least in DEGREE_WITH_REPEATS.items() if len(networks) >= least), 0)
    design = _design(log_params, log_ratio, degree)
    if degree == 0 or _inflation(design) > _MAX_INFLATION:
        return None
    contrast = _contrast(log_params, degree, np.array([1.0, 0.0]))
    return float(np.sqrt(contrast @ np.linalg.pinv(design.T @ design) @ contrast / repeats))


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
    """95 % interval of `weights @ (slope, per_doubling)` over points without repeats: a wild bootstrap-t.

    Points are configurations: each one's residual is given a random sign, which leaves the networks as they are, as a
    grid demands. Residuals and standard errors are HC3's, which hold when configurations spread unequally (MacKinnon &
    White 1985); studentised, as percentiles alone are too narrow for few points (Davidson & Flachaire 2008). With `FEW`
    residuals or fewer to draw from signs alone give intervals several times too wide, so there it is Student's t of
    their mean square. None if there are too few points.
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
    left = len(error) - design.shape[1]
    if left <= FEW:
        return _students_t(estimate, influence, error - fitted, left)
    residual = (error - fitted) / (1 - leverage)
    spread = float(np.sqrt(((influence * residual) ** 2).sum()))
    if spread == 0:
        return estimate, estimate
    ratios = _bootstrap_t(design, inverse, leverage, influence, residual, np.random.default_rng(seed))
    low, high = np.quantile(ratios, [0.025, 0.975])
    return estimate - float(high) * spread, estimate - float(low) * spread


def _students_t(estimate: float, influence: Floats, missed: Floats, left: int) -> Interval:
    from scipy.special import stdtrit

    spread = float(np.sqrt(missed @ missed / left * (influence @ influence)))
    reach = float(stdtrit(left, 0.975)) * spread
    return estimate - reach, estimate + reach


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
