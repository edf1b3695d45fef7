"""Parzen densities of one hyperparameter: Optuna's, bit by bit, in a fraction of its time.

Optuna makes every density of any number of hyperparameters anew for each hyperparameter of each proposal. Here what
does not change is kept, what is alike is calculated once, and what rounds to 1 is not calculated; the operations on
what is left are Optuna's own in its order, so that the proposals stay the same (the tests compare). Integers, and
densities over several hyperparameters together, are left to Optuna.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import cached_property, lru_cache
from math import erf, erfc, log
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.samplers._tpe._truncnorm import _log_gauss_mass, _log_ndtr_single
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Numbers: TypeAlias = NDArray[np.float64]
Samples: TypeAlias = dict[str, Numbers]  # hyperparameter -> its values, in Optuna's own numbers
_LEAST_WIDTH = 1e-9  # of an interval, as a share of its ends: a narrower one is left to Optuna
_SQRT_2 = 2**0.5
_ONE_SIGMA = 1 / _SQRT_2  # of the normal distribution, in units of the error function
_LOG_SQRT_2_PI = math.log(math.sqrt(2 * math.pi))
_LOGISTIC = math.sqrt(3) / math.pi
_ERF_IS_ONE = 6.0  # from here on, in double precision
_EXP_IS_0 = -745.2  # below, in double precision


class Density(Protocol):
    """A mixture with one kernel for each configuration that was seen, and one wide one."""

    def sample(self, rng: np.random.RandomState, size: int) -> Samples:
        """Draws."""

    def log_pdf(self, samples_dict: Samples) -> Numbers:
        """(n_samples,)"""


def density_of(
    observed: Samples, distributions: Mapping[str, BaseDistribution], parameters: _ParzenEstimatorParameters
) -> Density:
    """The density over these hyperparameters together.

    Args:
        observed: what was seen of each, in the order of proposal.
        distributions: of each.
        parameters: Optuna's.
    """
    ((name, distribution), *others) = distributions.items()
    if not others and isinstance(distribution, CategoricalDistribution):
        return _DensityOfChoice(name, observed[name], len(distribution.choices), parameters)
    if not others and isinstance(distribution, FloatDistribution) and _is_wide(distribution):
        return _DensityOfInterval(name, observed[name], distribution, parameters)
    optunas: Density = _ParzenEstimator(observed, dict(distributions), parameters)
    return optunas


class _DensityOfChoice:
    """Kernels of equal options are equal, and so are the densities of equal samples."""

    def __init__(self, name: str, observed: Numbers, options: int, parameters: _ParzenEstimatorParameters):
        self._name = name
        self._kernels = _with(
            observed.astype(int), options
        )  # (n_kernels,): its option; the last one has none
        self._up_to, self._log_weights = _weights(len(observed), parameters)
        each = parameters.prior_weight / len(self._kernels) if len(observed) else 1.0 / options
        by_option = np.full((options + 1, options), each)  # kernel's option x option
        if len(observed):
            by_option[np.arange(options), np.arange(options)] += 1
            by_option /= by_option.sum(axis=1, keepdims=True)
        self._by_option = by_option

    def sample(self, rng: np.random.RandomState, size: int) -> Samples:
        kernels = self._kernels[_drawn(rng, self._up_to, size)]
        quantiles = rng.random_sample(size)
        up_to = np.cumsum(self._by_option, axis=-1)
        up_to[:, -1] = 1
        return {self._name: (up_to[kernels] < quantiles[:, None]).sum(axis=-1).astype(float)}

    def log_pdf(self, samples_dict: Samples) -> Numbers:
        return self._log_density.take(samples_dict[self._name].astype(int))

    @cached_property
    def _log_density(self) -> Numbers:
        """(n_options,)"""
        weighted = np.take(np.log(self._by_option).T, self._kernels, axis=1)  # option x kernel
        weighted += self._log_weights
        most = weighted.max(axis=1)
        weighted -= most[:, None]
        np.exp(weighted, out=weighted)
        return np.asarray(np.log(weighted.sum(axis=1)) + most)


class _DensityOfInterval:
    """Normal kernels, each cut off at the ends of the interval; logarithms where the scale is logarithmic."""

    def __init__(
        self,
        name: str,
        observed: Numbers,
        distribution: FloatDistribution,
        parameters: _ParzenEstimatorParameters,
    ):
        self._name = name
        self._log = distribution.log
        self._low, self._high = _ends(distribution)
        low, high = distribution.low, distribution.high
        if self._log:  # numpy's logarithm here, Python's for the ends: so does Optuna
            observed, low, high = np.log(observed), np.log(low), np.log(high)
        self._up_to, self._log_weights = _weights(len(observed), parameters)
        self._mus = _with(observed, 0.5 * (low + high))
        self._sigmas = _with(_widths(observed, low, high, parameters), high - low)
        self._a = (self._low - self._mus) / self._sigmas  # the ends as each kernel sees them
        self._b = (self._high - self._mus) / self._sigmas
        self._log_mass = _log_mass_within(self._a, self._b)
        self._log_sigmas = np.log(self._sigmas)

    def sample(self, rng: np.random.RandomState, size: int) -> Samples:
        kernels = _drawn(rng, self._up_to, size)
        quantiles = rng.random_sample(size)
        standard = _quantile(quantiles, self._a[kernels], self._b[kernels], self._log_mass[kernels])
        drawn = standard * self._sigmas[kernels] + self._mus[kernels]
        return {self._name: np.exp(drawn) if self._log else drawn}

    def log_pdf(self, samples_dict: Samples) -> Numbers:
        values = samples_dict[self._name]
        if self._log:
            values = np.log(values)
        weighted = values[:, None] - self._mus  # (n_samples, n_kernels), to the end
        weighted /= self._sigmas
        outside = None
        if values.min() < self._low or values.max() > self._high:  # by rounding
            outside = (weighted < self._a) | (weighted > self._b)
        weighted *= weighted
        weighted *= -0.5
        weighted -= _LOG_SQRT_2_PI
        weighted -= self._log_mass
        weighted -= self._log_sigmas
        if outside is not None:
            weighted[outside] = -np.inf
        weighted += self._log_weights
        return _log_of_sums(weighted)


def _ends(distribution: FloatDistribution) -> tuple[float, float]:
    low, high = distribution.low, distribution.high
    return (math.log(low), math.log(high)) if distribution.log else (low, high)


def _is_wide(distribution: FloatDistribution) -> bool:
    low, high = _ends(distribution)
    return distribution.step is None and high - low > _LEAST_WIDTH * max(abs(low), abs(high))


def _weights(observed: int, parameters: _ParzenEstimatorParameters) -> tuple[Numbers, Numbers]:
    """Of the kernels: sums up to each, the last one 1, and logarithms. What is older counts less."""
    return _weights_of(observed, parameters.weights, parameters.prior_weight)


@lru_cache(maxsize=64)
def _weights_of(observed: int, weights: Callable[[int], Numbers], prior: float) -> tuple[Numbers, Numbers]:
    found = _with(np.array(weights(observed))[:observed], prior) if observed else np.array([1.0])
    found /= found.sum()
    up_to = found.cumsum()
    return up_to / up_to[-1], np.log(found)


def _with(values: NDArray[Any], last: float) -> NDArray[Any]:
    """`np.append(values, last)` of the values' own type, in a quarter of its time."""
    longer = np.empty(len(values) + 1, values.dtype)
    longer[:-1], longer[-1] = values, last
    return longer


