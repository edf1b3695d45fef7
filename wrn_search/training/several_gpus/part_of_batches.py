"""What one of several processes trains on of every batch of stored images."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from wrn_search.images.batches import Batch, TrainBatches


class PartOfBatches:
    """Every `size`-th image of each batch from the `rank`-th on, equally many for each rank.

    What is left over of a batch that is no multiple of `size` is not trained on.
    """

    def __init__(self, source: TrainBatches, batch_size: int, rank: int, size: int):
        self._source, self._rank, self._size = source, rank, size
        whole, left = divmod(source.num_images, batch_size)
        self._sizes = [part for part in [batch_size // size] * whole + [left // size] if part]
        self.num_images = sum(self._sizes)  # of one pass, of this rank

    def __len__(self) -> int:
        return len(self._sizes)

    def epoch(self, generator: torch.Generator) -> Iterator[Batch]:
        """All ranks draw the whole epoch, from equal generators."""
        for size, (images, labels) in zip(self._sizes, self._source.epoch(generator), strict=False):
            own = slice(self._rank, self._size * size, self._size)
            yield images[own].contiguous(memory_format=torch.channels_last), labels[own]
