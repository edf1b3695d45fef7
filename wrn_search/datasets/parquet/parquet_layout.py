"""Which Parquet files of a folder are trained on and which are tested with, and what to do where there are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from wrn_search.datasets.dataset import bad_data
from wrn_search.datasets.folder_walk import class_folders, counted, listed
from wrn_search.datasets.nearest_layout import VALIDATION_NAMES

TEST_PREFIX = "test"
TEST_PATTERN = "test*.parquet"
_VALIDATION = re.compile(rf"({'|'.join(VALIDATION_NAMES)})([-_.0-9].*)?\.parquet", re.IGNORECASE)
_DEEPEST = 3  # levels below the root that are looked at for a hint
_MOST_FOLDERS = 2000


def files_of(root: Path, split: str) -> list[Path]:
    """root/<split>*.parquet, sorted by name; of a folder of that name (Spark's) or root/<split>/ the parts in it."""
    if not root.is_dir():
        return []
    found = sorted(root.glob(f"{split}*.parquet"))
    if not found and (root / split).is_dir():
        found = [root / split]
    return [part for entry in found for part in (_parts(entry) if entry.is_dir() else [entry])]


def training_files_of(root: Path) -> list[Path]:
    """Those of `train`.

    Raises:
        InputError: there is none; with what lies near.
    """
    if files := files_of(root, "train"):
        return files
    example = "train-00000-of-00001.parquet from the `Files` page of a data set on huggingface.co"
    hint = _nearest(root) or f"place the training files there, such as {example}"
    raise bad_data("must be a folder that holds train*.parquet", f"no {root / 'train*.parquet'}; {hint}")


def test_files_there(root: Path) -> list[Path]:
    """Those of `test`; none where there are none."""
    return files_of(root, "test")


def test_files_of(root: Path) -> list[Path]:
    """Those of `test`.

    Raises:
        InputError: there is none.
    """
    if files := files_of(root, "test"):
        return files
    rule = f"must be a folder that holds {TEST_PATTERN}, to be tested with"
    raise bad_data(rule, f"no {root / TEST_PATTERN}")


def validation_files_of(root: Path) -> list[Path]:
    """root/validation*.parquet (val, valid, dev), sorted by name, or the parts in a folder of such a name."""
    if not root.is_dir():
        return []
    found = [path for path in _parts(root) if _VALIDATION.fullmatch(path.name)]
    if not found:
        found = [root / name for name in VALIDATION_NAMES if (root / name).is_dir()]
    return [part for entry in found for part in (_parts(entry) if entry.is_dir() else [entry])]


def others_of(root: Path, validation_files: bool = True) -> list[str]:
    """A line on Parquet files of the root that are neither trained on nor validate nor are tested with."""
    read = {*files_of(root, "train"), *(validation_files_of(root) if validation_files else [])}
    others = [path for path in _parts(root) if path not in read and not path.name.startswith(TEST_PREFIX)]
    if not others:
        return []
    which = listed(path.name for path in others)
    rule = "only train*.parquet is trained on, only validation*.parquet validates, only test*.parquet is tested with"
    return [f"{counted(len(others), 'Parquet file')} in {root} ignored ({which}): {rule}"]


def _nearest(root: Path) -> str:
    """What to write, or to rename, instead; empty where no Parquet file is near."""
    if root.is_file():
        return f"that is a file: set dataset.root to its folder {root.parent}"
    if not root.is_dir():
        return ""
    if (root / "dataset_dict.json").is_file() or (root / "state.json").is_file():
        return "Hugging Face's save_to_disk wrote it: set dataset.name to huggingface"
    for folder in _folders_below(root):
        if files_of(folder, "train"):
            return f"there are some in {folder}: set dataset.root to it"
    for folder in (root, *_folders_below(root)):
        if files := _parts(folder):
            if folder == root and root.name == "train":
                return f"the files of train are in {root} itself: set dataset.root to {root.parent}"
            rule = (
                "name those that are to be trained on train*.parquet, those to be tested with test*.parquet"
            )
            return f"there are others in {folder} ({listed(path.name for path in files)}): {rule}"
    return ""


def _parts(folder: Path) -> list[Path]:
    """*.parquet in a folder but for what other programs hide (`_metadata`, `.part-0.parquet.crc`)."""
    return sorted(path for path in folder.glob("*.parquet") if path.name[0] not in "._")


def _folders_below(root: Path) -> Iterator[Path]:
    """Folders below the root, the nearest first."""

    def all_of_them() -> Iterator[Path]:
        level = [root]
        for _ in range(_DEEPEST):
            level = [entry for folder in level for entry in class_folders(folder) if not entry.is_symlink()]
            yield from level

    return islice(all_of_them(), _MOST_FOLDERS)
