"""Batches of one shape at places that stay: what a CUDA graph can capture, and equal to the others to the bit."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from wrn_search.images.batches import Batch, TrainBatches


class StaticBatches:
    """The whole batches of a `TrainBatches`, each made by the same operations on tensors that stay where they are.

    Which batch comes next a counter on the device says, so nothing is asked of the host in between.
    """

    def __init__(self, source: TrainBatches):
        assert source.can_be_static
        self._source = source
        self.size = size = source.batch_size
        device = source.device
        self._steps = source.num_images // size
        self._order = torch.zeros(source.num_images, dtype=torch.int64, device=device)
        self._flips = torch.zeros(len(source), dtype=torch.int64, device=device)
        self._offsets: Tensor | None = None  # (2, steps, B or 1)
        self._next = torch.zeros(1, dtype=torch.int64, device=device)
        self._places = torch.arange(size, device=device)
        self._host_flips: list[int] = []

    def begin(self, generator: torch.Generator) -> int:
        """Draws an epoch; how many whole batches it has."""
        order, offsets, flips = self._source.draws(generator)
        self._host_flips = flips
        offsets = offsets if offsets.ndim == 3 else offsets.unsqueeze(2)
        if self._offsets is None:
            self._offsets = torch.zeros_like(offsets, device=self._order.device)
        self._order.copy_(order)
        self._offsets.copy_(offsets)
        self._flips.copy_(torch.tensor(flips))
        self._next.zero_()
        return self._steps

    def take(self) -> Batch:
        """The next whole batch."""
        assert self._offsets is not None, "an epoch has begun"
        size = len(self._places)
        chosen = self._order[self._next * size + self._places]
        offsets = self._offsets.index_select(1, self._next).squeeze(1)
        is_flipped = self._places >= size - self._flips[self._next]
        self._next += 1
        return self._source.made(chosen, offsets, is_flipped)

    def rest(self) -> Iterator[Batch]:
        """What is left behind the last whole batch, if it is kept: one smaller batch."""
        first = self._steps * len(self._places)
        if first < len(self._order):
            assert self._offsets is not None, "an epoch has begun"
            chosen = self._order[first:]
            places, flips = self._places[: len(chosen)], self._host_flips[-1]
            offsets = self._offsets[:, -1, : len(chosen)]
            yield self._source.made(chosen, offsets, places >= len(chosen) - flips)
