"""The loss of a network and its wrong answers: cross-entropy, as the authors trained."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def training_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """What a step minimises: mean cross-entropy of a batch, (B, classes) and (B,) -> ()."""
    return F.cross_entropy(scores, labels)


def summed_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy summed over a batch, from which evaluation takes the mean over all images."""
    return F.cross_entropy(scores, labels, reduction="sum")


def wrong_answers(scores: Tensor, labels: Tensor) -> Tensor:
    """How many images of a batch get another class than theirs, an int64 ().

    Of classes with equal scores the first is the answer. In bf16, whose scores have 8 significant bits, equal ones are
    no rarity: they count as that class, whatever another device or precision would tell apart.
    """
    wrong: Tensor = (scores.argmax(1) != labels).sum()
    return wrong
