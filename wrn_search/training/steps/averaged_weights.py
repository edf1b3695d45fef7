"""An exponential moving average of a network's weights, beside the network that is trained."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class AveragedWeights:
    """After the first step the weights; after each later one a = decay * a + (1 - decay) * w.

    Polyak & Juditsky (1992) averaged the iterates, Szegedy et al. (arXiv 1512.00567, section 8) evaluated a running
    average as here; the same as torch's `AveragedModel` with `get_ema_multi_avg_fn` and `use_buffers=True`. Running
    means and variances of batch norms are averaged with the same decay: they belong to the averaged weights better
    than those of the last ones do. What is counted is copied.
    """

    def __init__(self, network: nn.Module, decay: float):
        self._decay = decay
        self._steps = 0
        live = network.state_dict()  # the tensors themselves: steps change them in place
        self.values: dict[str, Tensor] = {name: tensor.clone() for name, tensor in live.items()}
        moving = [name for name, tensor in live.items() if tensor.is_floating_point()]
        self._moving = [self.values[name] for name in moving], [live[name] for name in moving]
        counted = [name for name in live if name not in moving]
        self._counted = [self.values[name] for name in counted], [live[name] for name in counted]

    @torch.no_grad()
    def update(self) -> None:
        """Takes in the weights after a step."""
        if self._counted[0]:
            torch._foreach_copy_(*self._counted)
        if self._steps:
            torch._foreach_lerp_(*self._moving, 1 - self._decay)
        else:
            torch._foreach_copy_(*self._moving)
        self._steps += 1

    def state_dict(self) -> dict[str, Any]:
        """The values, and how many steps they have taken in."""
        return {"steps": self._steps, "values": dict(self.values)}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from the values."""
        self._steps = state["steps"]
        for name, value in self.values.items():
            value.copy_(state["values"][name])
