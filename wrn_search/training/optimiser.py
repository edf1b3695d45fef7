"""SGD as the authors trained: Nesterov momentum, weight decay on everything or on the weights alone."""

from __future__ import annotations

import torch
from torch import nn

from wrn_search.space.trial_config import TrialConfig


def build_optimiser(network: nn.Module, config: TrialConfig) -> torch.optim.SGD:
    """SGD over all parameters of a network; the loop sets the learning rate of each epoch.

    Weights are what a convolution or a linear layer multiplies by: tensors of two and more dimensions. Batch
    norms and the linear bias are the rest, decayed too with `weight_decay_on: all`, as in the authors' code.
    """
    weights = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    rest = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    return torch.optim.SGD(
        [
            {"params": weights, "weight_decay": config.weight_decay},
            {"params": rest, "weight_decay": config.weight_decay if config.weight_decay_on == "all" else 0.0},
        ],
        lr=config.learning_rate,
        momentum=config.momentum,
        dampening=0.0,
        nesterov=config.momentum > 0,  # torch refuses Nesterov without momentum, where it changes nothing
        fused=True,  # one pass over the weights, on CPU as on CUDA
    )
