"""SGD as the authors trained: Nesterov momentum, weight decay on everything or on the weights alone; or AdamW."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache

import torch
from torch import nn

from wrn_search.space.trial_config import TrialConfig

_EPSILON = 1e-8  # of AdamW
_WRAPPED = ("step", "zero_grad", "add_param_group", "state_dict", "load_state_dict")  # for torch.compile


def build_optimiser(network: nn.Module, config: TrialConfig) -> torch.optim.Optimizer:
    """The optimiser of all parameters of a network but frozen ones; the loop sets the learning rate.

    sgd: with Nesterov's momentum (Sutskever et al., 2013), or with `nesterov: false` with classical momentum (Polyak,
    1964), and weight decay as an L2 penalty in the gradient. adamw: Loshchilov & Hutter, Decoupled weight decay
    regularization (arXiv 1711.05101), algorithm 2, epsilon 1e-8; each step also takes learning rate times weight decay
    off the weights. torch 2.14 has no Lion, and its Muon takes matrices alone, which convolutions are not.

    Weights are what a convolution or a linear layer multiplies by: tensors of two and more dimensions. Batch
    norms and the linear bias are the rest, decayed too with `weight_decay_on: all`, as in the authors' code.
    """
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    weights = [parameter for parameter in trained if parameter.ndim > 1]
    rest = [parameter for parameter in trained if parameter.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": config.weight_decay},
        {"params": rest, "weight_decay": config.weight_decay if config.weight_decay_on == "all" else 0.0},
    ]
    if config.optimizer == "adamw":
        return _eager(torch.optim.AdamW)(
            groups, lr=config.learning_rate, betas=(config.beta1, config.beta2), eps=_EPSILON, fused=True
        )
    return _eager(torch.optim.SGD)(
        groups,
        lr=config.learning_rate,
        momentum=config.momentum,
        dampening=0.0,
        # torch refuses Nesterov without momentum, where it changes nothing
        nesterov=config.nesterov and config.momentum > 0,
        fused=True,  # one pass over the weights, on CPU as on CUDA
    )


@cache
def _eager(kind: type[torch.optim.Optimizer]) -> Callable[..., torch.optim.Optimizer]:
    """The optimiser less what `torch.compile` of a whole step needs of it; we compile blocks of networks alone.

    Around these methods torch breaks the graph of such a compilation, for which their first calls import all of
    torch._dynamo: 1.7 s of a core in every process that trains. Without the wraps it computes the same.
    """
    plain = {name: inspect.unwrap(getattr(kind, name)) for name in _WRAPPED}
    return type(kind.__name__, (kind,), plain | {"step": torch.no_grad()(plain["step"])})
