"""Stochastic depth: whole residual branches are left out while training (Huang et al., arXiv 1603.09382).

The probability grows linearly from the first block to the last, and a draw holds for all images of a batch, as there.
What stays is divided by its probability of staying, where Huang et al. multiply in evaluation instead: the expectation
is the same, and an evaluated or exported network is the plain one. A branch that is left out is computed all the same,
so its batch norms see every batch and no time is saved.
"""

from __future__ import annotations

from torch import Tensor


def drop_probabilities(last: float, blocks: int) -> list[float]:
    """Of each block in order: l / L of the last one's (their equation 4).

    Raises:
        ValueError: it is no probability below 1.
    """
    if not 0 <= last < 1:
        raise ValueError(f"0 <= stochastic_depth < 1 must hold, but got {last:g}")
    return [last * number / blocks for number in range(1, blocks + 1)]


def dropped_branch(branch: Tensor, probability: float) -> Tensor:
    """The output of a branch, or zeros: (B, C, H, W) -> (B, C, H, W), one draw for the batch."""
    keep = 1 - probability
    return branch * branch.new_empty((1, 1, 1, 1)).bernoulli_(keep).div_(keep)
