"""Milliseconds of a call: by a clock that the test moves, and of real networks."""

from __future__ import annotations

import pytest
import torch

from tests.training.trainings import config_of, new_training
from wrn_search.training.inference_time import FEWEST, MOST, WARM_UP, median_milliseconds


class _Clock:
    """Seconds that pass when the call says so."""

    def __init__(self, seconds: list[float]):
        self.now, self.seconds, self.calls = 0.0, seconds, 0

    def __call__(self) -> float:
        return self.now

    def once(self) -> None:
        self.now += self.seconds[min(self.calls, len(self.seconds) - 1)]
        self.calls += 1


def test_the_warm_up_does_not_count_and_one_slow_pass_moves_nothing() -> None:
    clock = _Clock([9.0] * WARM_UP + [0.2, 0.2, 5.0, 0.2, 0.2, 0.2, 0.2])
    assert median_milliseconds(clock.once, torch.device("cpu"), clock) == pytest.approx(200)
    assert clock.calls == WARM_UP + FEWEST


def test_fast_calls_are_repeated_up_to_a_limit() -> None:
    clock = _Clock([1e-6])
    assert median_milliseconds(clock.once, torch.device("cpu"), clock) == pytest.approx(1e-3)
    assert clock.calls == 2 * MOST


def test_the_network_stays_as_it_was() -> None:
    training = new_training(config_of())
    before = {name: value.clone() for name, value in training.network.state_dict().items()}
    state = torch.random.get_rng_state()
    one = training.evaluation.milliseconds(1, training.image_shape)
    many = training.evaluation.milliseconds(64, training.image_shape)
    assert min(one, many) > 0
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in training.network.state_dict().items())
