"""What decoded images must show to be trained on, and what a user should know of them: copies, classes cut short."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from wrn_search.datasets.dataset import Images, Labels, bad_data
from wrn_search.datasets.stratified_split import Split
from wrn_search.datasets.stratified_split import (
    same_split as same_split,
)  # for those who may not import data sets
from wrn_search.images.normalisation_and_zca import images_at_once

Digests = npt.NDArray[np.uint64]  # of each image's pixels

_MOST_NAMED = 5  # classes in one line


def check_variation(images: Images) -> None:
    """Images (N, H, W, C) differ from each other somewhere: of equal ones nothing can be learnt.

    Raises:
        InputError: all are equal, and why that may be.
    """
    first = images[0]
    step = images_at_once(images.shape)
    for start in range(0, len(images), step):
        if (images[start : start + step] != first).any():
            return
    if (first != first[0, 0]).any():
        raise bad_data("training images must differ", f"{len(images):,} times the same image")
    colour = ", ".join(str(value) for value in first[0, 0])
    why = "is what they show in the same colour as the ground, or lost when they were converted?"
    if (first == 255).all():
        why = (
            "transparent parts are laid on dataset.background, white unless you say otherwise: is what they show white "
            "on a transparent ground?"
        )
    raise bad_data("training images must differ", f"{colour} in every pixel of all {len(images):,} ({why})")


def digests_of(images: Images) -> Digests:
    """(N,) 64 bits of each image: of a million different images two share theirs with a chance of 3 in 10^8."""
    found = [hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in images]
    return np.frombuffer(b"".join(found), dtype="<u8").astype(np.uint64)


def content_hash(digests: Digests, labels: Labels) -> str:
    """16 hexadecimal digits of all pixels and labels, in their order."""
    parts = digests.astype("<u8").tobytes() + labels.astype("<i8").tobytes()
    return hashlib.sha256(parts).hexdigest()[:16]


def copies_text(digests: Digests, labels: Labels, name_of: Callable[[int], str]) -> list[str]:
    """A line on images that are there more than once, and one on those of them that have several classes."""
    _, first, group = np.unique(digests, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[group] != np.arange(len(digests)))  # behind an image with the same pixels
    if not len(again):
        return []
    several = again[labels[again] != labels[first[group[again]]]]
    lines = [f"{_images(len(again))} of {len(digests):,} {_are(len(again))} there before, pixel for pixel"]
    if len(several):
        lines.append(
            f"{_images(len(several))} {_are(len(several))} there before in another class, pixel for pixel"
        )
    examples = [again[0], *several[:1]]
    return [
        f"{line}: {name_of(int(index))} shows what {name_of(int(first[group[index]]))} shows"
        for line, index in zip(lines, examples, strict=True)
    ]


def split_warnings(
    split: Split, labels: Labels, class_names: Sequence[str], digests: Digests | None
) -> list[str]:
    """Lines on what makes validation errors say less than they seem to."""
    if not len(split.validation):
        return []
    lines = []
    if digests is not None:
        seen = int(np.isin(digests[split.validation], digests[split.train]).sum())
        if seen:
            text = f"{seen:,} of {len(split.validation):,} validation images are also trained on, pixel for pixel"
            lines.append(f"{text}: validation errors will be too low")
    held_out = np.bincount(labels[split.validation], minlength=len(class_names))
    if absent := [class_names[label] for label in np.flatnonzero(held_out == 0).tolist()]:
        more = f" and {len(absent) - _MOST_NAMED} more" if len(absent) > _MOST_NAMED else ""
        names = ", ".join(f"'{name}'" for name in absent[:_MOST_NAMED]) + more
        lines.append(
            f"no validation image of {names}: validation errors say nothing of it; dataset.validation takes of each "
            "class in proportion, so hold out more images"
        )
    return lines


def _images(count: int) -> str:
    return f"{count:,} {'image' if count == 1 else 'images'}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
