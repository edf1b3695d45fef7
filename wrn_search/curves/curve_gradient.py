"""The slope of the marginal likelihood in phi and the variances, at the cost of one more pass over the curves.

By Fisher's identity it is the expectation of the slope of the joint density given the curves: for the covariance S of
a block, (K E[r r'] K - K) / 2 with K = S^-1 and r the residual, whose mean and covariance the coefficients give.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from wrn_search.curves.curve_likelihood import (
    NARROWER,
    Coefficients,
    Observations,
    Variances,
    joined_blocks,
    precisions,
    prior_deviations,
)
from wrn_search.curves.design_columns import GROUPS, Array

_STEP = 1e-6


def slope_in_flat(of: Observations, at: Variances, given: Coefficients) -> Array:
    """The derivative of the marginal likelihood by all that it depends on, in one row.

    That is: covariances of trials and of configurations, noise^2, kappa, phi, logarithms of the widths late and early.
    """
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
    counted, own = (each[np.argsort(of.of)] for each in (of.count_variance, of.spread))
    if blocks.correction is not None:
        by_trial = _by_trial(of, at, blocks.weights, blocks.pulled, blocks.correction, spread)
        counted, own = of.count_variance, of.spread
    diagonal = np.einsum("ijj->ij", by_trial)
    phi = (pull * (x_early @ early)[:, None] - np.einsum("cjk,ck->cj", joined, with_early)).sum(0)
    if blocks.correction is None:
        of_configuration = np.zeros_like(of_configuration)
    return np.concatenate(
        [
            np.tensordot(own, by_trial, 1).ravel(),
            of_configuration.ravel(),
            own @ diagonal,
            [(diagonal * counted).sum()],
            phi,
            _of_groups(of, at, given.mean, covariance),
        ]
    )


def slope(
    of: Observations, at: Variances, flats: Callable[[Array], Array], vector: Array, given: Coefficients
) -> Array:
    """The derivative of the marginal likelihood by the vector that `at` is made of.

    Args:
        flats: (V, n) vectors -> (V, F), a row of `slope_in_flat`'s entries each.
    """
    rows = flats(np.vstack([vector, vector + _STEP * np.eye(len(vector))]))
    result: Array = (rows[1:] - rows[0]) @ slope_in_flat(of, at, given) / _STEP
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
    """(2 len(GROUPS),) by the logarithm of each width, and of how much wider the early ones are."""
    rungs, columns = of.z.shape[1], of.x.shape[1]
    widths = np.concatenate(prior_deviations(of, at))
    means, variances = mean[rungs:].copy(), np.diag(covariance)[rungs:].copy()
    b, d = of.early_columns, columns + np.arange(len(of.early_columns))
    both = covariance[rungs + b, rungs + d]
    means[d] += NARROWER * means[b]
    variances[d] += 2 * NARROWER * both + NARROWER**2 * variances[b]
    squares = (means**2 + variances) / widths**2 - 1
    late = np.bincount(of.group, squares[:columns], minlength=len(GROUPS)).astype(float)
    early = np.bincount(of.group[of.early_columns], squares[columns:], minlength=len(GROUPS)).astype(float)
    return np.concatenate([late + early, early])


def squared_distances(of: Observations, at: Variances, given: Coefficients) -> Array:
    """(N,) Mahalanobis distances of the curves to what is expected of them, in expectation over the coefficients.

    By the variances that all trials share, `spread` 1.
    """
    rungs, columns = of.z.shape[1], of.x.shape[1]
    late, early = given.mean[rungs : rungs + columns], given.mean[rungs + columns :]
    expected = (
        given.mean[:rungs] + (of.x @ late)[:, None] + (of.x[:, of.early_columns] @ early)[:, None] * at.phi
    )
    half = np.linalg.inv(given.root)
    moved, _ = _spread(of, at, half.T @ half)
    weights, _ = precisions(replace(of, spread=np.ones(len(of.z))), at, 1.0)
    residual = np.where(of.seen, of.z - expected[of.of], 0.0)
    square = np.einsum("nj,njk,nk->n", residual, weights, residual)
    distances: Array = square + np.einsum("njk,nkj->n", weights, moved[of.of])
    return distances
