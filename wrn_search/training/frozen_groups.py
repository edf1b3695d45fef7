"""Groups of a network that stay as they began: their weights are neither stepped nor decayed, their norms fixed."""

from __future__ import annotations

from typing import Any

from torch import nn

from wrn_search.space.rules.starting_file import NOTHING


def freeze(network: nn.Module, groups: str) -> tuple[nn.Module, ...]:
    """Makes the weights of groups (`stem, group1`, or `none`) no parameters of the training; the modules to keep in
    eval mode.

    In eval mode a batch norm uses the mean and variance that it was given, and changes neither; dropout and stochastic
    depth within do nothing. The batch norm behind the last group and the last layer belong to no group.

    Raises:
        ValueError: the network has no such group.
    """
    frozen: list[nn.Module] = []
    for name in groups.split(", ") if groups != NOTHING else ():
        frozen += _modules(network, name)
    for module in frozen:
        module.requires_grad_(False)
    return tuple(frozen)


def _modules(network: Any, name: str) -> list[nn.Module]:
    preactivated = hasattr(
        network, "stem"
    )  # else torchvision's, whose `groups` are those of its convolutions
    if name == "stem":
        return [network.stem] if preactivated else [network.conv1, network.bn1]
    number = int(name.removeprefix("group"))
    if preactivated:
        if number > len(network.groups):
            raise ValueError(f"freeze must name groups that the network has, but got {name}")
        return [network.groups[number - 1]]
    return [getattr(network, f"layer{number}")]
