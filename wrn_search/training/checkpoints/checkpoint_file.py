"""Checkpoints on disk: written whole or not at all, and read only if every byte is what was written."""

from __future__ import annotations

import errno
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

import torch

from wrn_search.file_system.flush import flush_names, flush_to_disk
from wrn_search.file_system.holder import own_mark

_FORMAT = "wrn-search checkpoint"
# Says nothing of the file: the same read may go well later.
_PASSING = (errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ETIMEDOUT)
# Goes up with every change of the state's keys or of the network's parameter names.
_VERSION = 2


class CheckpointError(ValueError):
    """A checkpoint that cannot be used: its text says which file and why."""


def save_checkpoint(path: Path, state: dict[str, Any], is_wanted: Callable[[], bool] = lambda: True) -> None:
    """Writes a state of tensors and plain values; at every moment `path` holds the old one or the new one.

    The folder must exist. A kill leaves at most a partial file, which the next session clears away. `is_wanted` is
    asked when all is written: the old one stays if it is not.
    """
    partial = partial_path(path)
    try:
        with partial.open("wb") as file:
            sink = _Sink(file)
            torch.save({"format": _FORMAT, "version": _VERSION, "state": state}, cast(IO[bytes], sink))
            sink.flush()
            flush_to_disk(file.fileno())
        if not is_wanted():
            partial.unlink()
            return
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    flush_names(path.parent)


class _Sink:
    """A file that torch writes to, which has no words for a full disk: the first error is kept, and raised at the end.

    Nothing is gathered in memory: a large network's state would double what its trial takes.
    """

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._error: OSError | None = None

    def write(self, data: Any) -> int:
        """All of it, or nothing any more."""
        if self._error is None:
            try:
                self._file.write(data)
            except OSError as error:
                self._error = error
        return len(data)

    def flush(self) -> None:
        """Raises what went wrong in any call before."""
        if self._error is not None:
            raise self._error
        self._file.flush()


def partial_path(path: Path) -> Path:
    """Where this process writes the next version: another, on a node that was given up too early, does not."""
    return path.with_name(f"{path.name}.{own_mark()}.partial")


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The state that `save_checkpoint` wrote, its tensors on the CPU. Nothing in the file is executed.

    Raises:
        CheckpointError: no such file, damaged, of another program, or of another version.
        OSError, MemoryError: it could not be read now, which says nothing of the file.
    """
    content = read_torch_file(path)
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise CheckpointError(f"{path}: must be a checkpoint of a trial, but holds something else")
    if content.get("version") != _VERSION:
        raise CheckpointError(
            f"{path}: must be of checkpoint version {_VERSION}, but is {content.get('version')}"
        )
    state: dict[str, Any] = content["state"]
    return state


def read_torch_file(path: Path) -> Any:
    """What torch stored in a file: tensors on the CPU and plain values, nothing in it is executed.

    Raises:
        CheckpointError: no such file, damaged, or of another program.
        OSError, MemoryError: it could not be read now, which says nothing of the file.
    """
    try:
        # torch writes the checksums of its zip archives and never looks at them: a flipped bit would load.
        with zipfile.ZipFile(path) as archive:
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                raise CheckpointError(
                    f"{path}: must hold what torch stored, which never compresses, but is compressed"
                )
            damaged = archive.testzip()
        if damaged is not None:
            raise CheckpointError(f"{path}: damaged checkpoint: wrong checksum of {damaged}")
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such checkpoint") from error
    except CheckpointError:
        raise
    except Exception as error:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) in _PASSING:
            raise  # whatever a reader of a broken archive runs into: there is no narrower common type
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path}: damaged or foreign checkpoint: {reason}") from error
