"""Where the curve of a trial is expected to end, given coefficients, variances and what was seen of it: log-odds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.curve_likelihood import Observations, Variances, count_variance, precisions
from wrn_search.curves.design_columns import Array

_BROKE = 1.0  # log-odds above where it stood before: the curve of a training that broke
_FURTHER = 1.5  # times the furthest known fall that it may still fall


def end_moments(fit: CurveFit) -> tuple[Array, Array]:
    """(S, N) mean and deviation of z at the end for each draw, given the trial's curve and its repeats' curves."""
    found = [
        moments(fit.observations, variances, row[None])
        for variances, row in zip(fit.variances, fit.draws, strict=True)
    ]
    return np.concatenate([mean for mean, _ in found]), np.concatenate([deviation for _, deviation in found])


def expected_curves(of: Observations, at: Variances, draws: Array) -> Array:
    """(..., C, J) m + x'b + phi x'd of each configuration, for draws (..., Q) of the coefficients."""
    rungs, columns = of.z.shape[1], of.x.shape[1]
    late = draws[..., rungs : rungs + columns] @ of.x.T
    early = draws[..., rungs + columns :] @ of.x[:, of.early_columns].T
    curves: Array = draws[..., None, :rungs] + late[..., None] + early[..., None] * at.phi
    return curves


def effects_of_configurations(of: Observations, at: Variances, draws: Array) -> tuple[Array, Array]:
    """(..., C, 2) mean and (C, 2, 2) covariance of u and v, given draws (..., Q) of the coefficients and curves.

    The share of the seed's effects is not in them.
    """
    weights, _ = precisions(of, at, 1 - at.share)
    residual = np.where(of.seen, of.z - expected_curves(of, at, draws)[..., of.of, :], 0.0)
    basis = at.basis
    count = len(of.x)
    information, pull = np.zeros((count, 2, 2)), np.zeros((count, *draws.shape[:-1], 2))
    np.add.at(information, of.of, basis.T @ weights @ basis)
    np.add.at(pull, of.of, np.einsum("ijk,...ik->i...j", weights, residual) @ basis)
    effects = at.share * at.effects
    inner = np.eye(2) + effects @ information
    covariance = np.linalg.solve(inner, np.broadcast_to(effects, inner.shape))
    return np.einsum("cab,c...b->...ca", covariance, pull), covariance


def moments(of: Observations, at: Variances, draws: Array) -> tuple[Array, Array]:
    """(D, N) mean and deviation of z at the end for draws (D, Q); its own counting and noise of epochs are in it."""
    seed_share = 1 - at.share if of.repeated else 1.0
    weights, _ = precisions(of, at, seed_share)
    expected = expected_curves(of, at, draws)[:, of.of]
    residual = np.where(of.seen, of.z - expected, 0.0)
    basis = at.basis
    shared = at.of_trial(seed_share)[-1]  # (J,) of the end with the rungs
    shared_seen = np.where(of.seen, of.spread[:, None] * shared, 0.0)
    gain = (shared_seen[:, None, :] @ weights)[:, 0]  # (N, J)
    mean = expected[:, :, -1]
    explained = (gain * shared_seen).sum(1)
    variance = of.spread * shared[-1] - explained + _of_epochs_at_end(of, at, mean)
    if of.repeated:
        effect, covariance = effects_of_configurations(of, at, draws)
        residual = np.where(of.seen, residual - (effect @ basis.T)[:, of.of], 0.0)
        through = basis[-1] - gain @ basis  # (N, 2): what the configuration's effects still do to the end
        variance = variance + np.einsum("na,nab,nb->n", through, covariance[of.of], through)
        mean = mean + effect[:, of.of] @ basis[-1]
    return mean + (gain * residual).sum(2), np.sqrt(np.maximum(variance, 0.0))


def highest_ends(fit: CurveFit) -> Array:
    """(N,) log-odds that the middle of a predicted end does not exceed: curves fall, whatever hyperparameters promise.

    It is the curve at the last rung seen, without the noise of epochs and counting that the mode finds in it: a value
    that was lucky may rise. Where curves with an end rose from that rung on average, as much is added.
    """
    of, at = fit.observations, fit.mode
    weights, _ = precisions(of, at, 1.0)
    residual = np.where(of.seen, of.z - expected_curves(of, at, fit.at_mode.mean)[of.of], 0.0)
    noise = at.of_epochs(of.count_variance, of.spread[:, None]) * np.einsum("njk,nk->nj", weights, residual)
    rungs = of.z.shape[1]
    rises = np.zeros(rungs)
    for rung, falls in _known_falls(of):
        rises[rung] = max(0.0, float(-falls.mean()))
    rows, last = _last_seen(of)
    highest: Array = (of.z - noise)[rows, last] + rises[last]
    return highest


def lowest_ends(fit: CurveFit) -> Array:
    """(N,) log-odds below which the middle of a predicted end does not lie, for curves that broke; else minus endless.

    Where all that ended stand together, what differed early is held for noise or a slow start, and a training that
    broke would be promised their end. It falls from where it stands by at most `_FURTHER` times what the furthest
    curve with an end fell from there; where none was seen there is no bound.
    """
    of = fit.observations
    furthest = np.full(of.z.shape[1], np.inf)
    for rung, falls in _known_falls(of):
        furthest[rung] = max(0.0, float(falls.max()))
    rows, last = _last_seen(of)
    here = of.z[rows, last]
    broke = here - np.where(of.seen, of.z, np.inf).min(1) > _BROKE
    lowest: Array = np.where(broke, here - _FURTHER * furthest[last], -np.inf)
    return lowest


def _known_falls(of: Observations) -> Iterator[tuple[int, Array]]:
    """Each rung from which a curve with an end was seen, and how far (K,) such curves fell from there."""
    for rung in range(of.z.shape[1] - 1):
        known = of.seen[:, -1] & of.seen[:, rung]
        if known.any():
            yield rung, of.z[known, rung] - of.z[known, -1]


def _last_seen(of: Observations) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(N,) each trial's row and the last rung at which it was seen."""
    return np.arange(len(of.z)), of.z.shape[1] - 1 - of.seen[:, ::-1].argmax(1)


def _of_epochs_at_end(of: Observations, at: Variances, mean: Array) -> Array:
    """(D, N) variance of e at an end whose log-odds are `mean`: of counting, and the noise of epochs."""
    counted = count_variance(of.most / (1 + np.exp(-mean)), of.images, of.most)
    variance: Array = at.kappa * counted + of.spread * at.noise[-1] ** 2
    return variance
