"""The learning rate of every epoch against the paper's own words and against torch's schedulers."""

from __future__ import annotations

import pytest
import torch

from tests.training.trainings import config_of
from wrn_search.training.learning_rate import drop_epochs, learning_rate_at


def test_the_papers_drops_are_at_60_120_and_160_of_200_epochs() -> None:
    config = config_of(epochs=200, learning_rate=0.1, lr_drops=(0.3, 0.6, 0.8), lr_drop_factor=0.2)
    rates = {epoch: learning_rate_at(epoch, config) for epoch in (1, 59, 60, 119, 120, 159, 160, 200)}

    assert rates == pytest.approx(
        {1: 0.1, 59: 0.1, 60: 0.02, 119: 0.02, 120: 0.004, 159: 0.004, 160: 0.0008, 200: 0.0008}
    )


def test_svhn_drops_at_80_and_120_of_160_epochs() -> None:
    config = config_of(epochs=160, learning_rate=0.01, lr_drops=(0.5, 0.75), lr_drop_factor=0.1)

    assert drop_epochs(config.lr_drops, config.epochs) == (80, 120)
    assert learning_rate_at(80, config) == pytest.approx(0.001)
    assert learning_rate_at(160, config) == pytest.approx(0.0001)


@pytest.mark.parametrize(
    ("lr_drops", "epochs", "expected"),
    [
        ((0.3, 0.6, 0.8), 10, (3, 6, 8)),
        ((0.3, 0.6, 0.8), 1, (1, 1, 1)),
        ((0.01,), 10, (1,)),
        ((0.8, 0.3), 10, (3, 8)),
        ((), 10, ()),
    ],
)
def test_fractions_become_epochs(lr_drops: tuple[float, ...], epochs: int, expected: tuple[int, ...]) -> None:
    assert drop_epochs(lr_drops, epochs) == expected


def test_drops_that_coincide_each_lower_the_rate() -> None:
    config = config_of(epochs=1, learning_rate=1.0, lr_drops=(0.3, 0.6), lr_drop_factor=0.5)

    assert learning_rate_at(1, config) == 0.25


@pytest.mark.parametrize("epochs", [1, 7, 200])
def test_cosine_is_torchs_cosine_annealing(epochs: int) -> None:
    config = config_of(epochs=epochs, learning_rate=0.1, lr_schedule="cosine")
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=epochs)
    expected = []
    for _ in range(epochs):
        expected.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()

    assert [learning_rate_at(epoch, config) for epoch in range(1, epochs + 1)] == pytest.approx(expected)
