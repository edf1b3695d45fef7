"""Classes and probabilities of images, by an exported network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wrn_search.datasets.dataset import Images
from wrn_search.errors import InputError, Problem
from wrn_search.winner.images_to_classify import read_image
from wrn_search.winner.loaded_model import Model

BATCH_SIZE = 100


@dataclass(frozen=True)
class Prediction:
    """What the network says of one image."""

    image: str  # as it was named or found
    classes: tuple[tuple[str, float], ...]  # (name, probability), the likeliest first


def predict(
    model: Model, paths: Sequence[Path], top: int = 1, resize: bool = False
) -> tuple[list[Prediction], list[Problem]]:
    """The `top` likeliest classes of every image that can be read, and why the others cannot.

    Raises:
        InputError: the network has fewer than `top` classes.
    """
    names = model.about.class_names
    if not 1 <= top <= len(names):
        raise InputError.of("--top", f"must be 1 to {len(names)}, the number of classes, but got {top}")
    predictions: list[Prediction] = []
    problems: list[Problem] = []
    for batch in _batches(_read(model, paths, resize, problems)):
        probabilities = model(np.stack([image for _, image in batch]))
        if not np.isfinite(probabilities).all():
            raise InputError.of("MODEL", "must give probabilities, but gives numbers that are not finite")
        # Stable: equal probabilities rank by class number, whatever the sorting algorithm.
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
        for (path, _), ranked, row in zip(batch, order, probabilities, strict=True):
            classes = tuple((names[label], float(row[label])) for label in ranked)
            predictions.append(Prediction(str(path), classes))
    return predictions, problems


def _read(
    model: Model, paths: Iterable[Path], resize: bool, problems: list[Problem]
) -> Iterator[tuple[Path, Images]]:
    """The images that can be read; why the others cannot goes into `problems`."""
    for path in paths:
        try:
            about = model.about
            yield path, read_image(path, about.image_shape, resize, about.background, about.fit)
        except InputError as error:
            problems += error.problems


def _batches(items: Iterable[tuple[Path, Images]]) -> Iterator[list[tuple[Path, Images]]]:
    batch: list[tuple[Path, Images]] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH_SIZE:
            yield batch
            batch = []
    if batch:
        yield batch
