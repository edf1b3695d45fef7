"""What lies in a folder of images, in Parquet or Arrow files, or in torchvision's, before an image is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from wrn_search.datasets.dataset import FoundSplit, Images, Place
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.datasets.folder_walk import ignored_text, listed
from wrn_search.datasets.image_folder import FolderSplit, folder_split, training_split, validation_split
from wrn_search.datasets.parquet.parquet_columns import rows_of_images
from wrn_search.datasets.parquet.parquet_layout import files_of
from wrn_search.datasets.parquet.saved_to_disk import is_saved
from wrn_search.datasets.parquet.table_layout import PARQUET_LAYOUT, SAVED_LAYOUT, TableLayout
from wrn_search.datasets.parquet_files import labelled_rows, names_of_labels
from wrn_search.errors import InputError, nearest

KINDS = ("folder", "parquet")  # that two layouts of one root can be
_TABLES = {"parquet": PARQUET_LAYOUT, "huggingface": SAVED_LAYOUT}
# Beside those that are trained on. `data` looks at them only to tell copies; nothing of them is kept.
_OTHER_SPLITS = ("test",)

Named = tuple[str, bytes | Path | Images | None]  # what a user knows an image by, and its file, or itself


@dataclass(frozen=True)
class ListedSplit:
    """The images of one split, in the order of their files."""

    name: str  # train, validation or test
    where: str
    classes: list[str]  # (N,) of each image
    images: Callable[[], Iterable[Named]]  # N of them
    bytes_of_files: int


@dataclass(frozen=True)
class Listing:
    kind: str  # dataset.name
    splits: list[ListedSplit]  # train first
    remarks: list[str]  # lines on what is passed over, and on what validates


def kind_of(root: Path) -> str:
    """The data set whose layout lies there; where none does, of `folder` and `parquet` the one that is nearer.

    Raises:
        InputError: there is no such folder, it is empty, or it holds both layouts.
    """
    if not root.exists():
        close = nearest(root.name, [entry.name for entry in _entries(root.parent)])
        raise InputError.of("ROOT", f"must be a folder of images or Parquet files, but got no {root}{close}")
    if not root.is_dir():
        rule = "must be a folder that holds train/<class>/ or train*.parquet"
        raise InputError.of("ROOT", f"{rule}, but got a file: {root}; name its folder {root.parent}")
    if is_saved(root):
        return "huggingface"
    entries = _entries(root)
    if not entries:
        rule = "must hold train/<class>/ with images, or train*.parquet"
        raise InputError.of("ROOT", f"{rule}, but got nothing in {root}")
    parquet = bool(files_of(root, "train"))
    folder = (root / "train").is_dir() and any(entry.is_dir() for entry in _entries(root / "train"))
    if parquet and folder:
        rule = "must hold one of train/<class>/ and train*.parquet, or --as must say which is meant"
        raise InputError.of("ROOT", f"{rule}, but got both in {root}")
    if parquet or folder:
        return KINDS[parquet]
    there = [name for name, each in DATASETS.items() if each.survey and "train" in each.survey(Place(root))]
    if len(there) > 1:
        rule = "must hold one data set, or --as must say which is meant"
        raise InputError.of("ROOT", f"{rule}, but got {' and '.join(there)} in {root}")
    if there:
        return there[0]
    return KINDS[any(next(root.glob(f"{below}*.parquet"), None) for below in ("", "*/", "*/*/"))]


def listing(kind: str, place: Place) -> Listing:
    """Every image that a search, or a confirmation, would find.

    Raises:
        InputError: the layout, a class, a column or a label is not as it must be.
    """
    if (survey := DATASETS[kind].survey) is not None:
        found = survey(place)
        if "train" not in found:
            raise InputError.of("ROOT", f"must hold {kind}, but got: {DATASETS[kind].presence(place).text}")
        splits = [_found_split(name, each) for name, each in found.items()]
    else:
        splits = _folder_splits(place) if kind == "folder" else _table_splits(place, _TABLES[kind])
    return Listing(kind, splits, _remarks(kind, place, [split.name for split in splits]))


def _folder_splits(place: Place) -> list[ListedSplit]:
    trained = training_split(place)
    splits = [_folder_split("train", trained, place)]
    if (held_out := validation_split(place)) is not None:
        splits.append(_folder_split("validation", held_out, place))
    for name in _OTHER_SPLITS:
        if (place.root / name).is_dir():
            splits.append(_folder_split(name, folder_split(place.root / name), place))
    return splits


def _folder_split(name: str, split: FolderSplit, place: Place) -> ListedSplit:
    classes = [each for each, found in split.classes.items() for _ in found.images]
    files = split.files

    def images() -> Iterable[Named]:
        return ((path.relative_to(place.root).as_posix(), path) for path in files)

    return ListedSplit(name, str(split.folder), classes, images, _size_of(files))


def _found_split(name: str, split: FoundSplit) -> ListedSplit:
    def images() -> Iterable[Named]:
        if split.array is None:
            return ((path.relative_to(split.where).as_posix(), path) for path in split.images)
        return (
            (f"image {index} of {split.files[0].name}", pixels) for index, pixels in enumerate(split.array())
        )

    return ListedSplit(name, str(split.where), list(split.classes), images, _size_of(list(split.files)))


def _table_splits(place: Place, layout: TableLayout) -> list[ListedSplit]:
    files = layout.training(place.root)
    rows = labelled_rows(files, place)
    classes = [rows.class_names[label] for label in rows.labels.tolist()]
    splits = [_parquet_split("train", files, classes, place)]
    others_of_splits = [("validation", layout.validation(place.root) if place.validation_files else [])]
    others_of_splits += [("test", layout.tests_there(place.root))]
    for name, others in others_of_splits:
        if others:
            splits.append(_parquet_split(name, others, names_of_labels(others, place, rows), place))
    return splits


def _parquet_split(name: str, files: list[Path], classes: list[str], place: Place) -> ListedSplit:
    def images() -> Iterable[Named]:
        return (row for path in files for row in rows_of_images(path, place))

    return ListedSplit(name, listed(str(path) for path in files), classes, images, _size_of(files))


def _remarks(kind: str, place: Place, splits: list[str]) -> list[str]:
    lines = DATASETS[kind].remarks(place)
    if kind != "folder":
        return lines
    for name in [name for name in splits if name in _OTHER_SPLITS]:
        split = folder_split(place.root / name)
        parts = [split.outside, *split.classes.values()]
        links = [path for part in parts for path in part.links]
        lines += ignored_text([path for part in parts for path in part.ignored], links, split.folder)
    used = [*splits, *([held_out.folder.name] if (held_out := validation_split(place)) else [])]
    beside = [entry for entry in _entries(place.root) if entry.name not in used]
    if beside:
        which = listed(f"{entry.name}/" if entry.is_dir() else entry.name for entry in beside)
        lines.append(f"not read in {place.root}: {which}")
    return lines


def _entries(folder: Path) -> list[Path]:
    """What is visible in a folder, sorted."""
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _size_of(files: list[Path]) -> int:
    return sum(path.stat().st_size for path in files)
