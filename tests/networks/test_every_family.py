"""Every family's network equals its formulas: outputs, gradients and running statistics, training and evaluating."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import resnet18, wide_resnet50_2

from tests.networks.functional_networks import Functional
from wrn_search.networks.built_network import built_network
from wrn_search.networks.network_names import named_network

CLASSES = 5
SIZE = {"wrn": (3, 12), "preact_resnet": (3, 12), "imagenet_resnet": (2, 64)}  # images, pixels of a side
NETWORKS: list[tuple[str, dict[str, float]]] = [
    ("WRN-10-1.5", {}),
    ("WRN-16-1", {"dropout": 0.3}),
    ("WRN-10-0.5-B(3,1,3)", {"dropout": 0.2, "stochastic_depth": 0.5}),
    ("ResNet-14", {}),
    ("ResNet-20-bottleneck", {"dropout": 0.3}),
    ("ResNet-20-bottleneck", {"stochastic_depth": 0.5}),
    ("WRN-18-0.25", {}),
    ("WRN-34-0.125-basic", {"stochastic_depth": 0.5}),
    ("WRN-50-0.125-bottleneck", {}),
]


def scrambled(network: nn.Module) -> nn.Module:
    """In float64, and no batch norm at its initial 1 and 0, where a formula could lack a term unseen."""
    network.double()
    with torch.no_grad():
        for name, tensor in (*network.named_parameters(), *network.named_buffers()):
            if tensor.dtype == torch.float64:
                noise = torch.rand_like(tensor)
                tensor.mul_(1 + 0.2 * noise).add_(
                    0.05 * noise if "running_var" in name else 0.05 * (noise - 0.5)
                )
    return network


def both(name: str, options: dict[str, float], training: bool) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What the network gives, and what the formulas give: scores, gradients and moved statistics, by name."""
    torch.manual_seed(0)
    architecture = named_network(name)
    network = scrambled(built_network(architecture, CLASSES, 3, **options)).train(training)  # type: ignore[arg-type]
    count, side = SIZE[architecture.family]
    images = torch.randn(count, 3, side, side, dtype=torch.float64)
    labels = torch.arange(count) % CLASSES
    weights = {key: value.detach().clone() for key, value in network.state_dict().items()}
    theirs_at, ours_at = images.clone().requires_grad_(), images.clone().requires_grad_()

    torch.manual_seed(1)
    scores = network(ours_at)
    F.cross_entropy(scores, labels).backward()
    ours = {"scores": scores.detach(), "images": ours_at.grad}
    ours |= {key: parameter.grad for key, parameter in network.named_parameters()}
    if training:
        ours |= {key: value for key, value in network.named_buffers() if "running" in key}

    leaves = {key: weights[key].requires_grad_() for key, _ in network.named_parameters()}
    functional = Functional(
        weights, training, options.get("dropout", 0.0), options.get("stochastic_depth", 0.0)
    )
    forward = (
        functional.post_activated if architecture.family == "imagenet_resnet" else functional.preactivated
    )
    torch.manual_seed(1)
    scores = forward(theirs_at, architecture.blocks)
    F.cross_entropy(scores, labels).backward()
    theirs = {"scores": scores.detach(), "images": theirs_at.grad, **functional.moved}
    theirs |= {key: leaf.grad for key, leaf in leaves.items()}
    return ours, theirs  # type: ignore[return-value]


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluating"])
@pytest.mark.parametrize(
    ("name", "options"), NETWORKS, ids=[f"{name} {options}" for name, options in NETWORKS]
)
def test_outputs_gradients_and_statistics_are_the_formulas(
    name: str, options: dict[str, float], training: bool
) -> None:
    ours, theirs = both(name, options, training)

    assert ours.keys() == theirs.keys()
    for key, value in ours.items():
        scale = max(1.0, theirs[key].abs().max().item())
        assert (value - theirs[key]).abs().max().item() <= 1e-10 * scale, key


def test_the_widest_bottleneck_is_torchvisions_with_the_same_weights() -> None:
    torch.manual_seed(0)
    theirs = wide_resnet50_2(weights=None)
    with torch.device("meta"):
        ours = built_network(named_network("WRN-50-2-bottleneck"), 1000, 3)
    ours.load_state_dict(theirs.state_dict(), assign=True)
    images = torch.randn(2, 3, 64, 64)

    with torch.inference_mode():
        assert torch.equal(ours.eval()(images), theirs.eval()(images))


def test_width_1_is_torchvisions_plain_resnet() -> None:
    theirs, ours = resnet18(weights=None), built_network(named_network("WRN-18-1"), 1000, 3)
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, 64, 64)

    with torch.inference_mode():
        assert torch.equal(ours.eval()(images), theirs.eval()(images))


@pytest.mark.parametrize("name", ["WRN-10-1", "ResNet-8", "WRN-18-0.25"])
def test_stochastic_depth_keeps_the_expectation_and_drops_nothing_in_evaluation(name: str) -> None:
    torch.manual_seed(0)
    network = built_network(named_network(name), 3, 1, stochastic_depth=0.8)
    torch.manual_seed(0)
    plain = built_network(named_network(name), 3, 1)
    plain.load_state_dict(network.state_dict())
    images = torch.randn(4, 1, 32, 32)

    assert torch.equal(network.eval()(images), plain.eval()(images))
    trained = {tuple(network.train()(images).flatten().tolist()) for _ in range(8)}
    assert len(trained) > 1


def test_a_branch_is_left_out_for_a_whole_batch_as_often_as_it_is_told() -> None:
    from wrn_search.networks.stochastic_depth import drop_probabilities, dropped_branch

    torch.manual_seed(0)
    draws = torch.stack([dropped_branch(torch.ones(3, 2, 1, 1), 0.25).flatten() for _ in range(2000)])
    assert draws.unique().tolist() == [0.0, pytest.approx(1 / 0.75)]
    assert (draws == draws[:, :1]).all()
    assert draws.mean().item() == pytest.approx(1, abs=0.05)
    assert drop_probabilities(0.5, 4) == [0.125, 0.25, 0.375, 0.5]  # l / L of the last one's


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("ResNet-8", {"stochastic_depth": 1.0}, "0 <= stochastic_depth < 1 must hold, but got 1"),
        ("WRN-18-1", {"dropout": 0.3}, "dropout = 0 must hold with family imagenet_resnet"),
        ("WRN-18-1", {"init": "xavier"}, "init must be one of fan_in, fan_out, but got 'xavier'"),
    ],
)
def test_wrong_options_are_refused(name: str, options: dict[str, Any], text: str) -> None:
    with torch.device("meta"), pytest.raises(ValueError, match=text):
        built_network(named_network(name), 10, 3, **options)
