"""How networks begin: torch's draws in the order of the modules, and the authors' own."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.initialisation import Initialisation
from wrn_search.networks.wide_resnet import WideResNet


def network(init: Initialisation | str, seed: int = 0) -> WideResNet:
    torch.manual_seed(seed)
    return WideResNet(Architecture.of(10, 4), 100, init=init)


def test_other_batch_norms_and_linear_layers_leave_the_convolutions_as_they_are_drawn_before_them() -> None:
    usual, authors = network("fan_in"), network(Initialisation("fan_in", "uniform", "uniform"))
    assert torch.equal(usual.stem.weight, authors.stem.weight)
    assert all(torch.all(each.weight == 1) for each in usual.modules() if isinstance(each, nn.BatchNorm2d))


def test_batch_norm_weights_are_uniform_and_biases_0() -> None:
    norms = [
        each
        for each in network(Initialisation(bn_weight="uniform")).modules()
        if isinstance(each, nn.BatchNorm2d)
    ]
    weights = torch.cat([each.weight.detach() for each in norms])
    assert 0 <= weights.min() < 0.02
    assert 0.98 < weights.max() < 1
    assert abs(float(weights.mean()) - 0.5) < 5 / math.sqrt(12 * len(weights))
    assert all(torch.all(each.bias == 0) for each in norms)


def test_a_uniform_linear_layer_reaches_1_over_the_root_of_its_inputs() -> None:
    linear = network(Initialisation(linear="uniform")).linear.requires_grad_(False)
    bound = 1 / math.sqrt(linear.in_features)
    assert 0.99 * bound < float(linear.weight.abs().max()) <= bound
    assert float(linear.weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.03)
    assert torch.all(linear.bias == 0)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("fan",), "init must be one of fan_in, fan_out, but got 'fan'"),
        (("fan_in", "zero"), "bn_weight must be one of one, uniform, but got 'zero'"),
        (("fan_in", "one", "xavier"), "linear_init must be one of kaiming, uniform, but got 'xavier'"),
    ],
)
def test_an_unknown_name_is_told(arguments: tuple[str, ...], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Initialisation(*arguments)
