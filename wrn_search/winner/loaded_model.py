"""A model read from a file, whichever format it has: uint8 images in, scores and probabilities out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from wrn_search.datasets.dataset import Images
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
        """Probabilities (B, classes) of uint8 images (B, H, W, C); class i is `about.class_names[i]`."""
        return self.run(np.ascontiguousarray(images))[1]


def run_of(classifier: Classifier | torch.nn.Module) -> Run:
    """A torch module as a function of arrays."""

    def run(images: Images) -> tuple[Floats, Floats]:
        with torch.inference_mode():
            scores, probabilities = classifier(torch.from_numpy(images))
        return scores.numpy(), probabilities.numpy()

    return run
