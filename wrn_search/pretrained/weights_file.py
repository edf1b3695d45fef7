"""Weights read from a file as if a stranger had written it: tensors by name and plain values, nothing is executed."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wrn_search.errors import InputError, Problem, printable

KEY = "model.init_from"
_NESTED = (
    "state_dict",
    "params",
    "model",
    "net",
    "stats",
)  # under which programs keep weights in a checkpoint
_PARALLEL = "module."  # in front of all names, where torch's DataParallel was saved
_TOLD_OF_OBJECTS = (
    "Unsupported global",
    "Unsupported class",
    "unsupported GLOBAL",
    "call reduce",
)  # by torch
_UNPICKLER = "WeightsUnpickler error:"
_MOST_BYTES = 50_000_000_000  # of what an archive claims to hold
_CHUNK = 1 << 20


def bad_weights(text: str, path: Path | str) -> InputError:
    """An error about a file that should hold weights."""
    return InputError([Problem(KEY, text, str(path))])


def digest_of(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits.

    Raises:
        InputError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise bad_weights(f"must be a file that can be read, but got: {error.strerror}", path) from None
    return digest.hexdigest()


def read_content(path: Path) -> Any:
    """What a file of torch (of any version) or a .npz holds: tensors on the CPU and plain values.

    Raises:
        InputError: it is damaged, compressed, of another format, or holds Python objects, which would be code.
    """
    if path.suffix == ".safetensors":
        how = "torch.save(safetensors.torch.load_file(FILE), 'FILE.pt') makes one of it"
        raise bad_weights(f"must be a file of torch or a .npz, but got safetensors: {how}", path)
    try:
        if zipfile.is_zipfile(path):
            is_numpy = _check_archive(path)
            if is_numpy:
                return _arrays(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except MemoryError:
        raise
    except (
        Exception
    ) as error:  # whatever a reader of a broken file runs into: there is no narrower common type
        told = str(error).rpartition(_UNPICKLER)[2].strip()  # the rest is torch's advice to trust the file
        reason = told.splitlines()[0] if told else type(error).__name__
        if any(text in str(error) for text in _TOLD_OF_OBJECTS):
            rule = (
                "must hold tensors by name and plain values, but holds Python objects, which could run code"
            )
            how = "save model.state_dict() where they come from"
            raise bad_weights(f"{rule}: {how}", path) from None
        raise bad_weights(
            f"must be a whole file of torch or a .npz, but got: {printable(reason)[:200]}", path
        ) from None


def _check_archive(path: Path) -> bool:
    """Whether an archive is numpy's; its size and, of torch's, its checksums, which torch never looks at.

    Raises:
        InputError: it is too large, compressed or damaged.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > _MOST_BYTES:
            raise bad_weights(f"must hold at most {_MOST_BYTES / 1e9:g} GB, but claims more", path)
        if members and all(member.filename.endswith(".npy") for member in members):
            return True
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise bad_weights("must hold what torch stored, which never compresses, but is compressed", path)
        if (damaged := archive.testzip()) is not None:
            raise bad_weights(f"must be whole, but the checksum of {damaged} is wrong", path)
    return False


def _arrays(path: Path) -> dict[str, Tensor]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: torch.from_numpy(np.ascontiguousarray(arrays[name])) for name in arrays.files}


def tensors_in(content: Any) -> dict[str, Tensor]:
    """The tensors by name, also where a checkpoint keeps them one level down; empty where there are none.

    What torch's DataParallel puts in front of all names is left out.
    """
    if not isinstance(content, Mapping):
        return {}
    found = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    for key in _NESTED if not found else ():
        below = content.get(key)
        if isinstance(below, Mapping):
            found |= {str(name): value for name, value in below.items() if isinstance(value, Tensor)}
    if found and all(name.startswith(_PARALLEL) for name in found):
        found = {name.removeprefix(_PARALLEL): value for name, value in found.items()}
    return found
