"""Batches of one trial: stored images, cropped, flipped and normalised batch by batch on the trial's device.

The arrays are mapped read-only, so the trials of a node share one copy in memory, of which the system keeps what it has
room for; on a GPU they are copied to it, but for those of a data set that `stays_mapped`. A batch is one gather of
windows from the padded images: 200,000 images/s of 32x32x3 on one core, 35 times PIL's one by one.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wrn_search.errors import InputError
from wrn_search.images.augmentation import AUGMENTATIONS
from wrn_search.images.fused_batch import Form, compiled, made_batch
from wrn_search.images.on_disk.stays_mapped import stays_mapped
from wrn_search.images.order_of_an_epoch import UNIFORM, epoch_order
from wrn_search.images.policies.policies import PolicyOfAnEpoch
from wrn_search.images.prepared_data import PreparedData
from wrn_search.space.sections.crop_padding import BYTES_TOGETHER

# Inputs (B, C, H, W), float32 and channels_last where no `Form` says otherwise; labels (B,) int64.
Batch = tuple[Tensor, Tensor]


def check_batch_size(batch_size: int, data: PreparedData) -> None:
    """That there is a whole batch.

    Raises:
        InputError: `batch_size` is larger than the number of training images.
    """
    if batch_size > data.train_images:
        rule = f"must be at most {data.train_images}, the number of training images"
        raise InputError.of("training.batch_size", f"{rule}, but got {batch_size}")


class TrainBatches:
    """The training images in a new order every epoch, augmented by draws for each of them or each batch of them.

    What is left behind the last whole batch is dropped, or kept as a smaller one. With `sampling: balanced` an epoch
    has as many images, but each class equally often. With a `form` whole batches that `can_be_static` are made by one
    compiled kernel (`fused_batch.py`), in that form; all others as ever.

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
        sampling: str = UNIFORM,
        form: Form | None = None,
    ) -> None:
        chosen = AUGMENTATIONS[augmentation]
        padded = f"{augmentation}, but stored with a padding of {data.padding}"
        assert chosen.crops or chosen.padding == data.padding, padded
        check_batch_size(batch_size, data)
        self.batch_size = batch_size
        self._offsets = 2 * data.padding + 1  # positions of the window along one axis
        self._flip, self._by_batch, self._policy = chosen.flip, chosen.by_batch, chosen.policy
        self.device = torch.device(device)
        self._sampling = sampling
        self._normalise = Normalisation(data, self.device)
        # Where the images are: batches of those that stay mapped are gathered here, and then brought to the device.
        self._place = torch.device("cpu") if stays_mapped(data.directory) else self.device
        height, width, _ = data.image_shape
        self._sides = height, width
        images = _images(data.directory / "train_images.npy", self._place)
        # (n, offsets, offsets, H, W, C): every window of every image, as a view.
        self._windows = images.unfold(1, height, 1).unfold(2, width, 1).permute(0, 1, 2, 4, 5, 3)
        self._labels = _labels(data.directory / "train_labels.npy", self._place)
        self._labels_drawn_by = _labels(data.directory / "train_labels.npy", torch.device("cpu"))
        self._is_fused = form is not None and self.can_be_static
        self._form = form if form is not None and self._is_fused else Form()
        self._make_whole = compiled() if self._is_fused else made_batch
        whole, left = divmod(data.train_images, batch_size)
        self._steps = whole + (keeps_last_batch and left > 0)
        self._images = data.train_images if keeps_last_batch else whole * batch_size

    @property
    def can_be_static(self) -> bool:
        """Whether batches can be made where they stay: of images on the device, which no policy changes."""
        return self._place == self.device and self._policy is None

    @property
    def num_images(self) -> int:
        """Images of one epoch."""
        return self._images

    def __len__(self) -> int:
        return self._steps

    def epoch(self, generator: torch.Generator) -> Iterator[Batch]:
        """One epoch. All its draws are made here and now, from `generator` (a CPU generator) alone."""
        draws = self.draws(generator)
        if self._is_fused:
            return self._fused_batches(*draws)
        return self._batches(*draws, self._policy_of_an_epoch(len(draws[0]), generator))

    def draws(self, generator: torch.Generator) -> tuple[Tensor, Tensor, list[int]]:
        """Of one epoch: its order (n,), offsets (2, steps, B) or (2, steps), and how many of each batch are flipped."""
        order = epoch_order(self._labels_drawn_by, self._images, self._sampling, generator)
        # Whole batches are drawn for, also where the last one is smaller: one shape, and the same draws as ever.
        shape = (self._steps, self.batch_size)
        if self._by_batch:
            offsets = torch.randint(self._offsets, (2, self._steps), generator=generator)
            sizes = [len(part) for part in torch.split(order, self.batch_size)]
            return order, offsets, [size // 2 if self._flip else 0 for size in sizes]
        offsets = torch.randint(self._offsets, (2, *shape), generator=generator)
        flips = torch.randint(2 if self._flip else 1, shape, generator=generator)
        if left := len(order) % self.batch_size:
            flips[-1, left:] = 0
        return order, offsets, flips.sum(dim=1).tolist()

    def _policy_of_an_epoch(self, images: int, generator: torch.Generator) -> PolicyOfAnEpoch | None:
        if self._policy is None:
            return None
        whole, left = divmod(images, self.batch_size)
        sizes = [self.batch_size] * whole + [left] * (left > 0)
        together = max(1, BYTES_TOGETHER // (self.batch_size * math.prod(self._windows.shape[3:])))
        return PolicyOfAnEpoch(self._policy, sizes, self._sides, generator, self.device, together=together)

    def _batches(
        self, order: Tensor, offsets: Tensor, flipped: list[int], policy: PolicyOfAnEpoch | None = None
    ) -> Iterator[Batch]:
        """Draws of an epoch -> its batches: the windows, changed by the policy, normalised."""
        # The draws reach the device in one copy an epoch, not in one a step.
        order, offsets = order.to(self._place), offsets.to(self._place)
        windows = self._cut(order, offsets, flipped)
        images = windows if policy is None else policy.applied(windows)
        for own, chosen in zip(images, torch.split(order, self.batch_size), strict=True):
            yield self._normalise(own), self._labels[chosen].to(self.device)

    def _cut(self, order: Tensor, offsets: Tensor, flipped: list[int]) -> Iterator[Tensor]:
        """Draws (n,) and (2, steps, B) or (2, steps), and how many images of each batch are flipped -> the windows.

        Flipped are the last images of a batch. As the order is random and the number binomial, each image is
        flipped with p = 0.5, whatever happens to the others; and a slice flips twice as fast as an index. A number
        that is half of the batch makes it a random half.
        """
        for step, flips in enumerate(flipped):
            chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
            down, across = offsets[0, step], offsets[1, step]
            if not self._by_batch:
                down, across = down[: len(chosen)], across[: len(chosen)]
            images = self._windows[chosen, down, across]  # (B, H, W, C)
            if flips:
                images[-flips:] = images[-flips:].flip(2)
            yield images.to(self.device)

    def _fused_batches(self, order: Tensor, offsets: Tensor, flipped: list[int]) -> Iterator[Batch]:
        """The same, each whole batch by one kernel; which of its images are flipped, the last ones, is a mask."""
        sizes = [len(part) for part in torch.split(order, self.batch_size)]
        first = torch.tensor([size - flips for size, flips in zip(sizes, flipped, strict=True)])
        masks = (torch.arange(self.batch_size) >= first[:, None]).to(self.device)  # (steps, B)
        order = order.to(self.device)
        offsets = (offsets if offsets.ndim == 3 else offsets.unsqueeze(2)).to(self.device)
        for step, chosen in enumerate(torch.split(order, self.batch_size)):
            size = len(chosen)
            yield self.made(chosen, offsets[:, step, :size], masks[step, :size])

    def made(self, chosen: Tensor, offsets: Tensor, is_flipped: Tensor) -> Batch:
        """A batch of images (B,) at offsets (2, B) or (2, 1), those of a mask (B,) flipped; see `made_batch`."""
        make = self._make_whole if len(chosen) == self.batch_size else made_batch
        flips = is_flipped if self._flip else None
        inputs = make(self._windows, chosen, offsets, flips, self._normalise.scale, self._form)
        return inputs, self._labels[chosen]


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
        self._normalise = Normalisation(data, device)
        place = torch.device("cpu") if stays_mapped(data.directory) else device
        self._images, self._labels = held_out or (
            _images(data.directory / "validation_images.npy", place),
            _labels(data.directory / "validation_labels.npy", place),
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


class Normalisation:
    """(B, H, W, C) stored -> (B, C, H, W) float32 in channels_last, always a copy: (stored - mean) / std."""

    def __init__(self, data: PreparedData, device: torch.device) -> None:
        width = data.image_shape[1]
        # A row of pixels at a time: vector code over W * C numbers is 7 times as fast as over C.
        self._mean = torch.tensor(data.mean, dtype=torch.float32, device=device).repeat(width)
        self._std = torch.tensor(data.std, dtype=torch.float32, device=device).repeat(width)
        self._trivial = set(data.mean) == {0.0} and set(data.std) == {1.0}

    @property
    def scale(self) -> tuple[Tensor, Tensor] | None:
        """Mean and deviation of a row of pixels, (W * C,) each; None where images are normalised as they are stored."""
        return None if self._trivial else (self._mean, self._std)

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
