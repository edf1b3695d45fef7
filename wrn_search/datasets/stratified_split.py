"""The validation split: stratified, fixed whatever the search's seed is, and its fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wrn_search.datasets.dataset import Labels
from wrn_search.errors import InputError, Problem

# One for all searches: those over the same data set are compared on the same images. (arXiv 1605.07146)
SPLIT_SEED = 1605_07146

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """Disjoint indices into the source: what is trained on, and what chooses."""

    train: Indices  # (n,), ascending
    validation: Indices  # (m,), ascending


def stratified_split(
    labels: Labels, validation: int, train_images: int | None = None, extra_images: int = 0
) -> Split:
    """`validation` held out, then `train_images` of the rest (None: all), both with the classes' shares.

    The last `extra_images` are never held out: what validates is the same with them and without.

    Drawn with `np.random.RandomState`, whose stream is frozen for ever (NumPy's NEP 19): the same labels give
    the same split in every version, on every machine. What is held out does not depend on `train_images`.

    Raises:
        InputError: the sizes leave a class without a training image, or ask for more images than there are.
    """
    own, extra = labels[: len(labels) - extra_images], labels[len(labels) - extra_images :]
    classes = int(labels.max(initial=-1)) + 1
    counts, further = (np.bincount(part, minlength=classes).astype(np.int64) for part in (own, extra))
    problems = size_problems(len(own), classes, validation, train_images, extra_images)
    if problems:
        raise InputError(problems)
    held_out = apportion(validation, counts, low=0, high=counts - 1)
    left = counts - held_out + further
    trained = left if train_images is None else apportion(train_images, left, low=1, high=left)

    generator, of_extra = np.random.RandomState(SPLIT_SEED), np.random.RandomState(SPLIT_SEED)
    train, held = [], []
    for label in range(classes):
        order = generator.permutation(np.flatnonzero(own == label))
        held.append(order[: held_out[label]])
        rest = order[held_out[label] :]
        if extra_images:
            rest = of_extra.permutation(np.concatenate([rest, len(own) + np.flatnonzero(extra == label)]))
        train.append(rest[: trained[label]])
    return Split(train=_ascending(train), validation=_ascending(held))


def joined(split: Split) -> Split:
    """All images of a split to train on, none held out."""
    return Split(train=_ascending([split.train, split.validation]), validation=np.empty(0, dtype=np.int64))


def apportion(total: int, counts: Labels, low: int, high: Labels) -> Labels:
    """(C,) shares of `total` in proportion to `counts`, each in [low, high], by the largest remainder.

    Whole numbers throughout, so that no rounding of floats decides; equal remainders go to the lower label.
    """
    images = int(counts.sum())
    assert low * len(counts) <= total <= int(high.sum()), (total, low, high)
    shares = np.clip(total * counts // images, low, high)
    while (missing := total - int(shares.sum())) != 0:
        owed = total * counts - shares * images  # the remainder, times `images`
        if missing > 0:
            shares[np.argmax(np.where(shares < high, owed, np.iinfo(np.int64).min))] += 1
        else:
            shares[np.argmin(np.where(shares > low, owed, np.iinfo(np.int64).max))] -= 1
    return shares


def size_problems(
    images: int, classes: int, validation: int, train_images: int | None, extra_images: int = 0
) -> list[Problem]:
    """Why `images` training images of `classes` classes, and extra ones, cannot be split so; empty if they can."""
    most = images - classes
    held = f"{images:,} training images of {classes} classes"
    if validation > most:
        rule = f"must be at most {max(0, most)}, to leave an image of each class to train on ({held})"
        return [Problem("dataset.validation", f"{rule}, but got {validation}")]
    left = images - validation + extra_images
    if extra_images:
        held = f"{held}, and {extra_images:,} extra ones"
    if train_images is not None and train_images > left:
        less = f", less {validation} for validation" if validation else ""
        rule = f"must be at most {left} ({held}{less})"
        return [Problem("dataset.train_images", f"{rule}, but got {train_images}")]
    if train_images is not None and train_images < classes:
        rule = f"must be at least {classes}, an image of each class"
        return [Problem("dataset.train_images", f"{rule}, but got {train_images}")]
    return []


def split_hash(split: Split, labels: Labels) -> str:
    """16 hexadecimal digits that two searches share only if they split the same labels in the same way."""
    digest = hashlib.sha256()
    for indices in (split.train, split.validation):
        digest.update(len(indices).to_bytes(8, "little"))  # where one array ends and the next begins
        digest.update(indices.astype("<i8").tobytes())
    digest.update(labels.astype("<i8").tobytes())
    return digest.hexdigest()[:16]


def with_content(split: str, content: str) -> str:
    """The hash of a split with that of the pixels of all images, where those can change; empty where they cannot."""
    return f"{split}-{content}" if content else split


def same_split(recorded: str, now: str) -> bool:
    """Whether images are those that a record names. Older records name labels and split, and no pixels."""
    return recorded in (now, now.partition("-")[0])


def _ascending(parts: list[Indices]) -> Indices:
    return np.sort(np.concatenate(parts)).astype(np.int64)
