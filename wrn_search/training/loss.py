"""The loss of a network and its wrong answers: cross-entropy, as the authors trained and as later recipes do."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Targets:
    """The labels of a batch of images, of which each may be a mixture of two."""

    labels: Tensor  # (B,) int64
    others: Tensor | None = None  # (B,) int64: of what was mixed in; None where nothing was
    share: float = 1.0  # of `labels` in each mixture, 0 to 1

    def __len__(self) -> int:
        return len(self.labels)

    def split(self, size: int) -> list[Targets]:
        """Those of so many images each, the last perhaps of fewer, as views."""
        labels = torch.split(self.labels, size)
        others = [None] * len(labels) if self.others is None else torch.split(self.others, size)
        return [Targets(own, other, self.share) for own, other in zip(labels, others, strict=True)]

    @property
    def larger(self) -> Tensor:
        """(B,) the label of the larger share: the one right answer, by which errors are counted."""
        return self.labels if self.others is None or self.share >= 0.5 else self.others


def on_host(*sums: Tensor) -> list[float]:
    """The numbers of () tensors of one device by one copy, so that the device is waited for once.

    As float64, which is exact for counts below 2^53 and for a float32.
    """
    numbers: list[float] = torch.stack([each.to(torch.float64) for each in sums]).tolist()
    return numbers


def training_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """What a step minimises in the paper: mean cross-entropy of a batch, (B, classes) and (B,) -> ()."""
    return F.cross_entropy(scores, labels)


def loss_of_targets(
    scores: Tensor, targets: Targets, label_smoothing: float = 0.0, class_weights: Tensor | None = None
) -> Tensor:
    """The same with smoothed labels, of mixed images, and by the weights of classes, scores (B, classes) -> ().

    With smoothing e the label is 1 - e for its class and e / classes for each (Szegedy et al., 2016, section 7). Of a
    mixture it is the loss of either label by its share, as cross-entropy is linear in the label (Zhang et al., 2018;
    Yun et al., 2019, equation 1). `class_weights` (classes,) multiply the loss of a label by the weight of
    its class; the mean is over images and not over weights, so that it is the same however a batch is parted.
    """

    def loss(labels: Tensor) -> Tensor:
        if class_weights is None:
            return F.cross_entropy(scores, labels, label_smoothing=label_smoothing)
        losses = F.cross_entropy(scores, labels, label_smoothing=label_smoothing, reduction="none")
        return (losses * class_weights[labels]).mean()

    if targets.others is None:
        return loss(targets.labels)
    return targets.share * loss(targets.labels) + (1 - targets.share) * loss(targets.others)


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


class CountsByClass:
    """How many images of each class were seen, and how many of them got another class; see `wrong_answers`."""

    def __init__(self, num_classes: int, device: torch.device):
        self._images, self._wrong = (
            torch.zeros(num_classes, dtype=torch.int64, device=device) for _ in range(2)
        )

    def add(self, scores: Tensor, labels: Tensor) -> None:
        """A batch more: (B, classes) and (B,)."""
        self._images += torch.bincount(labels, minlength=len(self._images))
        self._wrong += torch.bincount(labels[scores.argmax(1) != labels], minlength=len(self._wrong))

    def to_dict(self) -> dict[str, list[int]]:
        """`images` and `wrong`, each (classes,), as plain values."""
        return {"images": self._images.tolist(), "wrong": self._wrong.tolist()}
