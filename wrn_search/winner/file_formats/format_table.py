"""The formats of an exported network, as a table: how a file is written, read, and told from the others."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wrn_search.user_paths import user_path
from wrn_search.winner.classifier import Classifier
from wrn_search.winner.file_formats.backbone_file import write_backbone
from wrn_search.winner.file_formats.file_description import About, bad_model
from wrn_search.winner.file_formats.onnx_file import check_installed, read_onnx, write_onnx
from wrn_search.winner.file_formats.pt2_file import read_pt2, write_pt2
from wrn_search.winner.file_formats.torch_file import read_torch, write_torch
from wrn_search.winner.loaded_model import Model


@dataclass(frozen=True)
class Format:
    """One way to hand a network over."""

    suffix: str
    write: Callable[[Classifier, About], bytes]
    read: Callable[[Path, bool], Model]  # (file, whether its own program may be run)
    check: Callable[[], None] = lambda: None  # raises when what `write` needs is not installed


FORMATS: dict[str, Format] = {
    "torch": Format(".pt", write_torch, read_torch),
    "pt2": Format(".pt2", write_pt2, read_pt2),
    "onnx": Format(".onnx", write_onnx, read_onnx, check_installed),
}


# No format of a classifier, but one of a network that another program builds on.
BACKBONE = Format(".backbone.pt", write_backbone, read_torch)


def format_named(name: str) -> Format:
    """One of `FORMATS`, or `backbone`."""
    return BACKBONE if name == "backbone" else FORMATS[name]


def load_model(path: str | Path, trust: bool = False) -> Model:
    """The model in a file of any format, known by its content; nothing in it is executed but network layers.

    `trust`: run the program of a `.pt2` itself; torch can be made to execute anything by such a file.

    Raises:
        InputError: there is no such file, it is damaged, no model of `export`, or needs an extra.
    """
    path = user_path(path, "MODEL")
    if not path.is_file():
        there = "no regular file" if path.exists() else "no such file"  # a device has no end
        raise bad_model(f"must be a file that `export` wrote, but there is {there}", str(path))
    try:
        return FORMATS[format_of(path)].read(path, trust)
    except (OSError, MemoryError) as error:
        got = getattr(error, "strerror", None) or type(error).__name__
        raise bad_model(f"must be readable, but got: {got}", str(path)) from None


def format_of(path: Path) -> str:
    """The name of a file's format in `FORMATS`; what is no archive is taken for ONNX."""
    try:
        with zipfile.ZipFile(path) as archive:
            below = {name.partition("/")[2] for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        with path.open("rb") as file:
            return (
                "torch" if file.read(4) == b"PK\x03\x04" else "onnx"
            )  # torn: the error should name its format
    return "pt2" if "archive_format" in below else "torch"
