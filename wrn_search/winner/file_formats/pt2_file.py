"""Format `pt2`: a `torch.export` program with a dynamic batch, preprocessing inside.

torch reads such a file with pickle and can be made to execute what a stranger put there ("Never load data from
an untrusted source", says `torch.export.load`). So `read_pt2` takes the file's description and raw weights,
builds the network itself and never looks at the program, unless it is told to trust the file.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wrn_search.winner.classifier import Classifier
from wrn_search.winner.file_formats.file_description import About, about_of, bad_model, classifier_of
from wrn_search.winner.loaded_model import Model, run_of

DESCRIPTION = "wrn_search.json"
_WEIGHTS = "data/weights/"
_DTYPES = {7: torch.float32, 5: torch.int64}  # torch/_export/serde/schema.py, ScalarType
# What torch, zipfile and json raise at archives that are not what they should be.
_BROKEN = (
    zipfile.BadZipFile,
    pickle.UnpicklingError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    AssertionError,
    OverflowError,
    EOFError,
)
_MOST_TEXT = 100_000_000  # bytes of a description


def write_pt2(classifier: Classifier, about: About) -> bytes:
    """The exported program and, as an extra file, `About.to_dict()`."""
    content = io.BytesIO()
    description = json.dumps(about.to_dict(), allow_nan=False)
    torch.export.save(exported_program(classifier, about), content, extra_files={DESCRIPTION: description})
    return content.getvalue()


def exported_program(classifier: Classifier, about: About) -> torch.export.ExportedProgram:
    """images (batch, H, W, C) uint8 -> (scores, probabilities), for any batch of at least one image."""
    example = torch.zeros(2, *about.image_shape, dtype=torch.uint8)
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(classifier, (example,), dynamic_shapes=({0: batch},))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine, a quarter of a small file
    return program


def read_pt2(path: Path, trust: bool = False) -> Model:
    """The model in a file: its description and weights in a network of ours, or, trusted, its own program.

    Raises:
        InputError: it is damaged, or no model.
    """
    try:
        about, weights = _parts(path)
        classifier: torch.nn.Module = classifier_of(about, weights, str(path))
        if trust:
            classifier = torch.export.load(io.BytesIO(path.read_bytes())).module()
    except _BROKEN as error:
        if hasattr(error, "problems"):  # an InputError
            raise
        raise bad_model(f"must be a whole pt2 archive, but got: {_line(error)}", str(path)) from None
    return Model(about, run_of(classifier))


def _parts(path: Path) -> tuple[About, dict[str, Tensor]]:
    """The description and the weights by name, read as bytes."""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.compress_type != zipfile.ZIP_STORED:  # torch never compresses: this may be a bomb
                raise zipfile.BadZipFile(f"{info.filename} is compressed")
        if (damaged := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
        # Below the archive's own folder.
        names = {name.partition("/")[2]: name for name in archive.namelist()}
        if f"extra/{DESCRIPTION}" not in names:
            raise bad_model("must be a model that `export` wrote, but holds no description", str(path))
        about = about_of(json.loads(_member(archive, names[f"extra/{DESCRIPTION}"])), str(path))
        if legacy := names.get(f"{_WEIGHTS}model.pt"):  # of torch 2.8
            state = torch.load(io.BytesIO(_member(archive, legacy)), weights_only=True)
            return about, {name: tensor.data for name, tensor in state.items()}
        config = json.loads(_member(archive, names[f"{_WEIGHTS}model_weights_config.json"]))["config"]
        return about, {
            name: _tensor(_member(archive, names[_WEIGHTS + entry["path_name"]]), entry)
            for name, entry in config.items()
        }


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of a member; those of a text are not many."""
    info = archive.getinfo(name)
    if name.endswith(".json") and info.file_size > _MOST_TEXT:
        raise ValueError(f"{name} has {info.file_size} bytes")
    return archive.read(info)


def _tensor(raw: bytes, entry: Mapping[str, Any]) -> Tensor:
    """A contiguous tensor that fills its record; anything else is not of our making."""
    meta = entry["tensor_meta"]
    if entry["use_pickle"] or meta["dtype"] not in _DTYPES or meta["storage_offset"]["as_int"] != 0:
        raise ValueError(f"weights must be plain float32 or int64, but {entry['path_name']} is not")
    sizes = [int(side["as_int"]) for side in meta["sizes"]]
    if [int(step["as_int"]) for step in meta["strides"]] != list(torch.empty(sizes, device="meta").stride()):
        raise ValueError(f"weights must be contiguous, but {entry['path_name']} is not")
    return torch.frombuffer(bytearray(raw), dtype=_DTYPES[meta["dtype"]]).reshape(sizes)


def _line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
