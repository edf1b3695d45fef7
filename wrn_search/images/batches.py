"""Batches of one trial: stored images, cropped, flipped and normalised batch by batch on the trial's device.

The arrays are mapped read-only, so the trials of a node share one copy in memory. A batch is one gather of
windows from the padded images: 200,000 images/s of 32x32x3 on one core, 35 times PIL's one by one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wrn_search.errors import InputError
from wrn_search.images.augmentation import AUGMENTATIONS
from wrn_search.images.prepared_data import PreparedData

Batch = tuple[Tensor, Tensor]  # inputs (B, C, H, W) float32, channels_last; labels (B,) int64


class TrainBatches:
    """The training images in a new order every epoch, each augmented by draws of its own; no partial batch.

    Raises:
        InputError: `batch_size` is larger than the number of training images.
    """

    def __init__(
        self, data: PreparedData, *, batch_size: int, augmentation: str, device: str | torch.device = "cpu"
    ) -> None:
        chosen = AUGMENTATIONS[augmentation]
        assert chosen.padding == data.padding, f"{augmentation}, but stored with a padding of {data.padding}"
        if batch_size > data.train_images:
            rule = f"must be at most {data.train_images}, the number of training images"
            raise InputError.of("training.batch_size", f"{rule}, but got {batch_size}")
        self._batch_size = batch_size
        self._offsets = 2 * chosen.padding + 1  # positions of the window along one axis
        self._flip = chosen.flip
        self._device = torch.device(device)
        self._normalise = _Normalisation(data, self._device)
        height, width, _ = data.image_shape
        images = _images(data.directory / "train_images.npy", self._device)
        # (n, offsets, offsets, H, W, C): every window of every image, as a view.
        self._windows = images.unfold(1, height, 1).unfold(2, width, 1).permute(0, 1, 2, 4, 5, 3)
        self._labels = _labels(data.directory / "train_labels.npy", self._device)
        self._steps = data.train_images // batch_size

    @property
    def num_images(self) -> int:
        """Images of one epoch: what is left of the last batch is dropped."""
        return self._steps * self._batch_size

    def __len__(self) -> int:
        return self._steps

    def epoch(self, generator: torch.Generator) -> Iterator[Batch]:
        """One epoch. All its draws are made here and now, from `generator` (a CPU generator) alone."""
        shape = (self._steps, self._batch_size)
        order = torch.randperm(len(self._labels), generator=generator)[: self.num_images].reshape(shape)
        offsets = torch.randint(self._offsets, (2, *shape), generator=generator)
        flips = torch.randint(2 if self._flip else 1, shape, generator=generator)
        return self._batches(order, offsets, flips.sum(dim=1).tolist())

    def _batches(self, order: Tensor, offsets: Tensor, flipped: list[int]) -> Iterator[Batch]:
        """Draws (steps, B) and (2, steps, B), and how many images of each batch are flipped -> the batches.

        Flipped are the last images of a batch. As the order is random and the number binomial, each image is
        flipped with p = 0.5, whatever happens to the others; and a slice flips twice as fast as an index.
        """
        # The draws reach the device in one copy an epoch, not in one a step.
        order, offsets = order.to(self._device), offsets.to(self._device)
        for step, flips in enumerate(flipped):
            images = self._windows[order[step], offsets[0, step], offsets[1, step]]  # (B, H, W, C)
            if flips:
                images[-flips:] = images[-flips:].flip(2)
            yield self._normalise(images), self._labels[order[step]]


class EvaluationBatches:
    """Images to evaluate on, each once, in order, not augmented; the last batch may be smaller.

    `held_out`: stored images (m, H, W, C) and labels (m,) instead of the validation split. They stay where they are and
    reach the device batch by batch: a GPU holds one data set, that which is trained on.
    """

    def __init__(
        self,
        data: PreparedData,
        *,
        batch_size: int,
        device: str | torch.device = "cpu",
        held_out: Batch | None = None,
    ) -> None:
        self._batch_size = batch_size
        self._device = device = torch.device(device)
        self._normalise = _Normalisation(data, device)
        self._images, self._labels = held_out or (
            _images(data.directory / "validation_images.npy", device),
            _labels(data.directory / "validation_labels.npy", device),
        )

    @property
    def num_images(self) -> int:
        """Images of one pass."""
        return len(self._labels)

    def __len__(self) -> int:
        return -(-self.num_images // self._batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for start in range(0, self.num_images, self._batch_size):
            part = slice(start, start + self._batch_size)
            images, labels = self._images[part].to(self._device), self._labels[part].to(self._device)
            yield self._normalise(images), labels


class _Normalisation:
    """(B, H, W, C) stored -> (B, C, H, W) float32 in channels_last, always a copy: (stored - mean) / std."""

    def __init__(self, data: PreparedData, device: torch.device) -> None:
        width = data.image_shape[1]
        # A row of pixels at a time: vector code over W * C numbers is 7 times as fast as over C.
        self._mean = torch.tensor(data.mean, dtype=torch.float32, device=device).repeat(width)
        self._std = torch.tensor(data.std, dtype=torch.float32, device=device).repeat(width)
        self._trivial = set(data.mean) == {0.0} and set(data.std) == {1.0}

    def __call__(self, images: Tensor) -> Tensor:
        inputs = images.to(torch.float32, copy=True)  # a mapped image may not be written to
        if not self._trivial:
            inputs.view(*images.shape[:2], -1).sub_(self._mean).div_(self._std)
        return inputs.permute(0, 3, 1, 2)


# Kept for the next trial of the process: the name of the folder tells the content, nothing writes to either.
_kept: dict[tuple[Path, torch.device], Tensor] = {}


def _kept_or_read(path: Path, device: torch.device, read: Callable[[Path, torch.device], Tensor]) -> Tensor:
    """The tensor of a file on a device. Only the files of one folder, a data set, are kept at a time."""
    if any(other.parent != path.parent for other, _ in _kept):
        _kept.clear()
    if (path, device) not in _kept:
        _kept[path, device] = read(path, device)
    return _kept[path, device]


def _images(path: Path, device: torch.device) -> Tensor:
    """The stored images: on the CPU a read-only map of the file, on another device one copy, as stored."""
    return _kept_or_read(path, device, _read_images)


def _labels(path: Path, device: torch.device) -> Tensor:
    """(n,) int64."""
    return _kept_or_read(path, device, lambda path, device: torch.from_numpy(np.load(path)).to(device))


def _read_images(path: Path, device: torch.device) -> Tensor:
    mapped = np.load(path, mmap_mode="r")
    with warnings.catch_warnings():
        # Nothing here writes to it.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(mapped).to(device)
