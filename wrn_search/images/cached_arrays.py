"""A folder of arrays, whole or rebuilt: written beside its place, renamed into it, checked when it is opened.

`meta.json` is written last and names every array with size, time and SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wrn_search.file_system.flush import flush_to_disk

META = "meta.json"


def read_meta(folder: Path) -> dict[str, Any] | None:
    """What the folder's maker said of it; None if the folder is absent, half written or damaged."""
    try:
        meta = json.loads((folder / META).read_bytes())
        whole = all(_is_as_written(folder / name, written) for name, written in meta["arrays"].items())
        return dict(meta["facts"]) if whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def build_folder(folder: Path, fill: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Lets `fill` write arrays and return JSON-able facts; returns what `read_meta` will. Call under a lock.

    A damaged folder in its place is removed first. Trials that map its files lose nothing: the kernel keeps
    removed files while they are open.
    """
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    for leftover in (unfinished, folder):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)
    unfinished.mkdir(parents=True)
    try:
        facts = fill(unfinished)
        arrays = {path.name: _as_written(path) for path in sorted(unfinished.iterdir())}
        _write_synced(unfinished / META, json.dumps({"facts": facts, "arrays": arrays}, indent=1).encode())
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    meta = read_meta(folder)
    assert meta is not None, f"{folder} changed while it was written"
    return meta


def write_array(
    path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike, chunks: Iterable[npt.NDArray[Any]]
) -> None:
    """A `.npy` file from consecutive parts of the first axis, never more than one of them in memory.

    Written as a file rather than through `open_memmap`: a full disk is then an OSError and not a SIGBUS.
    """
    dtype = np.dtype(dtype)
    with path.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        data_start = file.tell()
        for chunk in chunks:
            assert chunk.dtype == dtype, (chunk.dtype, dtype)
            file.write(np.ascontiguousarray(chunk).tobytes())
        assert file.tell() - data_start == math.prod(shape) * dtype.itemsize, (
            f"{path} has not the shape {shape}"
        )


def _as_written(path: Path) -> dict[str, Any]:
    with path.open("rb+") as file:
        # Before meta.json says that it is whole: a power cut could else leave zeros of the right size.
        flush_to_disk(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        status = os.fstat(file.fileno())
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": digest}


def _is_as_written(path: Path, written: dict[str, Any]) -> bool:
    """Size and time tell at once; only a file whose time differs (copied, or changed) is read to know."""
    status = path.stat()
    if status.st_size != written["size"]:
        return False
    if status.st_mtime_ns == written["mtime_ns"]:
        return True
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return bool(digest == written["sha256"])


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        flush_to_disk(file.fileno())
