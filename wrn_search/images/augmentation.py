"""Augmentation as values: how far stored training images are padded, with what, and whether they are flipped.

A random crop of the padded image and a flip are all that the paper uses (section 3); `batches.py` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wrn_search.errors import Problem


@dataclass(frozen=True)
class Augmentation:
    """A random window of the image padded on all sides, flipped left to right with p = 0.5 if `flip`."""

    padding: int  # pixels; windows have (2 * padding + 1)^2 offsets
    mode: Literal["reflect", "constant"]  # constant: 0, black before any normalisation
    flip: bool


AUGMENTATIONS: dict[str, Augmentation] = {
    "flip_crop": Augmentation(4, "reflect", flip=True),
    "shift": Augmentation(1, "constant", flip=False),
    "none": Augmentation(0, "constant", flip=False),
}


def pad_images(images: npt.NDArray[Any], augmentation: Augmentation) -> npt.NDArray[Any]:
    """(n, H, W, C) -> (n, H + 2 padding, W + 2 padding, C)."""
    padding = augmentation.padding
    return np.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)), mode=augmentation.mode)


def padding_problems(image_shape: tuple[int, int, int], augmentation: str) -> list[Problem]:
    """Why images of (H, W, C) cannot be padded so; a reflection leaves out the edge pixel."""
    chosen = AUGMENTATIONS[augmentation]
    height, width, _ = image_shape
    if chosen.mode != "reflect" or min(height, width) > chosen.padding:
        return []
    least = chosen.padding + 1
    rule = f"{augmentation} reflects {chosen.padding} pixels and needs images of at least {least}x{least}"
    return [Problem("dataset.augmentation", f"{rule}, but got {height}x{width}")]
