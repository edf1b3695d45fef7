"""Files that a report writes for its user: whole or not at all, and never over one that is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wrn_search.errors import InputError, Problem
from wrn_search.file_system.flush import flush_to_disk
from wrn_search.file_system.holder import own_mark
from wrn_search.file_system.write_probe import PROBE


def check_new_file(path: Path, option: str) -> None:
    """Sees to it that a file can be written and nothing is overwritten; touches nothing.

    Raises:
        InputError: it exists, or there is no folder for it.
    """
    if path.exists() or path.is_symlink():
        raise InputError.of(option, f"must name a new file, but {path} exists")
    if not path.absolute().parent.is_dir():
        raise InputError.of(option, f"must be in a folder that exists, but {path.parent} is none")


def check_can_be_written(path: Path, option: str) -> None:
    """Sees to it that a file can be written or replaced, before hours of work for it; leaves everything as it is.

    Raises:
        InputError: it is no plain file, or its folder cannot be made or written.
    """
    if path.is_dir():
        raise InputError.of(option, f"must be a file, but {path} is a folder")
    if os.path.lexists(path) and not path.is_file():  # replacing a device or a pipe would take it away
        raise InputError.of(option, f"must be a plain file, but {path} is none")
    missing = [folder for folder in path.absolute().parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path.with_name(f"{PROBE}{own_mark()}")) as temporary:
            temporary.write_bytes(b"")
        path.with_name(f"{PROBE}{own_mark()}").unlink()
    except OSError as error:
        text = f"must be a file that can be written, but got: {error.strerror}"
        raise InputError([Problem(option, text, str(path))]) from None
    finally:
        with suppress(OSError):
            for folder in missing:
                folder.rmdir()


@contextmanager
def written_once(path: Path, option: str) -> Iterator[Path]:
    """A temporary path beside `path` that becomes it when the block ends well.

    Raises:
        InputError: see `check_new_file`, or the file cannot be written.
    """
    check_new_file(path, option)
    temporary = temporary_path(path)
    try:
        temporary.unlink(missing_ok=True)
        yield temporary
        os.link(temporary, path)  # unlike a rename it replaces nothing that came meanwhile
    except FileExistsError:
        raise InputError.of(option, f"must name a new file, but {path} exists") from None
    except OSError as error:
        raise InputError.of(option, f"must be a file that can be written, but got: {error}") from None
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path that takes the place of `path` when the block ends well: readers see old or new."""
    temporary = temporary_path(path)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            flush_to_disk(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def temporary_path(path: Path) -> Path:
    """Where this process writes the next version of `path`; no pattern such as `*.parquet` matches it."""
    return path.with_name(f".{path.name}.{own_mark()}.tmp")


def leftovers(path: Path) -> list[Path]:
    """What processes that were killed left of next versions of `path`, those of other hosts and of before marks too."""
    if not path.parent.is_dir():
        return []
    return [each for each in path.parent.iterdir() if is_leftover(each.name, path.name)]


def is_leftover(name: str, of: str) -> bool:
    """Whether a file's name is that of a next version of another."""
    return name.startswith(f".{of}.") and name.endswith(".tmp")


def write_or_tell(path: Path, text: str, option: str) -> None:
    """Writes or replaces a text file for its user, with the folders above it.

    Raises:
        InputError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_text(path, text)
    except OSError as error:
        told = f"must be a file that can be written, but got: {error.strerror}"
        raise InputError([Problem(option, told, str(path))]) from None


def atomic_write_text(path: Path, text: str) -> None:
    """Writes or replaces a text file (UTF-8) as a whole."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
