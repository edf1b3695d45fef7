"""The optimisers against their formulas written out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.training.trainings import config_of
from wrn_search.networks.wide_resnet import WideResNet
from wrn_search.training.optimiser import build_optimiser


def small_network() -> WideResNet:
    torch.manual_seed(0)
    network = WideResNet(config_of().architecture, in_channels=1)
    return network.to(memory_format=torch.channels_last)


def sgd_by_hand(
    values: list[Tensor],
    gradients: list[list[Tensor]],
    rates: list[float],
    momentum: float,
    decays: list[float],
) -> list[Tensor]:
    """v = momentum v + g; w = w - lr (g + momentum v); g = gradient + decay w (Sutskever et al., 2013)."""
    velocities = [torch.zeros_like(value) for value in values]
    for rate, step_gradients in zip(rates, gradients, strict=True):
        for i, gradient in enumerate(step_gradients):
            full = gradient + decays[i] * values[i]
            velocities[i] = momentum * velocities[i] + full
            values[i] = values[i] - rate * (full + momentum * velocities[i])
    return values


@pytest.mark.parametrize("weight_decay_on", ["all", "weights"])
@pytest.mark.parametrize("momentum", [0.9, 0.0])
def test_steps_follow_nesterovs_formula(momentum: float, weight_decay_on: str) -> None:
    network = small_network()
    config = config_of(momentum=momentum, weight_decay=0.01, weight_decay_on=weight_decay_on)
    optimiser = build_optimiser(network, config)
    rates = [0.1, 0.1, 0.02]  # a drop must not clear the momentum
    parameters = list(network.parameters())
    gradients = [[torch.randn_like(parameter) for parameter in parameters] for _ in rates]
    are_weights = [
        name == "weight" and isinstance(module, nn.Conv2d | nn.Linear)
        for module in network.modules()
        for name, _ in module.named_parameters(recurse=False)
    ]
    decays = [0.01 if weight_decay_on == "all" or weight else 0.0 for weight in are_weights]
    expected = sgd_by_hand(
        [parameter.detach().clone() for parameter in parameters], gradients, rates, momentum, decays
    )

    for rate, step_gradients in zip(rates, gradients, strict=True):
        for group in optimiser.param_groups:
            group["lr"] = rate
        for parameter, gradient in zip(parameters, step_gradients, strict=True):
            parameter.grad = gradient.clone()
        optimiser.step()

    for parameter, value in zip(parameters, expected, strict=True):
        torch.testing.assert_close(parameter.detach(), value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("weight_decay_on", "rest_decay"), [("all", 5e-4), ("weights", 0.0)])
def test_every_parameter_is_in_one_group(weight_decay_on: str, rest_decay: float) -> None:
    network = small_network()
    weights, rest = build_optimiser(network, config_of(weight_decay_on=weight_decay_on)).param_groups
    names = {id(parameter): name for name, parameter in network.named_parameters()}

    assert len(weights["params"]) + len(rest["params"]) == len(names)
    assert {names[id(parameter)] for parameter in rest["params"]} == {
        name for name in names.values() if ".bn" in f".{name}" or name == "linear.bias"
    }
    assert (weights["weight_decay"], rest["weight_decay"]) == (5e-4, rest_decay)


def test_momentum_can_be_classical() -> None:
    """v = momentum v + g; w = w - lr v (Polyak, 1964)."""
    network = small_network()
    optimiser = build_optimiser(network, config_of(nesterov=False, learning_rate=0.1, weight_decay=0.0))
    weight = network.stem.weight
    value, velocity = weight.detach().clone(), torch.zeros_like(weight)
    for _ in range(3):
        gradient = torch.randn_like(weight)
        weight.grad = gradient.clone()
        velocity = 0.9 * velocity + gradient
        value = value - 0.1 * velocity
        optimiser.step()

    torch.testing.assert_close(weight.detach(), value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("weight_decay_on", ["all", "weights"])
def test_adamw_follows_algorithm_2_of_its_paper(weight_decay_on: str) -> None:
    network = small_network()
    config = config_of(
        optimizer="adamw",
        learning_rate=0.01,
        weight_decay=0.1,
        beta1=0.8,
        beta2=0.95,
        weight_decay_on=weight_decay_on,
    )
    optimiser = build_optimiser(network, config)
    parameters = {name: dict(network.named_parameters())[name] for name in ("stem.weight", "linear.bias")}
    values = {name: each.detach().double() for name, each in parameters.items()}
    first = {name: torch.zeros_like(value) for name, value in values.items()}
    second = {name: torch.zeros_like(value) for name, value in values.items()}
    for step, rate in enumerate([0.01, 0.01, 0.001], start=1):
        for group in optimiser.param_groups:
            group["lr"] = rate
        for name, parameter in parameters.items():
            gradient = torch.randn_like(parameter)
            parameter.grad = gradient
            decay = 0.1 if weight_decay_on == "all" or name == "stem.weight" else 0.0
            first[name] = 0.8 * first[name] + 0.2 * gradient
            second[name] = 0.95 * second[name] + 0.05 * gradient**2
            mean, square = first[name] / (1 - 0.8**step), second[name] / (1 - 0.95**step)
            values[name] = values[name] - rate * (mean / (square.sqrt() + 1e-8) + decay * values[name])
        optimiser.step()

    for name, parameter in parameters.items():
        torch.testing.assert_close(parameter.detach().double(), values[name], rtol=1e-5, atol=1e-6)
