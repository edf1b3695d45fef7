"""What a data set is: facts that are known before a file is opened, and functions that look, read and test.

Each data set is one file of this folder that makes a `Dataset`, and a line in `dataset_table.py`. What its files hold
is checked once, here, when it becomes a `Source`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wrn_search.datasets.image_fit import ImageFit
from wrn_search.errors import InputError

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
WHITE = "white"
FILE_KEYS = ("background", "image_size", "image_fit", "validation_files", "group_by")


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
    extra: bool = False  # whether it does where nobody says so
    validation_images: int | None = (
        None  # in files of their own, beside train_images; None: some of those validate
    )
    has_columns: bool = False  # that `dataset.image_column` and `dataset.label_column` name
    image_size: int | None = None  # that images are made where nobody says so; None: they stay as they are
    image_fit: str = "crop"  # how
    group_by: str | None = None  # what of them must not lie on both sides of the split where nobody says so
    class_counts: tuple[tuple[str, int], ...] = ()  # (class, its training images), where a look told them
    trained_on: int | None = None  # images, behind the split, where a look told what it will be

    def told_by(self, presence: Presence) -> DatasetFacts:
        """These facts, with what a look at the files told: they know best."""
        return replace(
            self,
            num_classes=presence.classes or self.num_classes,
            image_shape=presence.image_shape or self.image_shape,
            train_images=presence.images or self.train_images,
            validation_images=self.validation_images
            if presence.images is None
            else presence.validation_images,
            class_counts=presence.class_counts,
        )


@dataclass(frozen=True)
class Place:
    """Where a data set's files are, and what of them is wanted."""

    root: Path
    extra: bool = False
    image_column: str | None = None  # None: the data set's own
    label_column: str | None = None
    background: str = WHITE  # the colour under what is transparent: white, black or #rrggbb
    fit: ImageFit | None = None  # makes all images one size; None: they have one
    validation_files: bool = True  # those that are there are used
    group_by: str | None = None  # a column, or a pattern of file names
    joined: bool = False  # what would validate is trained on, too
    decoded: Path | None = None  # a file that training images are decoded into, to be mapped; None: memory


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
    warnings: tuple[str, ...] = ()  # what a user should know of how they were read
    validation: npt.NDArray[np.int64] | None = (
        None  # (m,) images of validation files; None: there are no such
    )
    groups: npt.NDArray[np.int64] | None = (
        None  # (N,) images of one number validate, or are trained on, together
    )
    extra_images: int = 0  # the last ones, which are only trained on: none of them validates

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


@dataclass(frozen=True, eq=False)
class ListedImages:
    """Images by their files, for a data set whose images are decoded anew whenever they are looked at."""

    files: tuple[str, ...]  # (N,) below the root, with slashes
    labels: Labels  # (N,)
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class Listings:
    """How the images of a data set are found that are too many to be decoded beforehand.

    Each raises InputError for files that are not there, are empty or no images.
    """

    list_training_images: Callable[[Place], ListedImages]  # all that may be trained on, or validate
    list_test_images: Callable[[Place, tuple[str, ...]], ListedImages]  # given the names of the classes
    some_training_files: Callable[
        [Place, int], list[Path]
    ]  # so many training files, without a look at the others


@dataclass(frozen=True, eq=False)
class FoundSplit:
    """Images and labels of a split. They lie in files of their own, or in one array."""

    where: Path  # what a user knows it by
    files: tuple[Path, ...]  # all that is read of it
    classes: tuple[str, ...]  # (N,) of each image
    class_names: tuple[str, ...]  # of the whole data set, in the order of the labels
    images: tuple[Path, ...] = ()  # (N,); empty where they lie in one array
    array: Callable[[], Images] | None = None  # reads it: (N, H, W, C)

    def labels(self, class_names: tuple[str, ...] | None = None) -> Labels:
        """(N,) counting the classes that are trained on, by default those of this split's data set.

        Raises:
            InputError: an image has a class that is none of them.
        """
        number = {name: label for label, name in enumerate(class_names or self.class_names)}
        stray = sorted({name for name in self.classes if name not in number})
        if stray:
            rule = f"{self.where} must hold classes of the training images"
            raise bad_data(rule, f"'{stray[0]}' only there{and_more(stray)}")
        return np.array([number[name] for name in self.classes], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class LabelsOfFiles:
    """What decides about the split, where files tell it before they are decoded; as in `Source`."""

    labels: Labels  # (N,)
    validation: npt.NDArray[np.int64] | None = None  # (m,)
    groups: npt.NDArray[np.int64] | None = None  # (N,)


@dataclass(frozen=True)
class Presence:
    """What a look at the files says before they are decoded; of images the first one, of others headers at most."""

    text: str  # "found in /data"
    images: int | None = None  # that are trained on, or are held out of those
    classes: int | None = None
    image_shape: tuple[int, int, int] | None = None  # height and width of the first image, channels of all
    validation_images: int | None = None  # in files of their own
    class_counts: tuple[
        tuple[str, int], ...
    ] = ()  # (class, its training images) by label; empty: not looked at
    rows: LabelsOfFiles | None = field(default=None, compare=False)  # None: not looked at


@dataclass(frozen=True)
class Dataset:
    """A data set. No function but the two of the test split opens a test file, and only `images/` calls those.

    The functions raise InputError for files that are not there or not as they must be.
    """

    facts: DatasetFacts
    read_training_images: Callable[[Place], Source]  # downloads what is absent and can be downloaded
    presence: Callable[[Place], Presence]  # a look; downloads and writes nothing
    read_test_images: Callable[[Place, tuple[str, ...]], LabelledImages]  # given the names of the classes
    # Whether they are there, before hours of training; downloads what is absent and can be downloaded.
    check_test_images: Callable[[Place, tuple[str, ...]], None]
    # Files that a user may change, or that are not there before `obtain`; None where they are fixed by their checksums.
    user_files: Callable[[Place], list[Path]] | None = None
    # The classes of those, in the order of their labels, before an image is decoded; with `user_files`.
    class_names: Callable[[Place], tuple[str, ...]] | None = None
    # What a user should know of those, such as files that are passed over; a line each.
    remarks: Callable[[Place], list[str]] = lambda place: []
    # Downloads what of the training images is absent and can be downloaded, once a node; before `user_files` is asked.
    # None: there is nothing to download, or reading them does it.
    obtain: Callable[[Place], None] | None = None
    # Keys of the space file that say how files are read and mean something to it; with `user_files`.
    file_keys: tuple[str, ...] = FILE_KEYS
    # Each split that is there, train first, for a look at all images before a search; None: there is no such look.
    survey: Callable[[Place], dict[str, FoundSplit]] | None = None
    # Where images are decoded for every batch anew, rather than all of them once; None: they are decoded beforehand.
    streamed: Listings | None = None


def group_numbers(names: list[str] | None) -> npt.NDArray[np.int64] | None:
    """(N,) the same number for the same name."""
    return None if names is None else np.unique(np.array(names, dtype=object), return_inverse=True)[1]


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
