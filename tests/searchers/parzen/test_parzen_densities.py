"""Our densities of one hyperparameter against Optuna's class, number by number, and which are left to it."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator

from wrn_search.searchers.parzen.parzen_densities import density_of

PARAMETERS = TPESampler(seed=0, constant_liar=True)._parzen_estimator_parameters
CHOICE = CategoricalDistribution(("a", "b", "c", "d", "e"))
INTERVAL, LOGARITHMIC = FloatDistribution(-0.2, 0.5), FloatDistribution(1e-5, 1e-2, log=True)


def _seen(distribution: BaseDistribution, count: int, spread: float) -> np.ndarray:
    """What was seen: anywhere, or near one place as of a search that has settled; some at the ends, some twice."""
    rng = np.random.RandomState(count)
    if isinstance(distribution, CategoricalDistribution):
        return rng.randint(0, len(distribution.choices), count).astype(float)
    shares = np.clip(0.3 + spread * rng.uniform(-1, 1, count), 0, 1)
    shares[count // 2 : count // 2 + 2] = shares[:1]
    if distribution.log:
        ends = np.log(distribution.low), np.log(distribution.high)
        return np.clip(np.exp(ends[0] + shares * (ends[1] - ends[0])), distribution.low, distribution.high)
    return distribution.low + shares * (distribution.high - distribution.low)


@pytest.mark.parametrize("spread", [1.0, 0.01])
@pytest.mark.parametrize("count", [0, 1, 2, 24, 25, 26, 99, 300, 1000])
@pytest.mark.parametrize("distribution", [CHOICE, INTERVAL, LOGARITHMIC])
def test_draws_and_densities_are_optunas(distribution, count, spread) -> None:
    seen = {"x": _seen(distribution, count, spread)}
    ours = density_of(seen, {"x": distribution}, PARAMETERS)
    theirs = _ParzenEstimator(seen, {"x": distribution}, PARAMETERS)
    assert not isinstance(ours, _ParzenEstimator)
    for seed in range(3):
        drawn = ours.sample(np.random.RandomState(seed), 24)["x"]
        samples = theirs.sample(np.random.RandomState(seed), 24)
        assert drawn.tolist() == samples["x"].tolist()
        assert ours.log_pdf(samples).tolist() == theirs.log_pdf(samples).tolist()


def test_a_sample_beyond_an_end_by_rounding_is_impossible_as_with_optuna() -> None:
    seen = {"x": _seen(LOGARITHMIC, 30, 1.0)}
    samples = {"x": np.array([np.nextafter(1e-5, 0), 1e-5, 1e-3, 1e-2, np.nextafter(1e-2, 1), 0.02])}
    ours = density_of(seen, {"x": LOGARITHMIC}, PARAMETERS).log_pdf(samples)
    theirs = _ParzenEstimator(seen, {"x": LOGARITHMIC}, PARAMETERS).log_pdf(samples)
    assert ours.tolist() == theirs.tolist()
    assert np.isneginf(ours[-1])
    assert np.isfinite(ours[2])


@pytest.mark.parametrize("end", [INTERVAL.low, INTERVAL.high])
def test_a_search_that_has_settled_at_an_end_draws_on(end) -> None:
    """All kernels that are drawn may lie there: beside them there is none on the left."""
    seen = {"x": np.full(25, end)}
    ours = density_of(seen, {"x": INTERVAL}, PARAMETERS)
    theirs = _ParzenEstimator(seen, {"x": INTERVAL}, PARAMETERS)
    for seed in range(6):
        drawn, samples = (each.sample(np.random.RandomState(seed), 24)["x"] for each in (ours, theirs))
        assert drawn.tolist() == samples.tolist()


@pytest.mark.parametrize(
    "distributions",
    [
        {"x": IntDistribution(1, 9)},
        {"x": FloatDistribution(0.0, 1.0, step=0.25)},
        {"x": FloatDistribution(1.0, 1.0 + 1e-12)},
        {"x": INTERVAL, "y": CHOICE},
    ],
)
def test_the_rest_is_left_to_optuna(distributions) -> None:
    seen = {name: np.array([1.0, 1.0]) for name in distributions}
    assert isinstance(density_of(seen, distributions, PARAMETERS), _ParzenEstimator)
