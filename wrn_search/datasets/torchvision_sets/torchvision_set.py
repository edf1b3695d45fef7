"""A data set of torchvision as one of ours: its layout is read here, torchvision downloads it.

Most of these files have no checksum once they are unpacked, so they are known as a user's own are: by names, sizes,
times and pixels. torchvision takes seconds to import, so only a download does. No function but the two of the test
split opens a test image.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wrn_search.datasets.dataset import (
    Dataset,
    DatasetFacts,
    FoundSplit,
    Images,
    LabelledImages,
    Place,
    Presence,
    Source,
    group_numbers,
)
from wrn_search.datasets.folder_walk import found_groups, used_text
from wrn_search.datasets.image_decoding import decode_images, image_shape_of
from wrn_search.datasets.image_fit import fit_images, fit_text
from wrn_search.datasets.torchvision_sets.array_layouts import as_it_lies
from wrn_search.datasets.torchvision_sets.torchvision_layout import Layout

_PARTS = ("train", "validation")  # that a search reads
_TEST = ("test",)


@dataclass(frozen=True)
class TorchvisionSet:
    """One of torchvision's data sets."""

    kind: str  # torchvision's class
    facts: DatasetFacts
    layout: Layout
    page: str  # where its files come from, for who cannot download them here
    megabytes: int  # that the training images take to download
    options: Mapping[str, str] = field(default_factory=dict)  # of the class
    by_split: bool = False  # whether the class downloads each split for itself

    def obtain(self, place: Place) -> None:
        """Downloads what of the images that are not tested with is absent, once a node.

        Raises:
            InputError: it is absent and cannot be downloaded.
        """
        self._obtain(place.root, "train")

    def training_images(self, place: Place) -> Source:
        """All images that may be trained on, or validate."""
        self.obtain(place)
        found = self._found(place)
        names = found[0].class_names
        sizes: Counter[tuple[int, int]] = Counter()
        parts = [self._pixels(split, place, sizes) for split in found]
        labels = np.concatenate([split.labels(names) for split in found])
        validation = np.arange(len(parts[0]), len(labels), dtype=np.int64) if len(found) > 1 else None
        told = tuple(fit_text(place.fit, sizes, place.background)) if place.fit else ()
        groups = group_numbers(_groups(found, place))
        images = np.concatenate(parts) if len(parts) > 1 else parts[0]
        return Source(images, labels, names, _name_of(found, place.root), told, validation, groups)

    def training_files(self, place: Place) -> list[Path]:
        """Every file that `training_images` reads; none before they are downloaded."""
        if self._absent(place.root, "train"):
            return []
        return [path for split in self._found(place) for path in split.files]

    def presence(self, place: Place) -> Presence:
        """How many images and classes there are, or where the search would download them from.

        Raises:
            InputError: files are there that are not as they must be.
        """
        root = place.root
        if self._absent(root, "train"):
            return Presence(f"not in {root} yet; the search downloads {self.megabytes:,} MB from {self.page}")
        found = self._found(place)
        _groups(found, place)
        images, classes = len(found[0].classes), len(found[0].class_names)
        told = f"found {images:,} images of {classes} classes in {found[0].where}"
        validation = len(found[1].classes) if len(found) > 1 else None
        if validation is not None:
            told += f", {validation:,} more that {'are trained on, too' if place.joined else 'validate'}"
        return Presence(told, images, classes, self._shape(found[0], place), validation)

    def remarks(self, place: Place) -> list[str]:
        """Which images validate, and whether there are as many as there should be."""
        if self._absent(place.root, "train"):
            return []
        found, lines = self._found(place), list[str]()
        there, official = len(found[0].classes), self.facts.train_images or 0
        if there != official:
            why = ": is it half copied?" if there < official else ""
            lines.append(
                f"{there:,} training images in {found[0].where}, where {self.kind} has {official:,}{why}"
            )
        if len(found) > 1:
            lines.append(used_text(f"{self.kind}'s validation split", place.joined))
        return lines

    def test_images(self, place: Place, class_names: tuple[str, ...]) -> LabelledImages:
        """The test split."""
        split = self.layout.found(place.root, "test")
        return LabelledImages(self._pixels(split, place, Counter()), split.labels(class_names))

    def see_test_split(self, place: Place, class_names: tuple[str, ...]) -> None:
        """Sees by names and labels that the test split is there; downloads it where it is absent."""
        self._obtain(place.root, "test")
        self.layout.found(place.root, "test").labels(class_names)

    def surveyed(self, place: Place) -> dict[str, FoundSplit]:
        """Each split that is there, for a look at its images before a search."""
        there = [
            name
            for name in (*self._parts(place), *_TEST)
            if self.layout.wanted(name) and not self._absent(place.root, name)
        ]
        return {name: self.layout.found(place.root, name) for name in there}

    def _found(self, place: Place) -> list[FoundSplit]:
        """What is trained on, then what validates, if that is apart."""
        return [
            self.layout.found(place.root, part) for part in self._parts(place) if self.layout.wanted(part)
        ]

    def _parts(self, place: Place) -> tuple[str, ...]:
        return _PARTS if place.validation_files else _PARTS[:1]

    def _pixels(self, split: FoundSplit, place: Place, sizes: Counter[tuple[int, int]]) -> Images:
        """(N, H, W, C) of one split, with as many channels as the facts say."""
        if split.array is not None:
            images = split.array()
            sizes[images.shape[1], images.shape[2]] += len(images)
            return images if place.fit is None else fit_images(images, place.fit, place.background)
        named = [(path.relative_to(place.root).as_posix(), path) for path in split.images]
        images = decode_images(named, len(named), place.background, place.fit, sizes)
        colours = self.facts.image_shape is None or self.facts.image_shape[2] == 3
        return np.repeat(images, 3, axis=3) if colours and images.shape[3] == 1 else images

    def _shape(self, split: FoundSplit, place: Place) -> tuple[int, int, int] | None:
        """Of the images as a network is given them."""
        if split.array is None:
            first = split.images[0]
            height, width, _ = image_shape_of([(str(first), first)], place.fit)
            return height, width, 3
        known = self.facts.image_shape
        return known if place.fit is None or known is None else (place.fit.size, place.fit.size, known[2])

    def _absent(self, root: Path, split: str) -> list[str]:
        """Of what must be there, what is not."""
        return [path for path in self.layout.wanted(split) if not as_it_lies(root / path).exists()]

    def _obtain(self, root: Path, split: str) -> None:
        if not self._absent(root, split):
            return
        from wrn_search.datasets.torchvision_downloads import obtain_whole

        options = {**self.options, **({"split": split} if self.by_split else {})}
        obtain_whole(self.kind, options, root, lambda: self._absent(root, split), self.page)

    def dataset(self) -> Dataset:
        """For the table."""
        keys = ["background", "image_size", "image_fit"]  # what is padded has a background
        keys += ["group_by"] if self.layout.has_files else []
        keys += ["validation_files"] if self.layout.wanted("validation") else []
        return Dataset(
            self.facts,
            self.training_images,
            self.presence,
            self.test_images,
            self.see_test_split,
            user_files=self.training_files,
            remarks=self.remarks,
            obtain=self.obtain,
            file_keys=tuple(keys),
            survey=self.surveyed,
        )


def _groups(found: list[FoundSplit], place: Place) -> list[str] | None:
    """What `dataset.group_by` finds in the path of each image below its split's folder; None without it."""
    if place.group_by is None:
        return None
    named = [(path.relative_to(split.where).as_posix(), path) for split in found for path in split.images]
    names = [name if "/" in place.group_by else path.name for name, path in named]
    return found_groups(place.group_by, names, [path.relative_to(place.root).as_posix() for _, path in named])


def _name_of(found: list[FoundSplit], root: Path) -> Callable[[int], str]:
    """Index of an image -> its file, or its place in one."""

    def name(index: int) -> str:
        for split in found:
            if index < len(split.classes):
                if split.images:
                    return split.images[index].relative_to(root).as_posix()
                return f"image {index} of {split.files[0].name}"
            index -= len(split.classes)
        raise IndexError(index)

    return name
