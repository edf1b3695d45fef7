"""Weights read from a file as if a stranger had written it: tensors by name and plain values, nothing is executed."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Callable, Mapping
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
MOST_BYTES_OF_A_FILE = 16_000_000_000  # 4e9 weights: above all networks of this program, with their optimiser
_CHUNK = 1 << 20
_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
# What begins so is another thing, and what then helps.
_OTHER_FILES: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "a pointer of Git LFS: `git lfs pull` brings the file itself"),
    (b"<!doctype html", "a web page: download the file itself, not the page that shows it"),
    (b"<html", "a web page: download the file itself, not the page that shows it"),
    (b"<?xml", "an XML file"),
    (b"\x1f\x8b", "a gzip archive: unpack it"),
    (b"\x89HDF", "an HDF5 file, as Keras writes"),
    (b"\x93NUMPY", "a .npy file with one array: a .npz has arrays by name"),
)


def bad_weights(text: str, path: Path | str) -> InputError:
    """An error about a file that should hold weights."""
    return InputError([Problem(KEY, text, str(path))])


def digest_of(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits.

    Raises:
        InputError: it cannot be read, is no regular file, which may have no end, or is larger than weights are.
    """
    digest, left = hashlib.sha256(), MOST_BYTES_OF_A_FILE
    try:
        _check_is_a_file_of_weights(path)
        with path.open("rb") as file:
            while chunk := file.read(min(_CHUNK, left + 1)):
                if (left := left - len(chunk)) < 0:  # it grows while it is read
                    raise _too_large(path, MOST_BYTES_OF_A_FILE + 1)
                digest.update(chunk)
    except OSError as error:
        raise bad_weights(f"must be a file that can be read, but got: {error.strerror}", path) from None
    return digest.hexdigest()


def _check_is_a_file_of_weights(path: Path) -> None:
    """Of a kind and a size that can be read to its end.

    Raises:
        InputError: it is not.
        OSError: there is nothing, or nothing that may be looked at.
    """
    told = path.stat()
    if not stat.S_ISREG(told.st_mode):
        kind = next((words for is_it, words in _KINDS if is_it(told.st_mode)), "something else")
        raise bad_weights(f"must be a regular file with weights, but is {kind}", path)
    if not told.st_size:
        raise bad_weights("must be a file with weights, but is empty (0 bytes)", path)
    if told.st_size > MOST_BYTES_OF_A_FILE:
        raise _too_large(path, told.st_size)


def _too_large(path: Path, size: int) -> InputError:
    rule = f"must be a file with weights of at most {MOST_BYTES_OF_A_FILE / 1e9:g} GB"
    return bad_weights(f"{rule}, but has {size:,} bytes", path)


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
        what = _what_it_is(path) or f"cannot be read as one: {printable(reason)[:200]}"
        raise bad_weights(f"must be a whole file of torch or a .npz, but {what}", path) from None


def _what_it_is(path: Path) -> str:
    """What a file that cannot be read is, by how it begins and how large it is; empty where nothing is known."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(b"PK\x03\x04"):
        return f"its end is missing: {size:,} bytes of an archive are there; copy or download it again"
    if other := next((words for begin, words in _OTHER_FILES if head.lower().startswith(begin.lower())), ""):
        return f"is {other}"
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        line = head.decode("ascii").splitlines()[0][:40] if head.strip() else ""
        return f"is text of {size:,} bytes that begins with '{line}'"
    if not any(head):
        return f"begins with zeros ({size:,} bytes): a download or copy that did not end"
    return ""


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
