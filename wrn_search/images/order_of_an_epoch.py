"""Which training images an epoch shows, in which order: each once, or each class equally often."""

from __future__ import annotations

import torch
from torch import Tensor

UNIFORM, BALANCED = "uniform", "balanced"


def epoch_order(labels: Tensor, drawn: int, sampling: str, generator: torch.Generator) -> Tensor:
    """(drawn,) indices of images, drawn from `generator` (a CPU generator) alone.

    Args:
        labels: (n,) int64 of all training images, on the CPU.
        drawn: images of an epoch, n or what whole batches hold of them.
        sampling: uniform or balanced.
        generator: see above.
    """
    if sampling == UNIFORM:
        return torch.randperm(len(labels), generator=generator)[:drawn]
    return _balanced_order(labels, drawn, generator)


def _balanced_order(labels: Tensor, drawn: int, generator: torch.Generator) -> Tensor:
    """Each class equally often, to one image; of a class no image once more than another.

    Class-balanced sampling (Kang et al., Decoupling representation and classifier for long-tailed recognition, ICLR
    2020, section 3, q = 0), but without replacement: an image of a class of m is shown floor(k / m) or ceil(k / m)
    times where its class is shown k times. Which of them it is, is drawn anew for every epoch.
    """
    classes = torch.unique(labels)
    quotas = torch.full((len(classes),), drawn // len(classes))
    quotas[torch.randperm(len(classes), generator=generator)[: drawn % len(classes)]] += 1
    parts = []
    for label, quota in zip(classes, quotas.tolist(), strict=True):
        members = torch.nonzero(labels == label).flatten()
        again, rest = divmod(quota, len(members))
        parts += [members.repeat(again), members[torch.randperm(len(members), generator=generator)[:rest]]]
    chosen = torch.cat(parts)
    return chosen[torch.randperm(len(chosen), generator=generator)]
