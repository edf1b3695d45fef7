"""Augmentation as values: how training images are padded, whether they are flipped, and what comes next.

A random crop of the padded image and a flip are all that the paper uses (section 3); `batches.py` draws them. Later
recipes go on with a policy (`policies/`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wrn_search.errors import Problem
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.sections.crop_padding import POLICIES


@dataclass(frozen=True)
class Augmentation:
    """A random window of the image padded on all sides, flipped left to right with p = 0.5 if `flip`.

    Drawn for each image; or, `by_batch`, one window for all images of a batch and exactly half of them flipped, as the
    authors' Lua code does.
    """

    padding: int  # pixels, of a crop those of 32x32 images (`stored_with`); windows have (2 * padding + 1)^2 offsets
    mode: Literal["reflect", "constant"]  # constant: 0, black before any normalisation
    flip: bool
    by_batch: bool = False
    policy: str | None = None  # of `policies/policies.py`: what is done to the window, drawn for each image

    @property
    def crops(self) -> bool:
        """Whether `dataset.crop_padding` says how far it pads."""
        return self.mode == "reflect"


AUGMENTATIONS: dict[str, Augmentation] = {
    "flip_crop": Augmentation(4, "reflect", flip=True),
    "flip_crop_batch": Augmentation(4, "reflect", flip=True, by_batch=True),
    "crop": Augmentation(4, "reflect", flip=False),
    "flip": Augmentation(0, "constant", flip=True),
    "shift": Augmentation(1, "constant", flip=False),
    "none": Augmentation(0, "constant", flip=False),
}
AUGMENTATIONS |= {
    named: replace(AUGMENTATIONS[first], policy=policy)
    for policy in POLICIES
    for named, first in ((policy, "flip_crop"), (f"shift_{policy}", "shift"))
}


def stored_as(augmentation: str) -> Augmentation:
    """How images are stored for an augmentation; one of decoded files (`streamed/random_views.py`) stores none."""
    return AUGMENTATIONS.get(augmentation, AUGMENTATIONS["none"])


def stored_with(dataset: DatasetSettings, image_shape: tuple[int, int, int]) -> Augmentation:
    """How images of (H, W, C) are stored for the settings of a data set."""
    chosen = stored_as(dataset.augmentation)
    return replace(chosen, padding=dataset.padding_of(image_shape)) if chosen.crops else chosen


def pad_images(images: npt.NDArray[Any], augmentation: Augmentation) -> npt.NDArray[Any]:
    """(n, H, W, C) -> (n, H + 2 padding, W + 2 padding, C)."""
    padding = augmentation.padding
    return np.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)), mode=augmentation.mode)


def augmentation_problems(image_shape: tuple[int, int, int], dataset: DatasetSettings) -> list[Problem]:
    """Why images of (H, W, C) cannot be augmented so; a reflection leaves out the edge pixel."""
    chosen, augmentation = stored_with(dataset, image_shape), dataset.augmentation
    height, width, channels = image_shape
    if chosen.policy is not None and channels not in (1, 3):
        rule = f"{augmentation} needs images of 1 or 3 channels"
        return [Problem("dataset.augmentation", f"{rule}, but got {channels}")]
    if chosen.mode != "reflect" or min(height, width) > chosen.padding:
        return []
    least = chosen.padding + 1
    rule = f"{augmentation} reflects {chosen.padding} pixels and needs images of at least {least}x{least}"
    return [Problem("dataset.augmentation", f"{rule}, but got {height}x{width}")]
