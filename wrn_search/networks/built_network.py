"""The network of an architecture, of whichever family: the one door from plain values to layers."""

from __future__ import annotations

from torch import nn

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.initialisation import Initialisation
from wrn_search.networks.wide_resnet import WideResNet


def built_network(
    architecture: Architecture,
    num_classes: int,
    in_channels: int,
    dropout: float = 0.0,
    init: str | Initialisation = "fan_in",
    stochastic_depth: float = 0.0,
) -> nn.Module:
    """A network with its initial weights, drawn from torch's generator: (B, C, H, W) -> (B, num_classes).

    Raises:
        ValueError: an option is out of range, or has no place in this family.
    """
    if architecture.layout.preactivated:
        return WideResNet(architecture, num_classes, in_channels, dropout, init, stochastic_depth)
    if dropout:
        rule = f"dropout = 0 must hold with family {architecture.family}, whose blocks have no place for it"
        raise ValueError(f"{rule}, but got {dropout:g}")
    # torchvision takes half a second to import, and networks for small images do without it
    from wrn_search.networks.torchvision_resnet import TorchvisionResNet

    return TorchvisionResNet(architecture, num_classes, in_channels, init, stochastic_depth)
