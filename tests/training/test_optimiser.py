"""The optimisers against their formulas written out by hand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

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


@pytest.mark.parametrize(
    ("optimizer", "plain"),
    [
        ("sgd", lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True, fused=True)),
        ("adamw", lambda groups: torch.optim.AdamW(groups, lr=0.1, eps=1e-8, fused=True)),
    ],
)
def test_torchs_own_has_the_same_bits_and_takes_the_state_over(
    optimizer: str, plain: Callable[[list[dict[str, Any]]], torch.optim.Optimizer]
) -> None:
    networks = [_linear(), _linear()]
    ours = build_optimiser(networks[0], config_of(optimizer=optimizer, learning_rate=0.1))
    groups: list[dict[str, Any]] = [{"weight_decay": group["weight_decay"]} for group in ours.param_groups]
    groups[0]["params"], groups[1]["params"] = [networks[1].weight], [networks[1].bias]
    theirs = plain(groups)
    for number in range(6):
        if number == 3:  # from here on each goes on from the other's state
            states = ours.state_dict(), theirs.state_dict()
            ours.load_state_dict(states[1])
            theirs.load_state_dict(states[0])
        images = torch.randn(4, 5, generator=torch.Generator().manual_seed(number))
        for network, optimiser in zip(networks, (ours, theirs), strict=True):
            optimiser.zero_grad(set_to_none=True)
            network(images).square().sum().backward()
            optimiser.step()
    assert all(torch.equal(a, b) for a, b in zip(*(each.parameters() for each in networks), strict=True))


def _linear() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(5, 3)


def test_training_imports_no_compiler() -> None:
    """It takes a process 1.7 s of a core."""
    program = """
import sys, torch
from tests.training.trainings import config_of
from wrn_search.training.optimiser import build_optimiser
network = torch.nn.Linear(2, 2)
for optimizer in ("sgd", "adamw"):
    optimiser = build_optimiser(network, config_of(optimizer=optimizer))
    network(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    optimiser.zero_grad()
    optimiser.load_state_dict(optimiser.state_dict())
assert "torch._dynamo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)
