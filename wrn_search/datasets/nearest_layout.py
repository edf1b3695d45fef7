"""Where a user's images are laid out almost as they must be: what to write, or to rename, instead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from wrn_search.datasets.dataset import bad_data
from wrn_search.datasets.folder_walk import SUFFIXES, class_folders

_TRAIN_NAMES = (
    "train",
    "training",
    "trainset",
    "train_set",
    "training_set",
    "train_images",
    "training_images",
)
VALIDATION_NAMES = ("val", "valid", "validation", "dev")
_DEEPEST = 4  # levels below the root: ILSVRC/Data/CLS-LOC/train
_MOST_FOLDERS = 2000  # that are looked at for a hint


def nearest_train_folder(root: Path) -> str:
    """What to do about a root without train/, by what lies near it; empty where nothing does."""
    if not root.is_dir():
        return ""
    near = sorted(entry for entry in _folders(root) if entry.name.lower() in _TRAIN_NAMES)
    if near:
        return f"there is {near[0]}: rename it to train"
    for folder in _folders_below(root):
        if folder.name.lower() in _TRAIN_NAMES and len(_with_images(folder)) > 1:
            rename = "" if folder.name == "train" else f" and rename {folder.name} to train"
            return f"there is {folder}: set dataset.root to {folder.parent}{rename}"
    classes = _with_images(root)
    if len(classes) > 1:
        if root.name == "train":
            return f"the folders of the classes are in {root} itself: set dataset.root to {root.parent}"
        names = ", ".join(folder.name for folder in classes[:3])
        return f"{root} holds folders of images itself ({names}, ...): move the classes to {root / 'train'}"
    for folder in _folders_below(root):
        if len(classes := _with_images(folder)) > 1:
            names = ", ".join(each.name for each in classes[:3])
            return f"{folder} holds folders of images ({names}, ...): rename it to {root / 'train'}"
    return ""


def validation_folder(root: Path) -> Path | None:
    """The folder of validation images beside train/; None where there is none.

    Raises:
        InputError: there are two.
    """
    found = [
        entry for entry in _folders(root) if entry.name.lower() in VALIDATION_NAMES and _with_images(entry)
    ]
    if len(found) > 1:
        rule = "must hold one folder of validation images (or dataset.validation_files: false uses none)"
        raise bad_data(rule, " and ".join(str(entry) for entry in found))
    return found[0] if found else None


def _folders(root: Path) -> list[Path]:
    return class_folders(root) if root.is_dir() else []


def _folders_below(root: Path) -> Iterator[Path]:
    """Folders below the root, the nearest first."""

    def all_of_them() -> Iterator[Path]:
        level = [root]
        for _ in range(_DEEPEST):
            level = [entry for folder in level for entry in _folders(folder) if not entry.is_symlink()]
            yield from level

    return islice(all_of_them(), _MOST_FOLDERS)


def _with_images(folder: Path) -> list[Path]:
    """Folders directly below that hold an image file."""
    return [entry for entry in _folders(folder) if _holds_image(entry)]


def _holds_image(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(
            entry.name.lower().endswith(SUFFIXES) for entry in entries if not entry.name.startswith(".")
        )
