"""Data sets whose images are files of their own: GTSRB, EuroSAT, Flowers-102, Food-101."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from wrn_search.datasets.dataset import FoundSplit, bad_data
from wrn_search.datasets.folder_walk import class_folders, listed
from wrn_search.datasets.stratified_split import stratified_split


@dataclass(frozen=True)
class GtsrbLayout:
    """gtsrb/GTSRB/Training/<class>/<track>_<frame>.ppm; tests with .../Final_Test/Images/ and gtsrb/GT-final_test.csv.

    Stallkamp et al. (2012). Classes are numbers; a sign is filmed on 30 frames, its track.
    """

    signs: tuple[str, ...]  # the name of each number

    has_files: ClassVar[bool] = True

    def wanted(self, split: str) -> tuple[str, ...]:
        """The folder; of the test split its table, too."""
        splits = {
            "train": ("gtsrb/GTSRB/Training",),
            "test": ("gtsrb/GTSRB/Final_Test/Images", "gtsrb/GT-final_test.csv"),
        }
        return splits.get(split, ())

    def found(self, root: Path, split: str) -> FoundSplit:
        """See `Layout`."""
        folder = root / self.wanted(split)[0]
        if split == "test":
            return self._tested(folder, root / self.wanted(split)[1])
        named = _class_folders_of(folder, (".ppm",))
        numbers = [_number(name, folder) for name in named]
        classes = [self._sign(number) for number in numbers]
        images = tuple(path for paths in named.values() for path in paths)
        each = (name for name, paths in zip(classes, named.values(), strict=True) for _ in paths)
        return FoundSplit(folder, images, tuple(each), tuple(classes), images)

    def _tested(self, folder: Path, table: Path) -> FoundSplit:
        images, classes = [], []
        try:
            with table.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file, delimiter=";", skipinitialspace=True):
                    images.append(folder / row["Filename"])
                    classes.append(self._sign(int(row["ClassId"])))
        except (KeyError, TypeError, ValueError) as error:
            rule = "must be a table with the columns Filename and ClassId, divided by ;"
            raise bad_data(rule, f"{type(error).__name__}: {error} ({table})") from None
        if not images:
            raise bad_data("must name test images", f"none ({table})")
        _check_there(images, table)
        return FoundSplit(folder, (*images, table), tuple(classes), tuple(classes), tuple(images))

    def _sign(self, number: int) -> str:
        return self.signs[number] if 0 <= number < len(self.signs) else f"sign {number}"


@dataclass(frozen=True)
class EurosatLayout:
    """eurosat/2750/<class>/*.jpg (Helber et al., 2019).

    It has no test split of its own: a fifth of each class is cut off by a fixed stratified split.
    """

    has_files: ClassVar[bool] = True

    def wanted(self, split: str) -> tuple[str, ...]:
        """The folder of all images."""
        return ("eurosat/2750",) if split != "validation" else ()

    def found(self, root: Path, split: str) -> FoundSplit:
        """See `Layout`."""
        folder = root / self.wanted(split)[0]
        named = _class_folders_of(folder, (".jpg",))
        few = [name for name, paths in named.items() if len(paths) < 2]
        if few:
            rule = "every class must have 2 images at least, one of them to be tested with"
            raise bad_data(rule, f"{len(named[few[0]])} in {folder / few[0]}")
        images = [path for paths in named.values() for path in paths]
        labels = np.repeat(np.arange(len(named)), [len(paths) for paths in named.values()])
        parts = stratified_split(labels, max(1, len(images) // 5))
        chosen = parts.validation if split == "test" else parts.train
        names = tuple(named)
        files = tuple(images[index] for index in chosen.tolist())
        classes = tuple(names[label] for label in labels[chosen].tolist())
        return FoundSplit(folder, files, classes, names, files)


@dataclass(frozen=True)
class Flowers102Layout:
    """flowers-102/jpg/image_<number>.jpg with imagelabels.mat and setid.mat (Nilsback and Zisserman, 2008)."""

    flowers: tuple[str, ...]  # the name of each label
    _parts: ClassVar[dict[str, str]] = {"train": "trnid", "validation": "valid", "test": "tstid"}

    has_files: ClassVar[bool] = True

    def wanted(self, split: str) -> tuple[str, ...]:
        """The folder of the images and the two tables."""
        if split not in self._parts:
            return ()
        return "flowers-102/jpg", "flowers-102/imagelabels.mat", "flowers-102/setid.mat"

    def found(self, root: Path, split: str) -> FoundSplit:
        """See `Layout`."""
        folder, labels_file, parts_file = (root / path for path in self.wanted(split))
        labels = _matrix(labels_file, "labels")
        numbers = _matrix(parts_file, self._parts[split])
        stray = [number for number in numbers if not 1 <= number <= len(labels)]
        if stray:
            rule = f"must number images 1 to {len(labels):,}, of which {labels_file.name} has the labels"
            raise bad_data(rule, f"{stray[0]} ({parts_file})")
        wrong = [label for label in labels if not 1 <= label <= len(self.flowers)]
        if wrong or not numbers:
            rule = f"labels must be 1 to {len(self.flowers)}, of some images"
            raise bad_data(rule, f"{wrong[0] if wrong else 'no image'} ({labels_file})")
        images = tuple(folder / f"image_{number:05d}.jpg" for number in numbers)
        _check_there(images, parts_file)
        classes = tuple(self.flowers[labels[number - 1] - 1] for number in numbers)
        return FoundSplit(
            folder, (*images, labels_file, parts_file), classes, self.flowers[: max(labels)], images
        )


@dataclass(frozen=True)
class Food101Layout:
    """food-101/images/<class>/<number>.jpg, listed by food-101/meta/train.json and test.json (Bossard et al., 2014)."""

    has_files: ClassVar[bool] = True

    def wanted(self, split: str) -> tuple[str, ...]:
        """The folder of the images and the list."""
        return ("food-101/images", f"food-101/meta/{split}.json") if split != "validation" else ()

    def found(self, root: Path, split: str) -> FoundSplit:
        """See `Layout`."""
        folder, listing = (root / path for path in self.wanted(split))
        try:
            told: dict[str, list[str]] = json.loads(listing.read_bytes())
            named = {name: [folder / f"{path}.jpg" for path in told[name]] for name in sorted(told)}
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            rule = "must be a list of images by class, as {apple_pie: [apple_pie/1005649, ...], ...}"
            raise bad_data(rule, f"{type(error).__name__}: {error} ({listing})") from None
        images = tuple(path for paths in named.values() for path in paths)
        if not images:
            raise bad_data("must name images", f"none ({listing})")
        _check_there(images, listing)
        classes = tuple(name for name, paths in named.items() for _ in paths)
        return FoundSplit(folder, (*images, listing), classes, tuple(named), images)


def _class_folders_of(folder: Path, suffixes: tuple[str, ...]) -> dict[str, list[Path]]:
    """Class -> its images, sorted.

    Raises:
        InputError: there are fewer than two classes, or one has no image.
    """
    named = {
        entry.name: sorted(path for path in entry.iterdir() if path.name.lower().endswith(suffixes))
        for entry in class_folders(folder)
    }
    if len(named) < 2:
        raise bad_data("must hold one folder a class, at least 2", f"{len(named)} in {folder}")
    if empty := [name for name, paths in named.items() if not paths]:
        rule = f"every class must have images ({', '.join(suffixes)})"
        raise bad_data(rule, f"none in {folder / empty[0]}")
    return named


def _number(name: str, folder: Path) -> int:
    if not name.isdecimal():
        raise bad_data("folders of classes must be numbers, as 00000", f"{folder / name}")
    return int(name)


def _check_there(images: list[Path] | tuple[Path, ...], listing: Path) -> None:
    absent = [path for path in images if not path.is_file()]
    if absent:
        rule = f"every image that {listing} names must be there"
        raise bad_data(rule, f"{len(absent):,} of {len(images):,} that are not: {listed(map(str, absent))}")


def _matrix(path: Path, name: str) -> list[int]:
    """The whole numbers of one variable of a MATLAB file.

    Raises:
        InputError: it is no such file, or has no such variable.
    """
    from scipy.io import loadmat

    try:
        values: Any = loadmat(path)[name]
        return [int(value) for value in np.asarray(values).ravel()]
    except OSError:
        raise
    except Exception as error:  # scipy raises ValueError, TypeError, KeyError, MatReadError, zlib.error, ...
        rule = f"must be a MATLAB file with the variable {name}"
        raise bad_data(rule, f"{type(error).__name__}: {error} ({path})") from None
