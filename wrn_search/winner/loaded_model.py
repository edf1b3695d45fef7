"""A model read from a file, whichever format it has: uint8 images in, scores and probabilities out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from wrn_search.datasets.dataset import Images
from wrn_search.errors import InputError
from wrn_search.images.normalisation_and_zca import Floats
from wrn_search.winner.classifier import Classifier
from wrn_search.winner.file_formats.file_description import About

Run = Callable[[Images], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Model:
    """What `load_model` gives."""

    about: About
    run: Run  # (B, H, W, C) uint8 -> scores and probabilities, each (B, classes) float32

    def __call__(self, images: Images) -> Floats:
        """Probabilities (B, classes) of uint8 images (B, H, W, C); class i is `about.class_names[i]`.

        Raises:
            InputError: the images have another type, other values or another shape than the network was trained on.
        """
        return self.run(raw_images(images, self.about.image_shape))[1]


def raw_images(images: npt.ArrayLike, image_shape: tuple[int, int, int]) -> Images:
    """(B, H, W, C) uint8 as a network takes them; whole numbers of 0 to 255 of another type are converted.

    Raises:
        InputError: they are something else, and would be answered with nonsense.
    """
    given = np.asarray(images)
    shape = "x".join(map(str, given.shape)) or "a single number"
    wanted = "x".join(map(str, image_shape))
    if given.ndim != 4 or given.shape[1:] != image_shape:
        height, width, channels = image_shape
        hint = ""
        if given.shape == image_shape:
            hint = "; one image is a batch as images[None]"
        elif given.ndim == 4 and given.shape[1:] == (channels, height, width):
            hint = "; channels come last: images.transpose(0, 2, 3, 1)"
        rule = f"must be a batch of images of {wanted} (height x width x channels), with the batch first"
        raise InputError.of("images", f"{rule}, but got {shape}{hint}")
    if given.dtype == np.uint8:
        return np.ascontiguousarray(given)
    low, high = (given.min(), given.max()) if given.size else (0, 0)
    if np.issubdtype(given.dtype, np.integer) and low >= 0 and high <= 255:
        return np.ascontiguousarray(given, dtype=np.uint8)
    hint = ""
    if np.issubdtype(given.dtype, np.floating) and low >= 0 and high <= 1:
        hint = "; of pixels in [0, 1] they are np.rint(255 * images).astype(np.uint8)"
    rule = "must be raw pixels, whole numbers from 0 to 255 (uint8): preprocessing is part of the network"
    raise InputError.of("images", f"{rule}, but got {given.dtype} from {low} to {high}{hint}")


def run_of(classifier: Classifier | torch.nn.Module) -> Run:
    """A torch module as a function of arrays."""

    def run(images: Images) -> tuple[Floats, Floats]:
        with torch.inference_mode():
            scores, probabilities = classifier(torch.from_numpy(images))
        return scores.numpy(), probabilities.numpy()

    return run
