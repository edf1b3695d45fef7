"""Initialisation of a network: Kaiming normal by fan-in or fan-out, batch norm weights 1 or uniform, biases 0."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn

INITS = ("fan_in", "fan_out")
BN_WEIGHTS = ("one", "uniform")
LINEAR_INITS = ("kaiming", "uniform")


@dataclass(frozen=True)
class Initialisation:
    """How the weights of a network begin; all biases begin at 0.

    Raises:
        ValueError: an unknown name.
    """

    convolutions: str = "fan_in"  # INITS: normal with deviation sqrt(2 / fan)
    bn_weight: str = "one"  # BN_WEIGHTS: 1, or U(0, 1)
    linear: str = (
        "kaiming"  # LINEAR_INITS: normal with deviation sqrt(2 / inputs), or uniform up to 1 / sqrt(inputs)
    )

    def __post_init__(self) -> None:
        for key, value, names in (
            ("init", self.convolutions, INITS),
            ("bn_weight", self.bn_weight, BN_WEIGHTS),
            ("linear_init", self.linear, LINEAR_INITS),
        ):
            if value not in names:
                raise ValueError(f"{key} must be one of {', '.join(names)}, but got '{value}'")


def initialise(network: nn.Module, init: Initialisation) -> None:
    """Draws convolutions, batch norm weights and linear layers, in the order of the modules.

    The authors' code went from fan_out to fan_in in September 2016. Its Lua drew BN weights from U(0, 1) and the
    linear layer from U(-s, s), s = 1 / sqrt(inputs), which are Torch's defaults; in their PyTorch port the linear layer
    is Kaiming normal.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode=init.convolutions, nonlinearity="relu")  # type: ignore[arg-type]
        elif isinstance(module, nn.BatchNorm2d) and init.bn_weight == "uniform":
            nn.init.uniform_(module.weight)
        elif isinstance(module, nn.Linear):
            if init.linear == "uniform":
                bound = 1 / math.sqrt(module.in_features)
                nn.init.uniform_(module.weight, -bound, bound)
            else:
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
            nn.init.zeros_(module.bias)
