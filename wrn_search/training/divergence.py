"""Divergence: a training whose loss is no longer finite ends, and the epoch has no metrics."""

from __future__ import annotations

import math


class Diverged(Exception):
    """A loss that is no longer finite. The epoch it names has no metrics."""

    def __init__(self, epoch: int, text: str):
        super().__init__(epoch, text)
        self.epoch = epoch
        self.text = text

    def __str__(self) -> str:
        return f"epoch {self.epoch}: {self.text}"


def check_finite(loss: float, epoch: int, what: str) -> None:
    if not math.isfinite(loss):
        raise Diverged(epoch, f"{what} must be finite, but got {loss}")
