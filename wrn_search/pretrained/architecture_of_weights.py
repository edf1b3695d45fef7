"""Which network weights by our names are of: read off their shapes, then held against every weight of that network."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.built_network import built_network
from wrn_search.networks.families.family import BASIC, BOTTLENECK
from wrn_search.networks.families.for_imagenet import BLOCKS_OF_GROUPS
from wrn_search.networks.families.wide import depth_step

HEADS = ("linear.", "fc.")  # the last layer of either kind of network
_COUNTER = "num_batches_tracked"  # which old files lack, and no training reads
_SHOWN = 3


def architecture_of(weights: Mapping[str, Tensor]) -> Architecture:
    """Read off names and shapes.

    Raises:
        ValueError: no network of this program has them.
    """
    if "stem.weight" in weights:
        first = "groups.0.0.convs."
        kernels = tuple(_shape(weights, f"{first}{place}.weight")[2] for place in _places(weights, first))
        blocks = len(_places(weights, "groups.0."))
        width = _shape(weights, f"{first}{len(kernels) - 1}.weight")[0]
        return Architecture(depth_step(kernels) * blocks + 4, width / 16, kernels)
    kernels = BOTTLENECK if "layer1.0.conv3.weight" in weights else BASIC
    counts = tuple(len(_places(weights, f"layer{group}.")) for group in (1, 2, 3, 4))
    depths = {blocks: depth for depth, blocks in BLOCKS_OF_GROUPS[kernels].items()}
    if counts not in depths:
        raise ValueError(f"{counts} blocks in the four groups are those of no network of this program")
    width = _shape(weights, "layer1.0.conv1.weight")[0]
    return Architecture(depths[counts], width / 64, kernels, "imagenet_resnet")


def misfits(weights: Mapping[str, Tensor], architecture: Architecture) -> list[str]:
    """Why weights are not those of a network, whatever its classes: the first few; empty where they are."""
    head = next(prefix for prefix in HEADS if architecture.layout.preactivated == (prefix == "linear."))
    classes = weights[f"{head}weight"].shape[0] if f"{head}weight" in weights else 2
    stem = "stem.weight" if architecture.layout.preactivated else "conv1.weight"
    with torch.device("meta"):  # nothing large is built before it is known to fit
        expected = built_network(architecture, max(2, classes), in_channels_of(weights, stem)).state_dict()
    wrong = [
        f"{name} must be {_sides(tensor)}, but is {_sides(weights.get(name))}"
        for name, tensor in expected.items()
        if _sides(weights.get(name)) != _sides(tensor)
        and not name.endswith(_COUNTER)
        and not (name.startswith(head) and name not in weights)
    ]
    wrong += [f"there is no {name}" for name in weights if name not in expected]
    more = [f"and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
    return wrong[:_SHOWN] + more


def in_channels_of(weights: Mapping[str, Tensor], stem: str) -> int:
    """Channels of the images."""
    return int(_shape(weights, stem)[1])


def _places(weights: Mapping[str, Tensor], prefix: str) -> range:
    """0, 1, ...: the numbers that follow a prefix."""
    numbers = {name.removeprefix(prefix).partition(".")[0] for name in weights if name.startswith(prefix)}
    return range(sum(number.isdecimal() for number in numbers))


def _shape(weights: Mapping[str, Tensor], name: str) -> tuple[int, ...]:
    if name not in weights or weights[name].ndim != 4:
        raise ValueError(f"there is no convolution {name}")
    return tuple(weights[name].shape)


def _sides(tensor: Tensor | None) -> str:
    return "missing" if tensor is None else "x".join(map(str, tensor.shape)) or "a number"
