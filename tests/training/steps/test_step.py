"""One step of every kind, in float64 beside a few lines of plain torch."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.training.trainings import config_of
from wrn_search.training.loss import Targets
from wrn_search.training.mixed_precision import loss_scaler
from wrn_search.training.optimiser import build_optimiser
from wrn_search.training.several_gpus.replica import ALONE
from wrn_search.training.steps.averaged_weights import AveragedWeights
from wrn_search.training.steps.step import Step

CPU = torch.device("cpu")
PLAIN = {"momentum": 0.0, "weight_decay": 0.0, "learning_rate": 0.1, "dropout": 0.0}


def small_network() -> nn.Sequential:
    """With a batch norm, in float64."""
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3)
    return nn.Sequential(*layers).double()


def a_batch(size: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(size, 1, 8, 8, dtype=torch.float64, generator=generator)
    return images, torch.arange(size) % 3


def step_of(network: nn.Module, averaged: AveragedWeights | None = None, **changes: Any) -> Step:
    config = config_of(**{"batch_size": 8, **PLAIN, **changes})
    optimiser = build_optimiser(network, config)
    return Step(
        network,
        network,
        optimiser,
        config,
        device=CPU,
        replica=ALONE,
        scaler=loss_scaler(CPU, "fp32"),
        averaged=averaged,
    )


def gradients_at(network: nn.Module, images: Tensor, labels: Tensor) -> list[Tensor]:
    loss = F.cross_entropy(network(images), labels)
    return list(torch.autograd.grad(loss, list(network.parameters())))


def moved(network: nn.Module, by: list[Tensor]) -> list[Tensor]:
    return [each.detach() + way for each, way in zip(network.parameters(), by, strict=True)]


def assert_weights(network: nn.Module, expected: list[Tensor]) -> None:
    for ours, theirs in zip(network.parameters(), expected, strict=True):
        torch.testing.assert_close(ours.detach(), theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rho", [0.05, 2.0])
def test_sam_steps_along_the_gradient_of_the_worst_weights_near(rho: float) -> None:
    network, (images, labels) = small_network(), a_batch()
    twin, uphill = copy.deepcopy(network), copy.deepcopy(network)
    first = gradients_at(twin, images, labels)
    norm = torch.sqrt(sum((each**2).sum() for each in first))  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter, gradient in zip(uphill.parameters(), first, strict=True):
            parameter += rho * gradient / norm
    second = gradients_at(uphill, images, labels)

    loss, scores = step_of(network, sam=rho).take(images, Targets(labels))

    assert_weights(network, moved(twin, [-0.1 * each for each in second]))
    fresh = small_network()(images)
    torch.testing.assert_close(scores, fresh.detach())
    torch.testing.assert_close(loss, F.cross_entropy(fresh, labels).detach())
    # Running statistics are of the first pass alone: the twin has made one.
    for ours, theirs in zip(network.buffers(), twin.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert all(each.track_running_stats for each in network if isinstance(each, nn.BatchNorm2d))


def test_a_gradient_of_nothing_leads_nowhere() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 1)).double()  # one class: its loss is always 0
    before = copy.deepcopy(network)
    images, _ = a_batch()
    step_of(network, sam=0.1).take(images, Targets(torch.zeros(8, dtype=torch.int64)))

    assert_weights(network, [each.detach() for each in before.parameters()])


@pytest.mark.parametrize("clip_norm", [1e-3, 1e3])
def test_gradients_are_clipped_by_the_norm_of_all_of_them(clip_norm: float) -> None:
    network, (images, labels) = small_network(), a_batch()
    found = gradients_at(copy.deepcopy(network), images, labels)
    norm = torch.sqrt(sum((each**2).sum() for each in found)).item()  # type: ignore[arg-type]
    factor = min(1.0, clip_norm / norm)
    expected = moved(network, [-0.1 * factor * each for each in found])
    assert 1e-3 < norm < 1e3

    step_of(network, clip_norm=clip_norm).take(images, Targets(labels))

    for ours, theirs in zip(network.parameters(), expected, strict=True):
        torch.testing.assert_close(
            ours.detach(), theirs, rtol=1e-6, atol=1e-10
        )  # torch adds 1e-6 to the norm


@pytest.mark.parametrize("images_there", [8, 5])
def test_micro_batches_add_up_to_the_mean_of_the_batch(images_there: int) -> None:
    """Each passes the batch norms alone; a last batch that is smaller has fewer or smaller ones."""
    network, (images, labels) = small_network(), a_batch(images_there)
    twin = copy.deepcopy(network)
    losses = []
    for first in range(0, images_there, 2):
        part = slice(first, first + 2)
        loss = F.cross_entropy(twin(images[part]), labels[part], reduction="sum") / images_there
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.detach())
    expected = moved(twin, [-0.1 * each.grad for each in twin.parameters() if each.grad is not None])

    loss, scores = step_of(network, gradient_accumulation=4).take(images, Targets(labels))

    assert_weights(network, expected)
    assert loss.item() == pytest.approx(sum(losses).item())  # type: ignore[union-attr]
    assert scores.shape == (images_there, 3)
    for ours, theirs in zip(network.buffers(), twin.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_without_batch_norms_micro_batches_change_nothing() -> None:
    images, labels = a_batch()
    networks = []
    for count in (1, 4):
        torch.manual_seed(3)
        networks.append(nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 3)).double())
        step = step_of(networks[-1], gradient_accumulation=count, sam=0.5, clip_norm=0.1, momentum=0.9)
        for _ in range(3):
            step.take(images, Targets(labels))

    assert_weights(networks[1], [each.detach() for each in networks[0].parameters()])


def test_the_average_moves_after_each_step() -> None:
    network, (images, labels) = small_network(), a_batch()
    averaged = AveragedWeights(network, 0.5)
    step = step_of(network, averaged)
    expected = torch.zeros(())
    for number in range(4):
        step.take(images, Targets(labels))
        weight = network[4].weight.detach().clone()
        expected = weight if number == 0 else 0.5 * expected + 0.5 * weight

    torch.testing.assert_close(averaged.values["4.weight"], expected)
