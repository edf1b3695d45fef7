"""The process against the same Gaussian written out in full, and its gradient against differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad

from wrn_search.curve_process.gaussian_process import CurveProcess, Posterior, Rows

EPOCHS = 16


def _rows(count: int, dimensions: int, seed: int = 0) -> Rows:
    """Values of count / 3 configurations at up to three epochs."""
    generator = np.random.RandomState(seed)
    who = np.arange(count) // 3
    points = generator.uniform(size=(count, dimensions))
    return Rows(
        points[who], np.array([1.0, 4.0, 16.0])[np.arange(count) % 3], who, generator.normal(size=count)
    )


def _written_out(
    process: CurveProcess, logs: np.ndarray, first: Rows, second: Rows
) -> tuple[np.ndarray, np.ndarray]:
    """Covariance of values, (M, N), entry by entry, the coefficients of m integrated out; of the noise, (M,)."""
    lengths, (late, early, own_late, own_early, noise, power) = np.exp(logs[:-6]), np.exp(logs[-6:])

    def phi(epoch: float) -> float:
        return (1 - np.log(epoch) / np.log(EPOCHS)) ** power

    covariance = np.empty((len(first.y), len(second.y)))
    for i in range(len(first.y)):
        for j in range(len(second.y)):
            r = np.sqrt(5 * (((first.x[i] - second.x[j]) / lengths) ** 2).sum())
            k = (1 + r + r * r / 3) * np.exp(-r)
            both = phi(first.epoch[i]) * phi(second.epoch[j])
            own = (own_late**2 + own_early**2 * both) * (first.who[i] == second.who[j])
            covariance[i, j] = k * (late**2 + early**2 * both) + own
    prior = np.linalg.inv(process.precision)
    covariance += process.basis(first.epoch) @ prior @ process.basis(second.epoch).T
    return covariance, np.array([(noise * (0.3 + 0.7 * phi(t))) ** 2 + 1e-6 for t in first.epoch])


@pytest.mark.parametrize("dimensions", [0, 1, 3])
@pytest.mark.parametrize("drops", [(), (4,)])
def test_what_is_expected_is_what_the_formula_says(dimensions: int, drops: tuple[int, ...]) -> None:
    process = CurveProcess(dimensions, EPOCHS, drops)
    rows, asked = _rows(12, dimensions), _rows(6, dimensions, seed=1)
    asked = Rows(asked.x, asked.epoch, np.array([0, 1, 2, 9, 9, -1]), asked.y)
    logs = process.prior + 0.1 * np.arange(len(process.prior))
    among, noise = _written_out(process, logs, rows, rows)
    across, _ = _written_out(process, logs, asked, rows)
    before, _ = _written_out(process, logs, asked, asked)
    weights = np.linalg.solve(among + np.diag(noise), across.T).T
    mean, beside, sd = Posterior(process, logs, rows).at(asked.x, asked.epoch, asked.who)
    np.testing.assert_allclose(mean, weights @ rows.y, atol=1e-7)
    np.testing.assert_allclose(sd**2, np.diag(before - weights @ across.T), atol=1e-7)
    among, across, before = (
        _written_out(process, logs, first, second)[0]
        - process.basis(first.epoch) @ np.linalg.inv(process.precision) @ process.basis(second.epoch).T
        for first, second in ((rows, rows), (asked, rows), (asked, asked))
    )
    known = across @ np.linalg.solve(among + np.diag(noise), across.T)
    np.testing.assert_allclose(beside**2, np.diag(before - known), atol=1e-7)


@pytest.mark.parametrize("dimensions", [0, 2])
def test_the_gradient_is_that_of_the_posterior(dimensions: int) -> None:
    process = CurveProcess(dimensions, EPOCHS, (4,))
    rows = _rows(15, dimensions)
    apart = np.stack([(c[:, None] - c[None]) ** 2 for c in rows.x.T]) if dimensions else None
    start = process.prior + 0.2
    value, slope = (
        lambda logs, part=part: process._negative_log_posterior(logs, rows, apart)[part] for part in (0, 1)
    )
    assert check_grad(value, slope, start) < 1e-4 * np.linalg.norm(slope(start))


@pytest.mark.parametrize("far", [-1e4, 400.0, 1e4])
def test_a_step_that_goes_astray_is_no_distribution(far: float) -> None:
    """The line search of a fit may ask of numbers whose squares are too large for a double."""
    process = CurveProcess(1, EPOCHS)
    rows = _rows(15, 1)
    apart = np.stack([(c[:, None] - c[None]) ** 2 for c in rows.x.T])
    for place in range(len(process.prior)):
        logs = process.prior.copy()
        logs[place] = far
        value, slope = process._negative_log_posterior(logs, rows, apart)
        assert value == 1e10
        assert not slope.any()


def test_a_fit_finds_which_hyperparameter_counts() -> None:
    generator = np.random.RandomState(3)
    x = generator.uniform(size=(40, 2))
    rows = Rows(x, np.full(40, 16.0), np.arange(40), np.sin(6 * x[:, 0]))
    process = CurveProcess(2, EPOCHS)
    logs = process.fit(rows, process.prior, 40)
    assert logs[0] < logs[1] - 0.5
    mean, _, sd = Posterior(process, logs, rows).at(np.array([[0.3, 0.9]]), np.array([16.0]), np.array([-1]))
    assert abs(mean[0] - np.sin(1.8)) < 0.3
    assert sd[0] < 0.5


@pytest.mark.parametrize("y", [0.0, 3.0])
def test_equal_values_and_one_epoch(y: float) -> None:
    process = CurveProcess(1, 1)
    rows = Rows(np.array([[0.2], [0.4]]), np.ones(2), np.array([0, 1]), np.full(2, y))
    logs = process.fit(rows, process.prior, 20)
    mean, _, sd = Posterior(process, logs, rows).at(np.array([[0.3]]), np.ones(1), np.array([-1]))
    assert mean[0] == pytest.approx(y, abs=0.1)
    assert np.isfinite(sd[0])
