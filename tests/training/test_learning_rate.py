"""The learning rate of every epoch against the paper's own words and against torch's schedulers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from tests.training.trainings import config_of
from wrn_search.training.learning_rate import cooldown_epoch, drop_epochs, learning_rate_at


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


def by_torch(scheduler_of: Callable[[torch.optim.Optimizer], Any], places: int) -> list[float]:
    """The rates that one of torch's schedulers sets, from 0.1 on."""
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = scheduler_of(optimiser)
    rates = [optimiser.param_groups[0]["lr"]]
    for _ in range(places - 1):
        optimiser.step()
        scheduler.step()
        rates.append(optimiser.param_groups[0]["lr"])
    return rates


def ours(epochs: int, steps: int, **changes: Any) -> list[float]:
    """The rates of all steps."""
    config = config_of(epochs=epochs, **{"learning_rate": 0.1, "lr_by": "step", **changes})
    places = ((epoch, step) for epoch in range(1, epochs + 1) for step in range(steps))
    return [learning_rate_at(epoch, config, step, steps) for epoch, step in places]


PLACES = [(2, 1), (7, 1), (12, 5), (200, 3)]


@pytest.mark.parametrize(("epochs", "steps"), PLACES)
def test_onecycle_is_torchs(epochs: int, steps: int) -> None:
    total = epochs * steps
    expected = by_torch(
        lambda each: lr_scheduler.OneCycleLR(each, 0.1, total_steps=total, cycle_momentum=False), total
    )

    assert ours(epochs, steps, lr_schedule="onecycle") == pytest.approx(expected)


@pytest.mark.parametrize(("epochs", "steps"), PLACES)
def test_linear_is_torchs_line_to_nothing(epochs: int, steps: int) -> None:
    total = epochs * steps
    expected = by_torch(lambda each: lr_scheduler.LinearLR(each, 1.0, 0.0, total_iters=total), total)

    assert ours(epochs, steps, lr_schedule="linear") == pytest.approx(expected)


def test_wsd_is_torchs_constant_rate_between_two_lines() -> None:
    """20 epochs of 5 steps: 2 of them warm up, the last quarter cools down."""

    def scheduler_of(optimiser: torch.optim.Optimizer) -> Any:
        warm_up = lr_scheduler.LinearLR(optimiser, 1 / 11, 1.0, total_iters=10)
        stable = lr_scheduler.ConstantLR(optimiser, 1.0, total_iters=0)
        cooldown = lr_scheduler.LinearLR(optimiser, 25 / 26, 1e-9, total_iters=25)
        return lr_scheduler.SequentialLR(optimiser, [warm_up, stable, cooldown], [10, 75])

    expected = by_torch(scheduler_of, 100)

    assert ours(20, 5, lr_schedule="wsd", lr_cooldown=0.25, warmup_epochs=2) == pytest.approx(expected)


@pytest.mark.parametrize("steps", [1, 4])
def test_a_warm_up_is_torchs_line_in_front_of_a_cosine(steps: int) -> None:
    warm, rest = 3 * steps, 9 * steps

    def scheduler_of(optimiser: torch.optim.Optimizer) -> Any:
        warm_up = lr_scheduler.LinearLR(optimiser, 1 / (warm + 1), 1.0, total_iters=warm)
        cosine = lr_scheduler.CosineAnnealingLR(optimiser, T_max=rest)
        return lr_scheduler.SequentialLR(optimiser, [warm_up, cosine], [warm])

    expected = by_torch(scheduler_of, warm + rest)

    assert ours(12, steps, lr_schedule="cosine", warmup_epochs=3) == pytest.approx(expected)


def test_drops_stay_at_their_epochs_whatever_comes_before() -> None:
    plain, warm = (ours(10, 3, lr_drops=(0.5, 0.8), warmup_epochs=each) for each in (0, 2))

    assert warm[6:] == plain[6:]
    assert warm[:6] == pytest.approx([0.1 * each / 7 for each in range(1, 7)])
    assert [plain[3 * (epoch - 1)] for epoch in (4, 5, 7, 8)] == pytest.approx([0.1, 0.02, 0.02, 0.004])


@pytest.mark.parametrize("lr_schedule", ["step", "cosine", "onecycle", "linear", "wsd"])
def test_by_epoch_no_step_changes_it(lr_schedule: str) -> None:
    rates = ours(10, 4, lr_schedule=lr_schedule, lr_by="epoch")

    assert [set(rates[first : first + 4]) for first in range(0, 40, 4)] == [{rate} for rate in rates[::4]]
    assert rates[::4] == ours(10, 1, lr_schedule=lr_schedule)
    assert min(rates) > 0


@pytest.mark.parametrize(
    ("epochs", "share", "first"), [(60, 0.2, 49), (10, 0.2, 9), (10, 0.5, 6), (3, 0.1, 3), (1, 0.2, 1)]
)
def test_the_cooldown_begins_with_the_first_lower_rate(epochs: int, share: float, first: int) -> None:
    rates = ours(epochs, 1, lr_schedule="wsd", lr_cooldown=share)

    assert cooldown_epoch(epochs, share) == first
    assert [rate < 0.1 for rate in rates] == [epoch >= first for epoch in range(1, epochs + 1)]


def test_one_place_runs_at_the_rate_that_is_asked_for() -> None:
    assert ours(1, 1, lr_schedule="onecycle") == [0.1]
