"""A Gaussian process over (hyperparameters, epoch): where the curve of each configuration, begun or not, will end.

    y(i, t) = m(t) + f(x_i) + phi_t g(x_i) + u_i + phi_t v_i + e_it        phi_t = (1 - log t / log epochs) ^ a

f is what counts at the end and g what shows only early, both with one Matern-5/2 kernel with a length for each
hyperparameter; u and v are what is a configuration's own; e is the noise of an epoch, larger early. So phi is 1 at the
first epoch and 0 at the last. It has the structure of the curve model that the report answers by (`curves/`), but no
linear form: a search wants to know where to look, not what a doubling of the width bought.

m is a cubic in log t, with a step at each drop of the learning rate. Its coefficients are integrated out; the lengths,
the scales and a are at their most probable values under weak priors, found by L-BFGS with the exact gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from wrn_search.one_thread import one_thread

Array: TypeAlias = NDArray[np.float64]

_LENGTH, _LENGTH_SD = (
    0.5,
    0.8,
)  # in the unit cube, times the fourth root of its dimensions; sd of the logarithm
# f, g, u, v and e, in the units of `numbers_of_errors`: medians, and deviations of their logarithms.
_SCALES, _SCALES_SD = (1.0, 0.7, 0.15, 0.3, 0.05), (0.7, 0.7, 0.8, 0.8, 1.0)
_POWER_SD = 0.4  # of log a
_CUBIC, _STEP = 25.0, 1.0  # variances of the coefficients of m
_JITTER = 1e-6
_LATE = 0.3  # the noise of the last epoch, as a share of that of the first
_FAR = 20.0  # deviations of the prior: numbers beyond have no squares
_DIGITS = 6  # of what was found: the last bits of a sum must not decide


@dataclass(frozen=True)
class Rows:
    """What was measured, N values."""

    x: Array  # (N, D) in the unit cube
    epoch: Array  # (N,) from 1
    who: NDArray[np.int64]  # (N,) configurations
    y: Array  # (N,)

    def and_also(self, x: Array, epoch: Array, who: NDArray[np.int64], y: Array) -> Rows:
        """These and further ones."""
        return Rows(
            np.concatenate([self.x, x]),
            np.concatenate([self.epoch, epoch]),
            np.concatenate([self.who, who]),
            np.concatenate([self.y, y]),
        )


@dataclass(frozen=True)
class _Scales:
    """The free numbers, out of their logarithms (D + 6,)."""

    lengths: Array
    late: float
    early: float
    own_late: float
    own_early: float
    noise: float
    power: float

    @classmethod
    def of(cls, logs: Array) -> _Scales:
        numbers = np.exp(logs)
        return cls(numbers[:-6], *(float(each) for each in numbers[-6:]))


class CurveProcess:
    """The process before anything is measured.

    Args:
        dimensions: of the unit cube; 0 for a space of one configuration.
        epochs: of a full training.
        drops: epochs after which the learning rate has just dropped.
    """

    def __init__(self, dimensions: int, epochs: int, drops: tuple[int, ...] = ()):
        self.dimensions, self.epochs, self.drops = dimensions, epochs, drops
        length = np.log(_LENGTH) + np.log(max(1, dimensions)) / 4
        self.prior = np.concatenate([np.full(dimensions, length), np.log(_SCALES), [0.0]])
        self._sd = np.concatenate([np.full(dimensions, _LENGTH_SD), _SCALES_SD, [_POWER_SD]])
        self.precision = np.diag([1 / _CUBIC] * 4 + [1 / _STEP] * len(drops))

    def fit(self, rows: Rows, start: Array, iterations: int) -> Array:
        """The logarithms of the most probable lengths, scales and power, (D + 6,), from `start` on."""
        apart = np.stack([_squares_apart(column, column) for column in rows.x.T]) if self.dimensions else None
        with one_thread():
            found = minimize(
                self._negative_log_posterior,
                start,
                args=(rows, apart),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": iterations},
            )
        best = found.x if np.isfinite(found.fun) and np.all(np.isfinite(found.x)) else start
        return np.round(best, _DIGITS)

    def left_at(self, epoch: Array) -> Array:
        """1 - log t / log epochs: 1 at the first epoch, 0 at the last."""
        if self.epochs == 1:
            return np.zeros_like(epoch)
        left: Array = np.clip(1 - np.log(epoch) / np.log(self.epochs), 0.0, 1.0)
        return left

    def basis(self, epoch: Array) -> Array:
        """The columns of m, (N, 4 + drops)."""
        left = self.left_at(epoch)
        steps = [(epoch >= drop).astype(float) for drop in self.drops]
        return np.stack([np.ones_like(left), left, left**2, left**3, *steps], 1)

    def _negative_log_posterior(self, logs: Array, rows: Rows, apart: Array | None) -> tuple[float, Array]:
        """And its gradient; no distribution is a very bad one."""
        gone = (logs - self.prior) / self._sd
        if np.abs(gone).max(initial=0.0) > _FAR:  # a step of the search for the mode that went astray
            return 1e10, np.zeros_like(logs)
        at = _Scales.of(logs)
        left = self.left_at(rows.epoch)
        phi = left**at.power
        early = np.outer(phi, phi)
        same = (rows.who[:, None] == rows.who[None]).astype(float)
        squares: Array = np.zeros_like(early) if apart is None else np.tensordot(at.lengths**-2, apart, 1)
        root = np.sqrt(5 * squares)
        decay = np.exp(-root)
        kernel = (1 + root + root * root / 3) * decay
        between = at.late**2 + at.early**2 * early
        weight = _LATE + (1 - _LATE) * phi
        noise = (at.noise * weight) ** 2
        covariance = kernel * between + same * (at.own_late**2 + at.own_early**2 * early)
        covariance[np.diag_indices_from(covariance)] += noise + _JITTER
        try:
            lower = cholesky(covariance, lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            return 1e10, np.zeros_like(logs)
        inverse = cho_solve((lower, True), np.eye(len(phi)), check_finite=False)
        basis = self.basis(rows.epoch)
        seen = basis.T @ inverse
        mean = np.linalg.solve(seen @ basis + self.precision, seen @ rows.y)
        residual = rows.y - basis @ mean
        pull = inverse @ residual
        value = 0.5 * residual @ pull + np.log(np.diag(lower)).sum() + 0.5 * gone @ gone
        slope = 0.5 * (inverse - np.outer(pull, pull))
        by_kernel, by_own, diagonal = slope * kernel, slope * same, np.diag(slope)
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = np.where(left > 0, phi * np.log(np.maximum(left, 1e-300)) * at.power, 0.0)
        turned = np.outer(turn, phi)
        turned += turned.T
        gradient = np.empty_like(logs)
        if apart is not None:
            inner = slope * between * (5 / 3) * (1 + root) * decay
            gradient[:-6] = np.tensordot(apart, inner, 2) * at.lengths**-2
        gradient[-6] = by_kernel.sum() * 2 * at.late**2
        gradient[-5] = (by_kernel * early).sum() * 2 * at.early**2
        gradient[-4] = by_own.sum() * 2 * at.own_late**2
        gradient[-3] = (by_own * early).sum() * 2 * at.own_early**2
        gradient[-2] = 2 * diagonal @ noise
        gradient[-1] = (
            at.early**2 * (by_kernel * turned).sum()
            + at.own_early**2 * (by_own * turned).sum()
            + at.noise**2 * 2 * (1 - _LATE) * diagonal @ (weight * turn)
        )
        return float(value), gradient + gone / self._sd


class Posterior:
    """The process given what was measured.

    Args:
        process: before.
        logs: (D + 6,) as `fit` gives them.
        rows: at least one.
    """

    def __init__(self, process: CurveProcess, logs: Array, rows: Rows):
        self._process, self._at, self.rows = process, _Scales.of(logs), rows
        self._phi = process.left_at(rows.epoch) ** self._at.power
        covariance = self._covariance(rows.x, self._phi, rows.who)
        noise = (self._at.noise * (_LATE + (1 - _LATE) * self._phi)) ** 2
        covariance[np.diag_indices_from(covariance)] += noise + _JITTER
        basis = process.basis(rows.epoch)
        with one_thread():
            self._lower = cholesky(covariance, lower=True, check_finite=False)
            self._basis = solve_triangular(self._lower, basis, lower=True, check_finite=False)
            y = solve_triangular(self._lower, rows.y, lower=True, check_finite=False)
            self._spread = np.linalg.inv(self._basis.T @ self._basis + process.precision)
            self._mean = self._spread @ (self._basis.T @ y)
            pull = y - self._basis @ self._mean
            self._pull = solve_triangular(self._lower, pull, lower=True, trans="T", check_finite=False)

    def at(self, x: Array, epoch: Array, who: NDArray[np.int64]) -> tuple[Array, Array, Array]:
        """Mean and two deviations, (M,) each, of values without the noise of an epoch.

        The first deviation is that beside others at the same epoch, whose m is the same one; the second one is whole.

        Args:
            x: (M, D).
            epoch: (M,).
            who: (M,) configurations; a number that no row has for one that is not begun.
        """
        at = self._at
        phi = self._process.left_at(epoch) ** at.power
        covariance = self._covariance(x, phi, who)
        basis = self._process.basis(epoch)
        before = at.late**2 + at.own_late**2 + (at.early**2 + at.own_early**2) * phi**2
        with one_thread():
            mean = basis @ self._mean + covariance @ self._pull
            seen = solve_triangular(self._lower, covariance.T, lower=True, check_finite=False)
            rest = basis - seen.T @ self._basis
        beside = np.maximum(before - (seen * seen).sum(0), 1e-10)
        return mean, np.sqrt(beside), np.sqrt(beside + np.einsum("ij,jk,ik->i", rest, self._spread, rest))

    def _covariance(self, x: Array, phi: Array, who: NDArray[np.int64]) -> Array:
        """With the rows, (M, N), without noise."""
        at = self._at
        early = np.outer(phi, self._phi)
        same = who[:, None] == self.rows.who[None]
        kernel = _matern(x / at.lengths, self.rows.x / at.lengths)
        own: Array = kernel * (at.late**2 + at.early**2 * early)
        own += same * (at.own_late**2 + at.own_early**2 * early)
        return own


def _matern(first: Array, second: Array) -> Array:
    """Matern-5/2, (M, N), of points in units of their lengths."""
    squares = (first * first).sum(1)[:, None] + (second * second).sum(1)[None] - 2 * first @ second.T
    root = np.sqrt(5 * np.maximum(squares, 0.0))
    kernel: Array = (1 + root + root * root / 3) * np.exp(-root)
    return kernel


def _squares_apart(first: Array, second: Array) -> Array:
    apart: Array = (first[:, None] - second[None]) ** 2
    return apart
