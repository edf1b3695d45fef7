"""The contract that every data set keeps (`datasets/dataset.py`), as checks of one."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from wrn_search.datasets.dataset import Dataset, LabelledImages, Place, Presence, Source
from wrn_search.images.augmentation import AUGMENTATIONS
from wrn_search.images.normalisation_and_zca import PREPROCESSINGS
from wrn_search.testing.checks import Check, must


class _Read:
    """What a data set gives, read once for all checks."""

    def __init__(self, dataset: Dataset, place: Place):
        self.dataset, self.place = dataset, place

    @lru_cache(1)  # noqa: B019  a test holds few of them
    def source(self) -> Source:
        return self.dataset.read_training_images(self.place)

    @lru_cache(1)  # noqa: B019
    def test(self) -> LabelledImages:
        return self.dataset.read_test_images(self.place, self.source().class_names)


def dataset_checks(dataset: Dataset, root: Path | str = ".") -> list[Check]:
    """Every rule that a data set keeps; its images are read.

    Args:
        dataset: a line of the table.
        root: `dataset.root`, where its files are, if it has any.
    """
    read = _Read(dataset, Place(Path(root)))
    rules: list[tuple[str, Callable[[_Read], None]]] = [
        ("a look tells of the images and reads none", _presence),
        ("training images are what the facts say", _facts),
        ("training images and labels are the same each time", _same),
        ("validation images leave some to be trained on", _validation),
        ("test images are like the training images, and others", _test),
    ]
    return [Check(rule, partial(check, read)) for rule, check in rules]


def _presence(read: _Read) -> None:
    presence = read.dataset.presence(read.place)
    must(isinstance(presence, Presence) and bool(presence.text), "presence must say where they are", presence)
    for line in read.dataset.remarks(read.place):
        must(isinstance(line, str), "remarks must be lines of text", line)


def _facts(read: _Read) -> None:
    facts, source = read.dataset.facts, read.source()
    told = (facts.num_classes, facts.image_shape)
    found = (len(source.class_names), tuple(source.images.shape[1:]))
    for name, one, other in zip(("num_classes", "image_shape"), told, found, strict=True):
        must(one is None or one == other, f"facts.{name} must be that of the images ({other})", one)
    images = len(source.images) - source.extra_images
    must(facts.train_images in (None, images), f"facts.train_images must be {images}", facts.train_images)
    must(
        facts.preprocessing in PREPROCESSINGS,
        f"facts.preprocessing must be one of {list(PREPROCESSINGS)}",
        facts,
    )
    must(
        facts.augmentation in AUGMENTATIONS, f"facts.augmentation must be one of {list(AUGMENTATIONS)}", facts
    )
    must(float(np.ptp(source.images)) > 0, "images must not all be of one colour", "equal pixels")


def _same(read: _Read) -> None:
    first, second = read.source(), read.dataset.read_training_images(read.place)
    must(np.array_equal(first.images, second.images), "images must be the same each time", "others")
    must(np.array_equal(first.labels, second.labels), "labels must be the same each time", "others")
    must(
        first.class_names == second.class_names, "class names must be the same each time", second.class_names
    )


def _validation(read: _Read) -> None:
    facts, source = read.dataset.facts, read.source()
    if source.validation is None:
        most = len(source.images) - source.extra_images - len(source.class_names)
        must(0 < facts.validation <= most, f"facts.validation must be 1 to {most}", facts.validation)
    else:
        must(
            0 < len(set(source.validation)) < len(source.images),
            "validation must name some of the images",
            "all or none",
        )


def _test(read: _Read) -> None:
    read.dataset.check_test_images(read.place, read.source().class_names)
    test, train = read.test(), read.source()
    must(test.images.dtype == np.uint8, "test images must be uint8", test.images.dtype)
    must(
        test.images.shape[1:] == train.images.shape[1:],
        f"test images must be {train.images.shape[1:]}",
        test.images.shape,
    )
    must(test.labels.shape == test.images.shape[:1], "each test image must have a label", test.labels.shape)
    classes = len(train.class_names)
    inside = bool(np.all((test.labels >= 0) & (test.labels < classes)))
    must(inside, f"test labels must be 0 to {classes - 1}", sorted(set(test.labels.tolist())))
    known = {image.tobytes() for image in train.images}
    shared = sum(image.tobytes() in known for image in test.images)
    must(
        shared * 2 < len(test.images),
        "most test images must not be trained on",
        f"{shared} of {len(test.images)}",
    )
