"""What is done to the inputs of a batch on the training's device: squares cut out of images, images mixed in pairs.

- cutout: a square of 0 around a random pixel of each image, which may lie partly beside it (DeVries & Taylor, 2017).
- mixup: each image by a share, another one of the batch by the rest (Zhang et al., 2018).
- CutMix: a rectangle of each image from another one of the batch (Yun et al., 2019, equation 1 and section 3.2).

One share, one rectangle and one pairing are drawn for a batch, as in the authors' codes; with mixup and CutMix both on,
either has an equal chance at each batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.batches_of_a_split import TrainSource
from wrn_search.training.loss import Targets
from wrn_search.training.random_streams import Randomness
from wrn_search.training.several_gpus.replica import ALONE, Replica


@dataclass(frozen=True)
class Mixture:
    """How the images of one batch are mixed with those that they are paired with."""

    share: float  # of the image itself, and of its label
    box: tuple[slice, slice] | None = (
        None  # rows and columns that are the other's; None: all is mixed by the share
    )


class BatchMixing:
    """The batches of a training, cut and mixed as its config says; as they are where it says nothing.

    Args:
        config: of the training.
        image_shape: (H, W, C).
        device: where the inputs are.
        replica: one of several processes has a part of every batch. All draw the same; pairs are made within a part.
    """

    def __init__(
        self,
        config: TrialConfig,
        image_shape: tuple[int, int, int],
        device: torch.device,
        replica: Replica = ALONE,
    ) -> None:
        self._sides, self._device = image_shape[:2], device
        self._cutout, self._alphas = config.cutout, (config.mixup, config.cutmix)
        self._batch_size, self._own = config.batch_size, slice(replica.rank, None, replica.size)
        self._part = config.batch_size // replica.size

    def epoch(
        self, source: TrainSource, randomness: Randomness, epoch: int
    ) -> Iterator[tuple[Tensor, Targets]]:
        """Inputs (B, C, H, W) in channels_last and the targets of one epoch of the training's batches.

        Order and augmentation come from the training's generator, so they are the same with mixing and without; what is
        cut and mixed comes from streams of the epoch.
        """
        batches = source.epoch(randomness.batches)
        whole, left = divmod(source.num_images, self._part)
        sizes = [self._part] * whole + [left] * (left > 0)
        corners = (
            self._drawn_corners(len(sizes), randomness.of_epoch("cutout", epoch)) if self._cutout else None
        )
        draws = randomness.of_epoch("mixing", epoch)
        mixtures = drawn_mixtures(*self._alphas, len(sizes), self._sides, draws)
        pairs = self._drawn_pairs(sizes, draws) if mixtures else None
        for step, (inputs, labels) in enumerate(batches):
            if corners is not None:
                inputs = without_squares(inputs, corners[:, step, : len(labels)], self._cutout)
            if pairs is None:
                yield inputs, Targets(labels)
                continue
            mixture, others = mixtures[step], pairs[step, : len(labels)]
            inputs = mixed(inputs, others, mixture)
            yield inputs, Targets(labels, labels[others], mixture.share)

    def _drawn_corners(self, steps: int, draws: np.random.Generator) -> Tensor:
        """(2, steps, B): row and column of the upper left corner of each image's square, for whole batches."""
        shape = (steps, self._batch_size)
        middles = np.stack([draws.integers(side, size=shape) for side in self._sides])
        corners = (middles - self._cutout // 2).astype(np.int32)[:, :, self._own]
        return torch.from_numpy(np.ascontiguousarray(corners)).to(self._device)

    def _drawn_pairs(self, sizes: list[int], draws: np.random.Generator) -> Tensor:
        """(steps, B): the place in the batch of the image that each one is mixed with, which may be itself."""
        pairs = np.zeros((len(sizes), sizes[0]), dtype=np.int64)
        for step, size in enumerate(sizes):
            pairs[step, :size] = draws.permutation(size)
        return torch.from_numpy(pairs).to(self._device)


def drawn_mixtures(
    mixup: float, cutmix: float, steps: int, sides: tuple[int, int], draws: np.random.Generator
) -> list[Mixture]:
    """One for each step; none where both alphas are 0."""
    if not (mixup or cutmix):
        return []
    cuts = np.full(steps, mixup == 0) if 0 in (mixup, cutmix) else draws.integers(2, size=steps) == 1
    alphas = np.where(cuts, cutmix, mixup)
    shares = draws.beta(alphas, alphas)
    middles = np.stack([draws.integers(side, size=steps) for side in sides], axis=1)
    return [
        boxed(float(share), middle, sides) if cut else Mixture(float(share))
        for cut, share, middle in zip(cuts, shares, middles, strict=True)
    ]


def boxed(share: float, middle: npt.NDArray[np.int64], sides: tuple[int, int]) -> Mixture:
    """CutMix with a rectangle of 1 - share of the area, less what lies beside the image: the share is what is left.

    Yun et al. (2019), equation 2 and their code: the sides are those of the image by sqrt(1 - share).
    """
    part = (1 - share) ** 0.5
    halves = [int(side * part) // 2 for side in sides]
    rows, columns = (
        slice(max(0, int(at) - half), min(side, int(at) + half))
        for at, half, side in zip(middle, halves, sides, strict=True)
    )
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    return Mixture(1 - area / (sides[0] * sides[1]), (rows, columns))


def mixed(inputs: Tensor, others: Tensor, mixture: Mixture) -> Tensor:
    """Inputs (B, C, H, W), each mixed with the one at its place in `others` (B,); in channels_last, always a copy."""
    images = inputs.permute(0, 2, 3, 1)
    if mixture.box is None:
        return images.lerp(images[others], 1 - mixture.share).permute(0, 3, 1, 2)
    rows, columns = mixture.box
    images = images.clone()
    images[:, rows, columns] = images[:, rows, columns][others]
    return images.permute(0, 3, 1, 2)


def without_squares(inputs: Tensor, corners: Tensor, side: int) -> Tensor:
    """Inputs (B, C, H, W) with a square of 0 at each image's corner (2, B), as far as it lies on the image; a copy."""
    rows, columns = (
        (positions >= first[:, None]) & (positions < first[:, None] + side)
        for first, positions in zip(
            corners, (torch.arange(length, device=inputs.device) for length in inputs.shape[2:]), strict=True
        )
    )
    square = rows[:, :, None] & columns[:, None, :]  # (B, H, W)
    return inputs.permute(0, 2, 3, 1).masked_fill(square[..., None], 0).permute(0, 3, 1, 2)
