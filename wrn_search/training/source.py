"""Training images as read from their files, checked once: what every data set of `datasets.py` hands over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wrn_search.space.errors import InputError

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Source:
    """The training split of a data set, all of it, in the order of its files.

    Raises:
        InputError: a class has no training image, or there are fewer than two classes.
    """

    images: Images  # (N, H, W, C)
    labels: Labels  # (N,), 0 to C - 1
    class_names: tuple[str, ...]  # class_names[label]

    def __post_init__(self) -> None:
        assert self.images.dtype == np.uint8, self.images.dtype
        assert self.images.ndim == 4, self.images.shape
        assert self.labels.shape == self.images.shape[:1], (self.labels.shape, self.images.shape)
        check_labels(self.labels, self.class_names)


@dataclass(frozen=True)
class Presence:
    """What a look at the files says before any is decoded."""

    text: str  # "found in /data"
    images: int | None = None
    classes: int | None = None


def bad_data(rule: str, got: str) -> InputError:
    """An error about what the training files hold."""
    return InputError.of("dataset.root", f"{rule}, but got {got}")


def check_labels(labels: Labels, class_names: tuple[str, ...]) -> None:
    """Every class has a label of (N,), and every label a class.

    Raises:
        InputError: a class has no training image, or there are fewer than two classes.
    """
    classes = len(class_names)
    if classes < 2:
        raise bad_data("there must be at least 2 classes", f"{classes}")
    present = np.unique(labels)  # not bincount: a stray label may be huge
    if present[0] < 0 or present[-1] >= classes:
        stray = present[0] if present[0] < 0 else present[-1]
        raise bad_data(f"labels must be 0 to {classes - 1}", f"{stray}")
    missing = sorted(set(range(classes)) - set(present.tolist()))
    if missing:
        shown = ", ".join(f"{label} ('{class_names[label]}')" for label in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        rule = f"labels must be 0 to {classes - 1}, each with training images"
        raise bad_data(rule, f"no image of label {shown}{more}")