def _widths(mus: Numbers, low: float, high: float, parameters: _ParzenEstimatorParameters) -> Numbers:
    """(n,) Standard deviations: the larger distance to a neighbour, within bounds."""
    order = np.argsort(mus)
    placed = np.empty(len(mus) + 2)
    placed[0], placed[1:-1], placed[-1] = low, mus[order], high
    gaps = placed[1:] - placed[:-1]
    in_order = np.maximum(gaps[:-1], gaps[1:])
    if not parameters.consider_endpoints and len(placed) >= 4:
        in_order[0], in_order[-1] = gaps[1], gaps[-2]
    widths = np.empty_like(in_order)
    widths[order] = in_order
    least = (high - low) / min(100.0, 2.0 + len(mus)) if parameters.consider_magic_clip else 1e-12
    return np.minimum(np.maximum(widths, least), high - low)


def _drawn(rng: np.random.RandomState, up_to: Numbers, size: int) -> NDArray[np.intp]:
    """`rng.choice(len(weights), p=weights, size=size)`, without its checks; see `_weights`."""
    return up_to.searchsorted(rng.random_sample(size), side="right")


def _log_of_sums(logs: Numbers) -> Numbers:
    """log(sum(exp(logs))) of each row; `logs` is overwritten."""
    most = logs.max(axis=1)
    possible = most.min() > -np.inf
    if not possible:
        most[np.isneginf(most)] = 0
    logs -= most[:, None]
    far = logs < _EXP_IS_0  # most of narrow kernels; numpy takes four times as long for what underflows
    np.putmask(logs, far, 0)
    np.exp(logs, out=logs)
    np.putmask(logs, far, 0)
    with nullcontext() if possible else np.errstate(divide="ignore"):
        return np.asarray(np.log(logs.sum(axis=1)) + most)


