"""The slope of the marginal likelihood in phi and the variances, at the cost of one more pass over the curves.

By Fisher's identity it is the expectation of the slope of the joint density given the curves: for the covariance S of
a block, (K E[r r'] K - K) / 2 with K = S^-1 and r the residual, whose mean and covariance the coefficients give.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wrn_search.curves.curve_likelihood import Coefficients, Observations, Variances, joined_blocks
from wrn_search.curves.design_columns import GROUPS, Array

_STEP = 1e-5


def flat(at: Variances, repeated: bool) -> Array:
    """All that the likelihood depends on, in one row: covariances, noise, kappa, phi, logarithms of the widths."""
    seed_share = 1 - at.share if repeated else 1.0
    covariances = [at.of_trial(seed_share).ravel(), at.of_configuration().ravel()]
    return np.concatenate([*covariances, at.noise**2, [at.kappa], at.phi, np.log(at.groups)])


def slope_in_flat(of: Observations, at: Variances, given: Coefficients) -> Array:
    """The derivative of the marginal likelihood by each entry of `flat`."""
    rungs, columns = of.z.shape[1], of.x.shape[1]
    late, early = given.mean[rungs : rungs + columns], given.mean[rungs + columns :]
    x, x_early = of.x, of.x[:, of.early_columns]
    expected = given.mean[:rungs] + (x @ late)[:, None] + (x_early @ early)[:, None] * at.phi
    blocks = joined_blocks(of, at, expected)
    half = np.linalg.inv(given.root)
    covariance: Array = half.T @ half
    spread, with_early = _spread(of, at, covariance)  # (C, J, J), (C, J)

    joined, pull = blocks.joined, blocks.pull
    by_configuration = 0.5 * (joined @ spread @ joined + pull[:, :, None] * pull[:, None, :] - joined)
    of_configuration = by_configuration.sum(0)
    by_trial: Array = by_configuration
    counted = of.count_variance[np.argsort(of.of)]
    if blocks.correction is not None:
        by_trial = _by_trial(of, at, blocks.weights, blocks.pulled, blocks.correction, spread)
        counted = of.count_variance
    diagonal = np.einsum("ijj->ij", by_trial)
    phi = (pull * (x_early @ early)[:, None] - np.einsum("cjk,ck->cj", joined, with_early)).sum(0)
    if blocks.correction is None:
        of_configuration = np.zeros_like(of_configuration)
    return np.concatenate(
        [
            by_trial.sum(0).ravel(),
            of_configuration.ravel(),
            diagonal.sum(0),
            [(diagonal * counted).sum()],
            phi,
            _of_groups(of, at, given.mean, covariance),
        ]
    )


def slope(of: Observations, make: Callable[[Array], Variances], vector: Array, given: Coefficients) -> Array:
    """The derivative of the marginal likelihood by the vector from which `make` makes the variances."""
    by_flat = slope_in_flat(of, make(vector), given)
    result = np.empty(len(vector))
    for index in range(len(vector)):
        move = np.zeros(len(vector))
        move[index] = _STEP
        up, down = (flat(make(vector + sign * move), of.repeated) for sign in (1, -1))
        result[index] = by_flat @ (up - down) / (2 * _STEP)
    return result


def _spread(of: Observations, at: Variances, covariance: Array) -> tuple[Array, Array]:
    """(C, J, J) covariance of the expected curves, (C, J) their covariance with x'd, given the coefficients'."""
    rungs, columns = of.z.shape[1], of.x.shape[1]
    m, b, d = slice(0, rungs), slice(rungs, rungs + columns), slice(rungs + columns, None)
    x, early = of.x, of.x[:, of.early_columns]
    level_late = x @ covariance[b, m]  # (C, J)
    level_early = early @ covariance[d, m]
    late = ((x @ covariance[b, b]) * x).sum(1)[:, None]
    both = ((x @ covariance[b, d]) * early).sum(1)[:, None]
    only = ((early @ covariance[d, d]) * early).sum(1)[:, None]
    with_late = level_late + late + both * at.phi  # (C, J): of the curve with x'b
    with_early = level_early + both + only * at.phi
    level = covariance[m, m] + level_late[:, None, :] + level_early[:, None, :] * at.phi[:, None]
    spread: Array = level + with_late[:, :, None] + with_early[:, :, None] * at.phi
    return spread, with_early


def _by_trial(
    of: Observations, at: Variances, weights: Array, pulled: Array, correction: Array, spread: Array
) -> Array:
    """(N, J, J) where repeats share effects: the diagonal blocks of the configurations' slopes."""
    shown = weights @ at.basis  # (N, J, 2)
    joined = np.zeros((len(of.x), *weights.shape[1:]))
    pull = np.zeros((len(of.x), weights.shape[1]))
    np.add.at(joined, of.of, weights)
    np.add.at(pull, of.of, pulled)
    back = correction @ at.basis.T  # (C, 2, J)
    row = weights - shown @ (back @ joined)[of.of]  # a trial's row of K, summed over the repeats
    own = weights - shown @ back[of.of] @ weights
    residual = pulled - np.einsum("nja,na->nj", shown, np.einsum("caj,cj->ca", back, pull)[of.of])
    moved = row @ spread[of.of] @ np.swapaxes(row, 1, 2)
    result: Array = 0.5 * (moved + residual[:, :, None] * residual[:, None, :] - own)
    return result


def _of_groups(of: Observations, at: Variances, mean: Array, covariance: Array) -> Array:
    """(len(GROUPS),) by the logarithm of each width."""
    rungs = of.z.shape[1]
    widths = np.concatenate(
        [of.deviation * at.groups[of.group], (of.early * at.groups[of.group])[of.early_columns]]
    )
    group = np.concatenate([of.group, of.group[of.early_columns]])
    squares = (mean[rungs:] ** 2 + np.diag(covariance)[rungs:]) / widths**2 - 1
    slopes: Array = np.bincount(group, squares, minlength=len(GROUPS)).astype(float)
    return slopes
