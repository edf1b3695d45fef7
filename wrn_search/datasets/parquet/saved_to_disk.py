"""What `save_to_disk` of Hugging Face's `datasets` wrote, read by pyarrow alone.

A `DatasetDict` is root/dataset_dict.json and a folder a split; a single `Dataset` is the root itself. Each has
state.json, which names its Arrow files, and dataset_info.json.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from wrn_search.datasets.dataset import bad_data
from wrn_search.datasets.folder_walk import class_folders, listed
from wrn_search.datasets.nearest_layout import VALIDATION_NAMES
from wrn_search.errors import InputError, Problem

_SLICE = re.compile(r"\[[^\]]*\]$")  # as in train[:10%]
_DICT, _STATE, INFO = "dataset_dict.json", "state.json", "dataset_info.json"


def is_saved(root: Path) -> bool:
    """Whether a folder looks like one that `save_to_disk` wrote."""
    return (root / _DICT).is_file() or (root / _STATE).is_file()


def saved_training_files(root: Path) -> list[Path]:
    """The Arrow files of the split `train`, in their order.

    Raises:
        InputError: there is no such split, or it is half there.
    """
    return _saved_files(root, "train", "trained on")


def _saved_files(root: Path, split: str, why: str) -> list[Path]:
    folders = _folders(root)
    if split not in folders:
        raise bad_data(f"must hold a split `{split}`, to be {why}", f"{listed(folders)} alone ({root})")
    return _files(folders[split])


def saved_test_files(root: Path) -> list[Path]:
    """Those of the split `test`; see `saved_training_files`."""
    return _saved_files(root, "test", "tested with")


def saved_tests(root: Path) -> list[Path]:
    """The same; none where there is no such split."""
    return saved_test_files(root) if "test" in _folders(root) else []


def saved_validation(root: Path) -> list[Path]:
    """Those of the split `validation` (val, valid, dev); none where there is none.

    Raises:
        InputError: there are two such splits.
    """
    folders = _folders(root)
    found = [name for name in folders if name in VALIDATION_NAMES]
    if len(found) > 1:
        rule = "must hold one split of validation images (or dataset.validation_files: false uses none)"
        raise bad_data(rule, f"{' and '.join(found)} ({root})")
    return _files(folders[found[0]]) if found else []


def saved_others(root: Path, validation_files: bool = True) -> list[str]:
    """A line on the splits that are neither trained on nor validate nor are tested with."""
    read = ("train", "test", *(VALIDATION_NAMES if validation_files else ()))
    others = [name for name in _folders(root) if name not in read]
    if not others:
        return []
    return [f"splits of {root} ignored: {listed(others)} (only train, validation and test are read)"]


def _folders(root: Path) -> dict[str, Path]:
    """Split -> its folder.

    Raises:
        InputError: the root is none that `save_to_disk` wrote.
    """
    if (root / _DICT).is_file():
        splits = _json(root / _DICT).get("splits")
        if not isinstance(splits, list) or not splits or not all(_is_name(name) for name in splits):
            rule = 'must name the splits, as {"splits": ["train", "test"]}'
            raise bad_data(rule, f"{splits!r} ({root / _DICT})")
        return {name: root / name for name in splits}
    if (root / _STATE).is_file():
        split = _json(root / _STATE).get("_split")
        return {_SLICE.sub("", split) if isinstance(split, str) else "train": root}
    rule = f"must be a folder that save_to_disk of Hugging Face's datasets wrote, with {_DICT} or {_STATE}"
    raise bad_data(rule, f"neither in {root}{_nearest(root)}")


def _nearest(root: Path) -> str:
    if not root.is_dir():
        return ""
    if any(root.glob("train*.parquet")):
        return "; there are train*.parquet: set dataset.name to parquet"
    below = [folder for folder in class_folders(root) if is_saved(folder)]
    dicts = [folder for folder in below if (folder / _DICT).is_file()]
    if dicts or len(below) == 1:
        return f"; there is one in {(dicts or below)[0]}: set dataset.root to it"
    if below:
        names = ", ".join(folder.name for folder in below)
        return f"; {names} are splits without {_DICT} beside them: save the DatasetDict whole"
    return ""


def _files(folder: Path) -> list[Path]:
    """The Arrow files that state.json names."""
    absent = [folder / name for name in (_STATE, INFO) if not (folder / name).is_file()]
    if absent:
        rule = f"a split must have {_STATE}, {INFO} and its data-*.arrow"
        raise InputError(Problem("dataset.root", f"{rule}, but got no {path}") for path in absent)
    state = _json(folder / _STATE)
    if state.get("_indices_data_files"):  # of versions before 2.0; later ones write the chosen rows alone
        rule = "must hold its rows themselves (load it with today's datasets and save it again)"
        raise bad_data(rule, f"a choice of rows by _indices_data_files ({folder / _STATE})")
    files = state.get("_data_files")
    told = (
        [each.get("filename") for each in files if isinstance(each, dict)] if isinstance(files, list) else []
    )
    names = [name for name in told if _is_name(name)]
    if not names or names != told:
        rule = 'must name its files, as {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}'
        raise bad_data(rule, f"{files!r} ({folder / _STATE})")
    paths = [folder / str(name) for name in names]
    if absent := [path for path in paths if not path.is_file()]:
        rule = f"every file that {folder / _STATE} names must be there"
        raise bad_data(
            rule, f"{len(absent):,} of {len(paths):,} that are not: {listed(path.name for path in absent)}"
        )
    return paths


def _is_name(value: Any) -> bool:
    """Whether it is that of an entry of a folder."""
    return isinstance(value, str) and value not in ("", ".", "..") and Path(value).name == value


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise bad_data("must hold whole JSON files", f"{path}: {error}") from None
    if not isinstance(told, dict):
        raise bad_data("must hold JSON files with a mapping each", f"{type(told).__name__} ({path})")
    return told