def _log_mass_within(a: Numbers, b: Numbers) -> Numbers:
    """Logarithm of a standard normal's mass between a and b."""
    central = (a <= 0) & (b > 0)
    if central.all():
        beyond = _ndtr(np.concatenate((a, -b)))
        return np.asarray(np.log1p(-beyond[: len(a)] - beyond[len(a) :]))
    mass = np.empty_like(a)
    mass[central] = np.log1p(-_ndtr(a[central]) - _ndtr(-b[central]))
    mass[~central] = _log_gauss_mass(a[~central], b[~central])
    return mass


def _ndtr(a: Numbers) -> Numbers:
    """Distribution function of a standard normal."""
    scaled = a / _SQRT_2
    values = np.sign(scaled)
    near = (np.abs(scaled) < _ERF_IS_ONE).nonzero()[0]
    values[near] = list(map(erf, scaled[near].tolist()))
    return 0.5 + 0.5 * values


def _log_ndtr(a: Numbers) -> Numbers:
    values = a.tolist()
    if values and (min(values) <= -20 or max(values) > 6):
        return np.array([_log_ndtr_single(each) for each in values])
    return np.array(
        [
            log(0.5 * erfc(-x))
            if (x := each / _SQRT_2) < -_ONE_SIGMA
            else log(0.5 + 0.5 * erf(x) if x < _ONE_SIGMA else 1.0 - 0.5 * erfc(x))
            for each in values
        ]
    )


def _quantile(q: Numbers, a: Numbers, b: Numbers, log_mass: Numbers) -> Numbers:
    """Inverse distribution function of standard normals cut off at a and b."""
    left = a < 0
    if left.all():
        found = _ndtri_exp(np.logaddexp(_log_ndtr(a), np.log(q) + log_mass))
    else:
        right = ~left
        found = np.empty_like(q)
        found[left] = _ndtri_exp(np.logaddexp(_log_ndtr(a[left]), np.log(q[left]) + log_mass[left]))
        found[right] = -_ndtri_exp(np.logaddexp(_log_ndtr(-b[right]), np.log1p(-q[right]) + log_mass[right]))
    found[q == 0] = a[q == 0]
    return found


def _ndtri_exp(y: Numbers) -> Numbers:
    """x with y = log(ndtr(x)), by Newton's method."""
    flipped = y > -1e-2
    z = y.copy()
    z[flipped] = np.log(-np.expm1(y[flipped]))
    x = np.empty_like(y)
    small = z < -5
    x[small] = -np.sqrt(-2.0 * (z[small] + _LOG_SQRT_2_PI))
    x[~small] = -_LOGISTIC * np.log(np.expm1(-z[~small]))
    for _ in range(100):
        log_ndtr = _log_ndtr(x)
        step = (log_ndtr - z) * np.exp(log_ndtr - (-0.5 * x**2 - _LOG_SQRT_2_PI))
        x -= step
        if (np.abs(step) < 1e-8 * np.abs(x)).all():
            break
    x[flipped] *= -1
    return x
