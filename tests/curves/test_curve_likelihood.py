"""The fast likelihood against the same Gaussian written out in full."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from tests.curves.made_up_curves import made_up
from wrn_search.curves.curve_fit import observations_of
from wrn_search.curves.curve_likelihood import (
    Observations,
    Variances,
    coefficients,
    prior_mean,
    prior_precision,
)
from wrn_search.curves.curve_parameters import Parameters


def observed(trials: int, repeats: int) -> Observations:
    """Curves of which some are strange."""
    of, _ = observations_of(made_up(trials, repeats=repeats, learning_rate=(0.1, 0.5)))
    return replace(of, spread=1 + 0.1 * np.arange(len(of.z)) % 1)


def written_out(of: Observations, at: Variances) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(n,) z, (n,) its prior mean, (n, Q) A and (n, n) covariance given the coefficients, over all that was seen."""
    rows, columns = np.nonzero(of.seen)
    phi = at.phi[columns][:, None]
    configuration = of.of[rows]
    early = of.x[:, of.early_columns]
    design = np.hstack([np.eye(len(at.phi))[columns], of.x[configuration], phi * early[configuration]])
    seed_share = 1 - at.share if of.repeated else 1.0
    covariance = (at.share * at.basis @ at.effects @ at.basis.T)[np.ix_(columns, columns)] * np.equal.outer(
        configuration, configuration
    )
    if not of.repeated:
        covariance = covariance * 0
    own = at.of_trial(seed_share)[np.ix_(columns, columns)] * of.spread[rows] * np.equal.outer(rows, rows)
    counted = np.diag(at.of_epochs(of.count_variance, of.spread[:, None])[rows, columns])
    covariance = covariance + own + counted
    return of.z[rows, columns], prior_mean(of)[columns], design, covariance


@pytest.mark.parametrize("repeats", [1, 3])
def test_the_marginal_likelihood_is_that_of_one_large_gaussian(repeats: int) -> None:
    of = observed(18, repeats)
    model = Parameters(of)
    at = model.variances(model.centre + 0.2)
    z, mean, design, covariance = written_out(of, at)
    prior = np.linalg.inv(prior_precision(of, at)[0])
    expected = multivariate_normal(mean, covariance + design @ prior @ design.T).logpdf(z)
    assert coefficients(of, at).log_likelihood == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("repeats", [1, 2])
def test_the_coefficients_are_those_of_bayesian_regression(repeats: int) -> None:
    of = observed(16, repeats)
    model = Parameters(of)
    at = model.variances(model.centre - 0.1)
    z, mean, design, covariance = written_out(of, at)
    inverse = np.linalg.inv(covariance)
    precision = design.T @ inverse @ design + prior_precision(of, at)[0]
    solved = np.linalg.solve(precision, design.T @ inverse @ (z - mean))
    solved[: len(at.phi)] += prior_mean(of)
    found = coefficients(of, at)
    np.testing.assert_allclose(found.mean, solved, atol=1e-8)
    np.testing.assert_allclose(found.root @ found.root.T, precision, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("repeats", [1, 3])
def test_the_slope_is_that_of_differences(repeats: int) -> None:
    of = observed(30, repeats)
    model = Parameters(of)
    vector = model.centre + 0.3 * np.random.default_rng(0).standard_normal(len(model.centre))
    slope = model.slope(vector, model.log_posterior(vector)[1])
    moves = 1e-5 * np.eye(len(vector))
    rises = [model.log_posterior(vector + move)[0] - model.log_posterior(vector - move)[0] for move in moves]
    np.testing.assert_allclose(slope, np.array(rises) / 2e-5, rtol=1e-3, atol=1e-3)
