"""How much the loss of an image counts by its class, for classes of unequal size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from wrn_search.images.order_of_an_epoch import UNIFORM
from wrn_search.images.prepared_data import PreparedData, train_labels
from wrn_search.space.rules.class_weights_rule import NONE, listed_weights


def weights_of_classes(
    asked: str, data: PreparedData, device: torch.device, sampling: str = UNIFORM
) -> Tensor | None:
    """(classes,) float32 for `training.class_weights`, by the images that epochs show; None where all count alike."""
    if asked == NONE:
        return None
    counts = np.bincount(train_labels(data), minlength=data.num_classes)
    if sampling != UNIFORM:  # each class that has images is shown equally often
        counts = np.where(counts > 0, 1, 0)
    weights = balanced_weights(counts) if (listed := listed_weights(asked)) is None else np.array(listed)
    assert len(weights) == data.num_classes, (asked, data.num_classes)
    return torch.tensor(scaled_weights(weights, counts), dtype=torch.float32, device=device)


def balanced_weights(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Images / (classes * images of the class), (classes,): King & Zeng (2001), as scikit-learn's `balanced`.

    Only classes that have images are counted; one without has no image that it could weigh.
    """
    present = counts > 0
    return np.where(present, counts.sum() / (present.sum() * np.maximum(counts, 1)), 0.0)


def scaled_weights(
    weights: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Weights of which the mean over all images is 1, so that the learning rate means what it means without them."""
    scaled: npt.NDArray[np.float64] = weights * counts.sum() / (weights * counts).sum()
    return scaled
