"""Initialisation of a network: Kaiming normal by fan-in or fan-out, batch norm weights 1, biases 0."""

from __future__ import annotations

from torch import nn

INITS = ("fan_in", "fan_out")


def initialise(network: nn.Module, init: str) -> None:
    """Kaiming normal: convolutions by `init`, linear layer by fan_in. BN weight 1, BN and linear bias 0.

    The authors' code went from fan_out to fan_in in September 2016. It drew BN weights from U(0, 1); most
    ports use 1, and so do we.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode=init, nonlinearity="relu")  # type: ignore[arg-type]
        elif isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
            nn.init.zeros_(module.bias)
