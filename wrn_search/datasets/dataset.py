"""What a data set is: facts that are known before a file is opened, and functions that look, read and test.

Each data set is one file of this folder that makes a `Dataset`, and a line in `dataset_table.py`. What its files hold
is checked once, here, when it becomes a `Source`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wrn_search.errors import InputError

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
WHITE = "white"


@dataclass(frozen=True)
class DatasetFacts:
    """What is known of a data set before a file of it is opened; None where only the files can tell."""

    num_classes: int | None
    image_shape: tuple[int, int, int] | None  # height, width, channels
    train_images: int | None  # in the official training split
    validation: int = 5000
    preprocessing: str = "meanstd"
    augmentation: str = "flip_crop"
    extra_images: int = 0  # that `dataset.extra` adds to the training images
    has_columns: bool = False  # that `dataset.image_column` and `dataset.label_column` name

    def told_by(self, presence: Presence) -> DatasetFacts:
        """These facts, with what a look at the files told where only they can tell."""
        return replace(
            self,
            num_classes=self.num_classes or presence.classes,
            image_shape=self.image_shape or presence.image_shape,
            train_images=self.train_images or presence.images,
        )


@dataclass(frozen=True)
class Place:
    """Where a data set's files are, and what of them is wanted."""

    root: Path
    extra: bool = False
    image_column: str | None = None  # None: the data set's own
    label_column: str | None = None
    background: str = WHITE  # the colour under what is transparent: white, black or #rrggbb


@dataclass(frozen=True, eq=False)
class Source:
    """The training split of a data set, all of it, in the order of its files.

    Raises:
        InputError: a class has no training image, or there are fewer than two classes.
    """

    images: Images  # (N, H, W, C)
    labels: Labels  # (N,), 0 to C - 1
    class_names: tuple[str, ...]  # class_names[label]
    name_of: Callable[[int], str] = "image {}".format  # what a user knows the image at an index by

    def __post_init__(self) -> None:
        assert self.images.dtype == np.uint8, self.images.dtype
        assert self.images.ndim == 4, self.images.shape
        assert self.labels.shape == self.images.shape[:1], (self.labels.shape, self.images.shape)
        check_labels(self.labels, self.class_names)


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """The test split, all of it, in the order of its files; labels count the classes of the training images."""

    images: Images  # (N, H, W, C)
    labels: Labels  # (N,)


@dataclass(frozen=True)
class Presence:
    """What a look at the files says before they are decoded; of images, the first one at most."""

    text: str  # "found in /data"
    images: int | None = None
    classes: int | None = None
    image_shape: tuple[int, int, int] | None = None  # of the first image: height, width, channels


@dataclass(frozen=True)
class Dataset:
    """A data set. No function but the two of the test split opens a test file, and only a confirmation calls those.

    The functions raise InputError for files that are not there or not as they must be.
    """

    facts: DatasetFacts
    read_training_images: Callable[[Place], Source]  # downloads what is absent and can be downloaded
    presence: Callable[[Place], Presence]  # a look; downloads and writes nothing
    read_test_images: Callable[[Place, tuple[str, ...]], LabelledImages]  # given the names of the classes
    # Whether they are there, before hours of training; downloads what is absent and can be downloaded.
    check_test_images: Callable[[Place, tuple[str, ...]], None]
    # Files that a user may change; None where they are fixed by their checksums.
    user_files: Callable[[Place], list[Path]] | None = None
    # What a user should know of those, such as files that are passed over; a line each.
    remarks: Callable[[Place], list[str]] = lambda place: []


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


def and_more(names: list[str]) -> str:
    """` and 3 more` behind the first name of a list."""
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
