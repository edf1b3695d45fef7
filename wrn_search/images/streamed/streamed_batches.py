"""Batches of images that worker processes decode while a network trains; the same ones however many workers there are.

Each image is drawn for by a seed of its own, which the epoch's generator gives it before the first is decoded, and
batches come in the order of the epoch. Workers hand over parts of a batch, with 8 bits a channel: little shared memory,
and a batch is decoded by all of them. On its way to a GPU a part lies in pinned memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from wrn_search.errors import InputError
from wrn_search.images.batches import Batch, Normalisation, check_batch_size
from wrn_search.images.order_of_an_epoch import UNIFORM, epoch_order
from wrn_search.images.prepared_data import PreparedData
from wrn_search.images.streamed.files_to_decode import FilesToDecode
from wrn_search.images.streamed.prepared_listing import Listing
from wrn_search.images.streamed.random_views import random_view

_PART = 32  # images that a worker decodes at a time: 5 MB of 224x224
_BATCHES_AHEAD = 2  # that are being decoded while one is trained on
_CORES_PER_WORKER = (
    8  # of a CPU that trains: one that decodes feeds them, at 224x224 pixels and 1.8 GMAC an image
)
_NO_SEED = -1

Request = tuple[int, int]  # index of an image, and the seed of its view


class StreamedTrainBatches:
    """The training images in a new order every epoch, a random view of each; see `TrainBatches`.

    Args:
        data: whose `files` say how to decode.
        batch_size: images a step.
        augmentation: `resized_crop_colour`, `resized_crop` or `none` (which sees them as they are evaluated).
        keeps_last_batch: what is left behind the last whole batch is a smaller one, rather than dropped.
        device: where they are trained on.
        workers: processes that decode; 0 decodes here.
        part: (rank, size) of one of several processes that train one network: every `size`-th image of each batch from
            the `rank`-th on, equally many for each rank; what is left over of a batch is not trained on.
        sampling: uniform, or balanced: each class equally often.

    Raises:
        InputError: `batch_size` is larger than the number of training images.
    """

    def __init__(
        self,
        data: PreparedData,
        *,
        batch_size: int,
        augmentation: str,
        keeps_last_batch: bool = False,
        device: str | torch.device = "cpu",
        workers: int = 1,
        part: tuple[int, int] = (0, 1),
        sampling: str = UNIFORM,
    ) -> None:
        check_batch_size(batch_size, data)
        listing = Listing.of_split(data.directory, "train")
        self._is_random = augmentation != "none"
        images = _DecodedImages(_files_of(data), listing, augmentation)
        rank, size = part
        own = batch_size // size
        self._stream = _Stream(data, images, own, torch.device(device), workers, keeps_workers=True)
        whole, left = divmod(data.train_images, batch_size)
        last = left // size if keeps_last_batch else 0
        self._steps = whole + (last > 0)
        self._labels, self._sampling = torch.from_numpy(listing.labels), sampling
        self._drawn = data.train_images if keeps_last_batch else whole * batch_size
        batches = torch.split(torch.arange(self._drawn), batch_size)
        self._own = torch.cat([batch[rank : size * (len(batch) // size) : size] for batch in batches])

    @property
    def num_images(self) -> int:
        """Images of one epoch, of this part."""
        return len(self._own)

    def __len__(self) -> int:
        return self._steps

    def epoch(self, generator: torch.Generator) -> Iterator[Batch]:
        """One epoch. All its draws are made here and now, from `generator` (a CPU generator) alone.

        Raises:
            InputError: while it is iterated: a file cannot be decoded.
        """
        order = epoch_order(self._labels, self._drawn, self._sampling, generator)
        seeds = torch.randint(2**63 - 1, (len(order),), generator=generator)
        order, seeds = (
            order[self._own],
            seeds[self._own],
        )  # drawn for all: the same images in any number of parts
        return self._stream.batches(order, seeds if self._is_random else torch.full_like(seeds, _NO_SEED))


class StreamedEvaluationBatches:
    """Images to evaluate on, each once, in order, not augmented; see `EvaluationBatches`.

    `listing`: files below the data set's root, instead of those that validate. Their workers live as long as a pass.
    """

    def __init__(
        self,
        data: PreparedData,
        *,
        batch_size: int,
        device: str | torch.device = "cpu",
        workers: int = 1,
        listing: Listing | None = None,
    ) -> None:
        listing = listing if listing is not None else Listing.of_split(data.directory, "validation")
        self.num_images = len(listing)  # of one pass
        images = _DecodedImages(_files_of(data), listing, "none")
        self._stream = _Stream(data, images, batch_size, torch.device(device), workers, keeps_workers=False)

    def __iter__(self) -> Iterator[Batch]:
        order = torch.arange(self.num_images)
        return self._stream.batches(order, torch.full_like(order, _NO_SEED))


class _DecodedImages(Dataset[Tensor]):
    """What lives in each worker."""

    def __init__(self, files: FilesToDecode, listing: Listing, augmentation: str):
        self.listing = listing
        self._files = files
        self._colour = augmentation == "resized_crop_colour"

    def __getitems__(self, requests: Sequence[Request]) -> Tensor | InputError:
        """Part of a batch, (n, S, S, 3) uint8; why it cannot be decoded is a value, since it must reach the user."""
        try:
            return torch.stack([self._view(index, seed) for index, seed in requests])
        except InputError as error:
            return error
        except OSError as error:
            return InputError.of("dataset.root", f"training files must be readable, but got: {error}")

    def _view(self, index: int, seed: int) -> Tensor:
        name = self.listing.name(index)
        if seed == _NO_SEED:
            return torch.from_numpy(self._files.evaluated(name))
        return random_view(self._files.whole(name), self._files.fit.size, seed, self._colour)


class _Parts:
    """The parts of one pass: what the workers are asked for, in order."""

    def __init__(self) -> None:
        self.requests: list[list[Request]] = []

    def __len__(self) -> int:
        return len(self.requests)

    def __iter__(self) -> Iterator[list[Request]]:
        return iter(self.requests)


class _Stream:
    """Batches from worker processes, which start with the first one."""

    def __init__(
        self,
        data: PreparedData,
        images: _DecodedImages,
        batch_size: int,
        device: torch.device,
        workers: int,
        keeps_workers: bool,
    ):
        self._batch_size, self._device = batch_size, device
        self._normalise = Normalisation(data, device)
        self._labels = torch.from_numpy(images.listing.labels)
        self._parts = _Parts()
        ahead = math.ceil(_BATCHES_AHEAD * batch_size / _PART / max(workers, 1))
        self._loader: DataLoader[Tensor] = DataLoader(
            images,
            batch_sampler=self._parts,
            collate_fn=_as_it_is,
            num_workers=workers,
            prefetch_factor=max(2, ahead) if workers else None,
            persistent_workers=keeps_workers and workers > 0,
            pin_memory=device.type == "cuda",
            # It draws from it for its workers, who draw nothing: else from that of the training, at every start.
            generator=torch.Generator(),
        )

    def batches(self, order: Tensor, seeds: Tensor) -> Iterator[Batch]:
        """Images at (n,) indices, with (n,) seeds of their views."""
        requests = list(zip(order.tolist(), seeds.tolist(), strict=True))
        size = self._batch_size
        batches = [requests[start : start + size] for start in range(0, len(requests), size)]
        parts = [[batch[at : at + _PART] for at in range(0, len(batch), _PART)] for batch in batches]
        self._parts.requests = [part for batch in parts for part in batch]
        labels = torch.split(self._labels[order].to(self._device), size)
        return self._read([len(batch) for batch in parts], labels)

    def _read(self, counts: Sequence[int], labels: Sequence[Tensor]) -> Iterator[Batch]:
        decoded = iter(self._loader)
        for count, answers in zip(counts, labels, strict=True):
            # No name for the 8 bits: they would stay on the device while the batch is trained on.
            yield self._normalise(self._gathered(decoded, count)), answers

    def _gathered(self, decoded: Iterator[Tensor], count: int) -> Tensor:
        """(B, S, S, 3) uint8 of the next parts, on the device."""
        parts = [_checked(next(decoded)).to(self._device, non_blocking=True) for _ in range(count)]
        return torch.cat(parts) if count > 1 else parts[0]


def _as_it_is(part: Any) -> Any:
    return part


def _checked(part: Tensor | InputError) -> Tensor:
    """Raises what a worker met."""
    if isinstance(part, InputError):
        raise part
    return part


def _files_of(data: PreparedData) -> FilesToDecode:
    assert data.files is not None, f"the images in {data.directory} are decoded"
    return data.files
