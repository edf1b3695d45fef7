"""The network that a trial trains, as it begins."""

from __future__ import annotations

from torch import nn

from wrn_search.networks.built_network import built_network
from wrn_search.networks.initialisation import Initialisation
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.mixed_precision import keep_linear_in_fp32


def network_of(config: TrialConfig, num_classes: int, in_channels: int) -> nn.Module:
    """Built and initialised on the CPU, by the random numbers of whoever calls."""
    network = built_network(
        config.architecture,
        num_classes,
        in_channels,
        config.dropout,
        Initialisation(config.init, config.bn_weight, config.linear_init),
        config.stochastic_depth,
    )
    if config.linear_precision == "fp32":
        keep_linear_in_fp32(network)
    return network
