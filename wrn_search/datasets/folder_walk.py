"""Image files below a folder, each real folder once: links are followed, but lead to nothing twice."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wrn_search.errors import InputError

SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm",
)  # fmt: skip
_MOST_NAMED = 5  # of what is told in one line

_Identity = tuple[int, int]  # device and inode of a folder


@dataclass
class Found:
    """What is below a folder."""

    images: list[Path] = field(default_factory=list)  # sorted
    ignored: list[Path] = field(default_factory=list)  # whose suffix is that of no image
    links: list[Path] = field(default_factory=list)  # to folders that are read elsewhere


def image_files(folder: Path) -> list[Path]:
    """Image files at any depth, sorted; hidden ones are other programs' (`._cat.png`, `.ipynb_checkpoints/`)."""
    return found_below(folder, {identity(folder)}).images


def found_below(folder: Path, seen: set[_Identity]) -> Found:
    """Image files of a folder and of those below that are not yet `seen`, to which they are added."""
    found = Found()
    for parent, folders, names in os.walk(folder, followlinks=True, onerror=_raise):
        unseen = []
        below = [Path(parent, name) for name in _visible(folders)]
        for path in sorted(
            below, key=lambda path: (path.is_symlink(), path)
        ):  # real folders before links to them
            if identity(path) in seen:
                found.links.append(path)
            else:
                seen.add(identity(path))
                unseen.append(path.name)
        folders[:] = unseen
        for name in _visible(names):
            (found.images if name.lower().endswith(SUFFIXES) else found.ignored).append(Path(parent, name))
    found.images.sort()
    return found


def identity(folder: Path) -> _Identity:
    """What two paths of one folder have in common."""
    status = folder.stat()
    return status.st_dev, status.st_ino


def class_folders(folder: Path) -> list[Path]:
    """The folders of the classes, sorted by name, which gives the same labels on every file system."""
    return sorted((entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")),
                  key=lambda entry: entry.name)  # fmt: skip


def ignored_text(ignored: Sequence[Path], links: Sequence[Path], where: Path) -> list[str]:
    """A line on files, one on links that are passed over; none where there are none."""
    lines = []
    if ignored:
        suffixes = Counter(path.suffix.lower() or "no suffix" for path in ignored)
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in suffixes.most_common(_MOST_NAMED))
        more = ", ..." if len(suffixes) > _MOST_NAMED else ""
        rule = f"only {', '.join(SUFFIXES)} are read"
        lines.append(f"{counted(len(ignored), 'file')} in {where} ignored ({kinds}{more}): {rule}")
    if links:
        which = listed(str(path) for path in links)
        lines.append(f"{counted(len(links), 'link')} passed over, to folders that are read already: {which}")
    return lines


def used_text(where: Path | str, joined: bool) -> str:
    """That images which lie apart are those that validate, or, `joined`, are trained on like the others."""
    if joined:
        return f"the images of {where} are trained on, too, as none validates"
    return f"the images of {where} validate: dataset.validation holds none of the others out"


def found_groups(pattern: str, names: Sequence[str], known_as: Sequence[str]) -> list[str]:
    """What the one group of a pattern finds in each name.

    Raises:
        InputError: names in which it finds nothing; `known_as` is what a user knows them by.
    """
    found = [re.search(pattern, name) for name in names]
    missed = [
        shown for shown, match in zip(known_as, found, strict=True) if match is None or match[1] is None
    ]
    if missed:
        rule = f"'{pattern}' must be found in every file name"
        raise InputError.of("dataset.group_by", f"{rule}, but got {len(missed):,} without: {listed(missed)}")
    return [match[1] for match in found if match is not None]


def counted(count: int, what: str) -> str:
    """`1 file`, `1,200 files`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def listed(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    known = list(names)
    more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
    return ", ".join(known[:_MOST_NAMED]) + more


def _visible(names: Iterable[str]) -> list[str]:
    return [name for name in names if not name.startswith(".")]


def _raise(error: OSError) -> None:
    raise error  # os.walk would leave out a folder that it may not list
