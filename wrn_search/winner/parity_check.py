"""Whether an exported file answers as the live network does: both on the same validation images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from wrn_search.datasets.dataset import Images, Labels
from wrn_search.images.batches import Batch, EvaluationBatches
from wrn_search.images.normalisation_and_zca import Floats
from wrn_search.images.prepared_data import PreparedData
from wrn_search.images.streamed.prepared_listing import Listing
from wrn_search.images.streamed.streamed_batches import StreamedEvaluationBatches
from wrn_search.winner.loaded_model import Run

BATCH_SIZE = 100
# Relative to the largest score (at least 1). Kernels sum in other orders: 1.3e-6 at most was measured (WRN-40-1,
# WRN-28-4 and WRN-16-1 with zca, on CIFAR-10); a mean that is one grey level off gives 1e-3 and more.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Parity:
    """The largest differences between a file and the live network, over `images` images of a split."""

    images: int
    score_difference: float  # of class scores
    score_scale: float  # the largest score's magnitude, at least 1
    probability_difference: float
    other_classes: int  # images that the two put into different classes
    live_error: float  # percent, of the live network in fp32
    file_error: float  # percent
    split: str = "validation"  # or training, where no image is held out

    @property
    def tolerance(self) -> float:
        """The largest difference of scores that passes."""
        return TOLERANCE * self.score_scale

    @property
    def holds(self) -> bool:
        """Whether the file is that network; a NaN never is."""
        return self.score_difference <= self.tolerance and self.probability_difference <= TOLERANCE


def live_answers(network: torch.nn.Module, data: PreparedData, images: int) -> tuple[Floats, Labels]:
    """Scores (n, classes) in fp32 and labels of the first `images` images, by the training's own path.

    They are those that validate, or, where none does, those that are trained on, as they are stored.
    """
    scores, labels, left = [], [], images
    network.eval()
    with torch.inference_mode():
        for inputs, truth in _first_batches(data, images):
            scores.append(network(inputs[:left]).numpy())
            labels.append(truth[:left].numpy())
            left -= len(labels[-1])
            if left <= 0:
                break
    return np.concatenate(scores), np.concatenate(labels)


def _first_batches(data: PreparedData, images: int) -> Iterable[Batch]:
    if data.files is not None:
        split = "validation" if data.validation_images else "train"
        listing = Listing.of_split(data.directory, split).first(images)
        return StreamedEvaluationBatches(data, batch_size=BATCH_SIZE, listing=listing)
    held_out = None if data.validation_images else _trained_on(data, images)
    return EvaluationBatches(data, batch_size=BATCH_SIZE, held_out=held_out)


def _trained_on(data: PreparedData, images: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The first images of the training split as they are stored, less their padding, and their labels."""
    height, width, _ = data.image_shape
    rows, columns = (slice(data.padding, data.padding + side) for side in (height, width))
    stored = np.load(data.directory / "train_images.npy", mmap_mode="r")[:images, rows, columns]
    labels = np.load(data.directory / "train_labels.npy")[:images]
    return torch.from_numpy(np.array(stored)), torch.from_numpy(labels)


def parity(run: Run, raw: Images, live: Floats, labels: Labels, split: str = "validation") -> Parity:
    """A file's answers to raw images (m, H, W, C) against the live scores (n, classes) of the first n of them."""
    count = len(live)
    answers = [
        run(np.ascontiguousarray(raw[i : min(i + BATCH_SIZE, count)])) for i in range(0, count, BATCH_SIZE)
    ]
    scores = np.concatenate([part for part, _ in answers])
    probabilities = np.concatenate([part for _, part in answers])
    return Parity(
        images=count,
        score_difference=_largest(scores - live),
        score_scale=max(1.0, _largest(live)),
        probability_difference=_largest(probabilities - _softmax(live)),
        other_classes=int((scores.argmax(1) != live.argmax(1)).sum()),
        live_error=_error(live, labels),
        file_error=_error(probabilities, labels),
        split=split,
    )


def _largest(values: npt.NDArray[np.floating]) -> float:
    return float(np.abs(values).max())


def _softmax(scores: Floats) -> npt.NDArray[np.float64]:
    raised = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _error(scores: npt.NDArray[np.floating], labels: Labels) -> float:
    return 100 * float((scores.argmax(1) != labels).mean())
