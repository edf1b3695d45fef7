"""Sharpness-aware minimisation: the gradient is taken where the loss is worst within a ball around the weights.

Foret et al., Sharpness-aware minimization for efficiently improving generalization (arXiv 2010.01412), algorithm 1 with
p = 2: g at w; w' = w + rho g / |g|; the step at w goes along the gradient at w'. The norm is of all parameters
together, and of replicas of one network it is that of their mean gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import torch
from torch import Tensor, nn

_TINY = 1e-12  # a gradient of 0 leads nowhere

Moved: TypeAlias = tuple[list[Tensor], list[Tensor]]  # parameters that have moved, and what they were


@torch.no_grad()
def climb(network: nn.Module, rho: float) -> Moved:
    """Moves the weights up their gradients by `rho`; the gradients are used up. Those without one stay."""
    moved: list[Tensor] = [parameter for parameter in network.parameters() if parameter.grad is not None]
    gradients = [parameter.grad for parameter in moved if parameter.grad is not None]
    before = [parameter.detach().clone() for parameter in moved]  # adding and subtracting would lose bits
    torch._foreach_mul_(gradients, rho / (nn.utils.get_total_norm(gradients) + _TINY))
    torch._foreach_add_(moved, gradients)
    return moved, before


@torch.no_grad()
def come_back(moved: Moved) -> None:
    """The weights as they were before `climb`, to the bit."""
    torch._foreach_copy_(*moved)


@contextmanager
def running_statistics_kept(network: nn.Module) -> Iterator[None]:
    """Inside, batch norms in training compute as ever, but their running means and variances stay."""
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
