"""Which training stands for a space."""

from __future__ import annotations

import pytest

from tests.space.spaces import space
from wrn_search.lr_range.middle_trial import MiddleTrial, middle, middle_trial
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Scalar, Uniform

_DIGITS = "dataset: {name: digits}\n"


def of(text: str, *overrides: str) -> MiddleTrial:
    """The middle of the space of a text."""
    return middle_trial(space(_DIGITS + text, *overrides), 10, 1, 7, "fp32")


@pytest.mark.parametrize(
    ("name", "domain", "value"),
    [
        ("batch_size", Choice((256, 32, 64)), 64),
        ("dropout", Uniform(0.0, 0.4), 0.2),
        ("weight_decay", LogUniform(1e-5, 1e-3), 1e-4),
        ("batch_size", IntRange(16, 256, log=True), 64),
        ("depth", IntRange(10, 28, 6), 16),
        ("init", Choice(("fan_out", "fan_in")), "fan_in"),
        ("init", Choice(("fan_out",)), "fan_out"),
    ],
)
def test_the_middle_of_a_domain(name: str, domain: Domain, value: Scalar) -> None:
    assert middle(name, domain) == pytest.approx(value)


def test_keys_that_are_set_stay_and_domains_have_their_middle() -> None:
    text = "model: {depth: {choice: [10, 16, 22]}, widen_factor: 2}\ntraining: {learning_rate: {loguniform: [0.01, 1]}}"
    trial = of(text)
    assert (trial.network, trial.config.seed, trial.searched) == ("WRN-16-2", 7, {"depth": 16})
    assert of(text, "model.depth=22").network == "WRN-22-2"


def test_of_listed_networks_the_one_with_the_median_of_the_parameters() -> None:
    names = ["WRN-40-4", "WRN-10-0.5", "WRN-16-2"]
    trial = of(f"model: {{network: {{choice: [{', '.join(names)}]}}, dropout: {{uniform: [0, 0.4]}}}}")
    assert trial.network == "WRN-16-2"
    assert trial.config.dropout == pytest.approx(0.2)


def test_of_networks_within_a_budget_one_of_them() -> None:
    trial = of(
        "model: {depth: {choice: [10, 16, 22]}, widen_factor: {uniform: [0.5, 4]}}\n"
        "constraints: {num_params: {min: 50000, max: 200000}}"
    )
    assert 50_000 <= num_params(trial.config.architecture, 10, 1) <= 200_000


def test_of_listed_points_one_of_them() -> None:
    points = "[{depth: 10, dropout: 0.1}, {depth: 22, dropout: 0.3}, {depth: 16, dropout: 0.2}]"
    trial = of(f"search: {{searcher: grid, points: {points}}}")
    assert (trial.config.depth, trial.config.dropout) == (16, 0.2)


def test_a_key_that_does_not_apply_has_its_default() -> None:
    text = "model: {widen_factor: {choice: [1, 2, 4]}, dropout: {uniform: [0.1, 0.5], when: {widen_factor: [4]}}}"
    trial = of(text)
    assert trial.config.widen_factor == 2
    assert trial.config.dropout == 0.0
    assert "dropout" not in trial.searched
