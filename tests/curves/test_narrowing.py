"""What further epochs would tell: against the covariance of the coefficients with and without them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.curves.made_up_curves import made_up
from wrn_search.curves.curve_fit import arrays_of, observations_of
from wrn_search.curves.curve_likelihood import Observations, coefficients
from wrn_search.curves.curve_parameters import Parameters
from wrn_search.curves.narrowing import Alike, Narrowing, Seen


@pytest.fixture(scope="module")
def of() -> Observations:
    """Curves that count equally well at each rung, so that their values decide nothing."""
    found = observations_of(made_up(24))[0]
    return replace(found, count_variance=np.full_like(found.count_variance, 0.004))


def alike_in(of: Observations) -> dict[Seen, Alike]:
    """Its curves by where they were seen."""
    found: dict[Seen, Alike] = {}
    for row, x in zip(of.seen, of.x[of.of], strict=True):
        seen = tuple(np.flatnonzero(row).tolist())
        found[seen] = found.get(seen, Alike.nobody(len(x))).and_also(x)
    return found


def narrowing_of(of: Observations, contrasts: np.ndarray) -> Narrowing:
    """At the variances that the model believes in at first."""
    model = Parameters(of)
    counting = np.full(len(of.epochs), 0.004)
    return Narrowing(of, model.variances(model.centre), counting, alike_in(of), contrasts)


def test_the_covariance_is_that_of_the_coefficients(of: Observations) -> None:
    model = Parameters(of)
    root = coefficients(of, model.variances(model.centre)).root
    contrasts = np.random.default_rng(0).standard_normal((3, of.x.shape[1]))
    found = narrowing_of(of, contrasts)
    expected = np.linalg.inv(root @ root.T)
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-6, atol=1e-9)
    late = slice(len(of.epochs), len(of.epochs) + of.x.shape[1])
    variances = [each @ expected[late, late] @ each for each in contrasts]
    np.testing.assert_allclose(found.variances, variances, rtol=1e-6)


def test_a_fall_is_that_of_the_search_with_the_curve_gone_on(of: Observations) -> None:
    """Who was stopped at the first rung goes on to each further one: the logarithm falls by what was foretold."""
    contrasts = np.random.default_rng(1).standard_normal((2, of.x.shape[1]))
    before = narrowing_of(of, contrasts)
    stopped = next(at for at, row in enumerate(of.seen) if row.sum() == 1)
    falls = before.falls(of.x[of.of[stopped]][None], (0,))[0]
    for further in range(1, len(of.epochs)):
        seen = of.seen.copy()
        seen[stopped, : further + 1] = True
        after = narrowing_of(replace(of, seen=seen), contrasts)
        expected = np.log(before.variances / after.variances)
        np.testing.assert_allclose(falls[:, further - 1], expected, rtol=1e-6, atol=1e-9)
    assert np.all(np.diff(falls, axis=1) >= 0)


def test_a_new_curve_tells_what_it_would(of: Observations) -> None:
    contrasts = np.eye(of.x.shape[1])[:2]
    before = narrowing_of(of, contrasts)
    x = of.x[of.of[3]]
    falls = before.falls(np.stack([x, of.x[of.of[4]]]), ())
    alike = alike_in(of)
    alike[0,] = alike[0,].and_also(x)
    model = Parameters(of)
    after = Narrowing(of, model.variances(model.centre), np.full(len(of.epochs), 0.004), alike, contrasts)
    np.testing.assert_allclose(falls[0, :, 0], np.log(before.variances / after.variances), rtol=1e-6)
    assert falls.shape == (2, 2, len(of.epochs))


def test_a_curve_without_values_changes_nothing() -> None:
    table = made_up(12)
    of = observations_of(table)[0]
    nobody = arrays_of(table.trials[:1], replace(table, trials=table.trials[:1]), of.epochs, of.design, 0.0)
    contrasts = np.eye(of.x.shape[1])[:1]
    model = Parameters(nobody)
    found = Narrowing(nobody, model.variances(model.centre), np.full(len(of.epochs), 0.01), {}, contrasts)
    more = found.falls(of.x[:1], ())[0, 0]
    assert 0 < more[0] < more[-1]
