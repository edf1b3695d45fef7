"""Parameters and multiply-adds counted on a network itself, built on the meta device: nothing is computed."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.built_network import built_network


def meta_network(architecture: Architecture, num_classes: int = 10, in_channels: int = 3) -> nn.Module:
    """A network of shapes only."""
    with torch.device("meta"):
        return built_network(architecture, num_classes, in_channels)


def counted_params(network: nn.Module) -> int:
    """All trainable numbers."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def counted_macs(network: nn.Module, in_channels: int, image_size: int) -> int:
    """Multiply-adds of a forward pass, added up layer by layer from the sizes of the real outputs."""
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        # Each number of a layer's output is one dot product with the weights that belong to its channel.
        total += output.numel() * module.weight[0].numel()

    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    network.eval()  # a batch norm in training mode refuses a single image of a single pixel
    network(torch.empty(1, in_channels, image_size, image_size, device="meta"))
    for hook in hooks:
        hook.remove()
    return total
