"""Results directories of searches below a folder, theirs of confirmations and audits among them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from wrn_search.errors import InputError
from wrn_search.results.results_directory import ResultsDirectory

_DEEPEST = 4  # folders below the one that is named
_OF_A_SEARCH = ("confirm", "audit")  # what of a search's folder can hold a record of its own


def found_searches(folder: Path) -> list[ResultsDirectory]:
    """All below a folder, or in it, by their paths.

    Raises:
        InputError: there is no such folder, or none of them in it.
    """
    directory = ResultsDirectory(folder)
    directory.check_is_there()
    found = list(_below(folder, _DEEPEST))
    if not found:
        text = "must be the results directory of a search, or a folder with some below it"
        raise InputError.of("", f"{text}, {directory.why_none()}", str(folder))
    return found


def _below(folder: Path, deepest: int) -> Iterable[ResultsDirectory]:
    directory = ResultsDirectory(folder)
    holds_one = directory.events.is_file() or directory.starting.is_file()
    if holds_one:
        yield directory
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not _leads_up(entry))
    except OSError:  # a folder that nobody may read holds nothing to tell of
        return
    for name in names:
        if name in _OF_A_SEARCH if holds_one else deepest > 0 and not name.startswith("."):
            yield from _below(folder / name, deepest - 1)


def _leads_up(entry: os.DirEntry[str]) -> bool:
    """Whether a link leads to a folder that it lies in: all below it is found without it."""
    if not entry.is_symlink():
        return False
    return Path(entry.path).parent.resolve().is_relative_to(Path(entry.path).resolve())
