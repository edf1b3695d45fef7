"""Data set `imagenet`: root/train/<class>/ and, tested on, root/val/<class>/; photographs that are never all decoded.

They are listed once, and looked at by `whole_files.py`; worker processes decode them while a network trains.
"""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import islice
from pathlib import Path

from wrn_search.datasets.dataset import (
    Dataset,
    DatasetFacts,
    LabelledImages,
    ListedImages,
    Listings,
    Place,
    Presence,
    Source,
    and_more,
    bad_data,
)
from wrn_search.datasets.folder_walk import SUFFIXES, class_folders, counted, ignored_text, listed
from wrn_search.datasets.image_decoding import decode_images, image_shape_of
from wrn_search.datasets.image_folder import (
    FolderSplit,
    folder_split,
    labels_of,
    training_split,
)
from wrn_search.datasets.image_folder import training_images as images_of_folder
from wrn_search.datasets.imagenet.whole_files import check_whole

_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")
_ILSVRC_CLASSES, _ILSVRC_IMAGES = 1000, 1_281_167  # of ILSVRC 2012: its training split
_VALIDATION = 50_000  # images held out of it, as many as root/val/ has


def training_files(place: Place) -> list[Path]:
    """Every file that may be trained on, class by class.

    Raises:
        InputError: root/train does not hold images of at least two classes, or is half unpacked.
    """
    return _training_split(place).files


def some_training_files(place: Place, count: int) -> list[Path]:
    """One file of each of so many classes, the first ones, without a look at the others.

    Raises:
        OSError: root/train cannot be read.
    """
    found = []
    for folder in islice(class_folders(place.root / "train"), count):
        names = (entry for entry in os.scandir(folder) if entry.name.lower().endswith(SUFFIXES))
        found += [Path(entry.path) for entry in islice(names, 1)]
    return found


def listed_training_images(place: Place) -> ListedImages:
    """The same with their labels, each seen to be a whole image file.

    Raises:
        InputError: it is not so, or a file is empty, cut short or no image.
    """
    return _listed(place, _training_split(place))


def listed_test_images(place: Place, class_names: tuple[str, ...]) -> ListedImages:
    """The images of root/val/<class>/, each seen to be a whole image file.

    Raises:
        InputError: see `check_test_images`; or a file is empty, cut short or no image.
    """
    check_test_images(place, class_names)
    return _listed(place, folder_split(test_folder(place.root)))


def check_test_images(place: Place, class_names: tuple[str, ...]) -> None:
    """Sees by names of files and folders that root/val/ holds images of each class.

    Raises:
        InputError: it does not.
    """
    folder = test_folder(place.root)
    if not folder.is_dir():
        rule = "must be a folder that holds val/<class>/, to be tested on"
        raise bad_data(rule, f"no {folder}{_test_folder_hint(place.root)}")
    split = folder_split(folder)
    if not split.classes and split.outside.ignored:
        rule = f"the images of {folder} must lie in a folder a class"
        how = f"move each into {folder}/<class>/, as the validation ground truth of ILSVRC says"
        raise bad_data(rule, f"{counted(len(split.outside.ignored), 'file')} in none: {how}")
    odd = sorted(split.classes.keys() ^ set(class_names))
    if odd:
        which = "only there" if odd[0] in split.classes else "not there"
        rule = f"{folder} must hold the classes of {place.root / 'train'}"
        raise bad_data(rule, f"'{odd[0]}' {which}{and_more(odd)}")
    empty = [name for name, found in split.classes.items() if not found.images]
    if empty:
        raise bad_data("every class must have test images", f"none in {folder / empty[0]}{and_more(empty)}")


def presence(place: Place) -> Presence:
    """How many classes and images there are; their size is that which they are made.

    Raises:
        InputError: see `training_files`, or the first file is no image.
    """
    split = _training_split(place)
    files, classes = split.files, len(split.classes)
    found = f"found {len(files):,} images of {classes} classes in {split.folder}"
    first = [(files[0].relative_to(place.root).as_posix(), files[0])]
    shape = image_shape_of(first, place.fit)
    return Presence(found, len(files), classes, shape, class_counts=split.counts)


def remarks(place: Place) -> list[str]:
    """What of root/train/ is passed over or seems to be missing, and whether there is something to test on."""
    split = _training_split(place)
    parts = [split.outside, *split.classes.values()]
    links = [path for part in parts for path in part.links]
    lines = ignored_text([path for part in parts for path in part.ignored], links, split.folder)
    images = len(split.files)
    if len(split.classes) == _ILSVRC_CLASSES and images < _ILSVRC_IMAGES:
        lines.append(
            f"{images:,} images of {_ILSVRC_CLASSES:,} classes in {split.folder}, where ILSVRC 2012 has "
            f"{_ILSVRC_IMAGES:,}: is it half copied?"
        )
    if not (test_folder(place.root)).is_dir():
        lines.append(
            f"no {place.root / 'val'}: a search needs none, `confirm` and protocol: test_each test on it"
        )
    return lines


def training_images(place: Place) -> Source:
    """All of them decoded, for who has the memory; a search never does it."""
    _training_split(place)
    return images_of_folder(_without_validation_files(place))


def test_images(place: Place, class_names: tuple[str, ...]) -> LabelledImages:
    """All images of root/val/ decoded, for who has the memory; a confirmation never does it."""
    found = listed_test_images(place, class_names)
    named = [(name, place.root / name) for name in found.files]
    return LabelledImages(decode_images(named, len(named), place.background, place.fit), found.labels)


def _without_validation_files(place: Place) -> Place:
    """root/val/ is what is tested on."""
    return replace(place, validation_files=False, group_by=None)


def _training_split(place: Place) -> FolderSplit:
    folder = place.root / "train"
    if folder.is_dir():
        _check_unpacked(folder)
    return training_split(place)


def _check_unpacked(folder: Path) -> None:
    """No archive of a class lies there without the folder that it is unpacked into."""
    archives = sorted(entry for entry in folder.iterdir() if entry.name.lower().endswith(_ARCHIVES))
    packed = [entry.name for entry in archives if not (folder / entry.name.partition(".")[0]).is_dir()]
    if packed:
        rule = f"archives of classes in {folder} must be unpacked, each into a folder of its name"
        raise bad_data(rule, f"{len(packed):,} that are not: {listed(packed)}")


def test_folder(root: Path) -> Path:
    """The validation split of ILSVRC, whose own test split has no labels, is what the paper's errors are of."""
    return root / "val"


def _test_folder_hint(root: Path) -> str:
    near = [name for name in ("test", "validation", "valid") if (root / name).is_dir()]
    return f"; there is {root / near[0]}: rename it to val if its images have classes" if near else ""


def _listed(place: Place, split: FolderSplit) -> ListedImages:
    check_whole(split.files)
    files = tuple(path.relative_to(place.root).as_posix() for path in split.files)
    return ListedImages(files, labels_of(split), tuple(split.classes))


IMAGENET = Dataset(
    DatasetFacts(
        None,
        None,
        None,
        validation=_VALIDATION,
        preprocessing="meanstd_imagenet",
        augmentation="resized_crop_colour",
        image_size=224,
        image_fit="centre",
    ),
    training_images,
    presence,
    test_images,
    check_test_images,
    user_files=training_files,
    remarks=remarks,
    streamed=Listings(listed_training_images, listed_test_images, some_training_files),
)
