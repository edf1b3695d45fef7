"""Paths as people write them: `~` and `$VARIABLE` are what a shell would make of them, wherever the path was given.

A shell expands neither in `--results=~/x`, nor in a file, nor in Python. What has no meaning is refused, as a folder
named `~` or `$DATA` is what nobody wants.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from wrn_search.errors import InputError

_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)


class UnknownPath(ValueError):
    """The rule that a path breaks; what came is not in it."""


def expanded(path: str) -> str:
    """The path with a `~` or `~user` at its beginning and each `$NAME` or `${NAME}` replaced; an address `x://` too.

    A file or folder that has the very name, signs of dollar included, is meant itself.

    Raises:
        UnknownPath: such a user is not known, or a variable is not set or empty (`$DATA/x` would become `/x`).
    """
    if "$" in path and not os.path.lexists(path):
        names = [match[1] or match[2] for match in _VARIABLE.finditer(path)]
        if unset := [name for name in names if not os.environ.get(name)]:
            are = "is not set" if len(unset) == 1 else "are not set"
            raise UnknownPath(f"must name variables that are set ({', '.join(unset)} {are})")
        path = _VARIABLE.sub(lambda match: os.environ[match[1] or match[2]], path)
    try:
        return str(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError:
        raise UnknownPath("must be a path of a known user") from None


def user_path(path: str | Path, key: str) -> Path:
    """The expanded path; `key` is the option or variable that it came by.

    Raises:
        InputError: see `expanded`.
    """
    try:
        return Path(expanded(str(path)))
    except UnknownPath as error:
        raise InputError.of(key, f"{error}, but got '{path}'") from None


def results_root() -> Path:
    """Where results directories lie: $WRN_SEARCH_RESULTS (shared storage of a cluster), else `results`."""
    return user_path(os.environ.get("WRN_SEARCH_RESULTS") or "results", "WRN_SEARCH_RESULTS")


def space_file_at(path: str) -> str:
    """A space file's path: as given, else below $WRN_SEARCH_HOME, where a node or an image has the project."""
    home = os.environ.get("WRN_SEARCH_HOME")
    with contextlib.suppress(OSError, RuntimeError):  # the reader tells what is wrong with a path
        if home and not Path(path).exists():
            beside = user_path(home, "WRN_SEARCH_HOME") / path
            return str(beside) if beside.exists() else path
    return path
