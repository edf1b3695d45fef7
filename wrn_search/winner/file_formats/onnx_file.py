"""Format `onnx`: one self-contained ONNX graph, preprocessing inside. Needs the extra `onnx`."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import torch

from wrn_search.datasets.dataset import Images
from wrn_search.errors import InputError
from wrn_search.images.normalisation_and_zca import Floats
from wrn_search.winner.classifier import Classifier
from wrn_search.winner.file_formats.file_description import About, about_of, bad_model
from wrn_search.winner.file_formats.pt2_file import exported_program
from wrn_search.winner.loaded_model import Model

DESCRIPTION = "wrn_search"  # key of the graph's metadata
INPUT, OUTPUTS = "images", ["scores", "probabilities"]
_EXTRA = ("onnx", "onnxscript", "onnxruntime")
_MOST_BYTES = 2**31 - 1  # of a protobuf


def check_installed() -> None:
    """The extra is there.

    Raises:
        InputError: a package of it is missing; names the command that installs it.
    """
    missing = [name for name in _EXTRA if not _is_installed(name)]
    if missing:
        rule = f"onnx needs the packages {', '.join(_EXTRA)}"
        how = "pip install 'wrn-search[onnx]', or pip install '.[onnx]' in a checkout"
        raise InputError.of("--format", f"{rule}, but {', '.join(missing)} cannot be imported; {how}")


def write_onnx(classifier: Classifier, about: About) -> bytes:
    """The graph with `About.to_dict()` as JSON in its metadata.

    Raises:
        InputError: the extra is missing, or the network is larger than an ONNX file can be.
    """
    check_installed()
    program: Any = torch.onnx.export(
        exported_program(classifier, about),
        input_names=[INPUT],
        output_names=OUTPUTS,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    proto = program.model_proto
    entry = proto.metadata_props.add()
    entry.key, entry.value = DESCRIPTION, json.dumps(about.to_dict(), allow_nan=False)
    if proto.ByteSize() > _MOST_BYTES:
        rule = "an ONNX file holds at most 2 GiB; use torch or pt2"
        raise InputError.of("--format", f"{rule}, but got a network of {proto.ByteSize():,} bytes")
    serialised: bytes = proto.SerializeToString()
    return serialised


def read_onnx(path: Path, trust: bool = False) -> Model:
    """The model in a file, run by onnxruntime on the CPU. The file may name no other file.

    Raises:
        InputError: it is damaged, no model, or the extra is missing.
    """
    check_installed()
    import onnxruntime

    content = path.read_bytes()
    _check_self_contained(content, path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4  # its own lines on stderr say less than the error
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        description = session.get_modelmeta().custom_metadata_map.get(DESCRIPTION, "null")
        about = about_of(json.loads(description), str(path))
        _check_interface(session, about, path)
    except InputError:
        raise
    except Exception as error:  # onnxruntime has an exception for each of its status codes
        raise bad_model(
            f"must be a graph that onnxruntime can run, but got: {_line(error)}", str(path)
        ) from None

    def run(images: Images) -> tuple[Floats, Floats]:
        scores, probabilities = session.run(OUTPUTS, {INPUT: images})
        return scores, probabilities

    return Model(about, run)


def _is_installed(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _check_self_contained(content: bytes, path: Path) -> None:
    """Weights may lie in other files, named by the graph: a stranger's graph must not choose what is read."""
    import onnx

    try:
        proto = onnx.ModelProto.FromString(content)
    except Exception as error:  # protobuf's DecodeError, whose home differs between versions
        raise bad_model(
            f"must be a model in one of the formats torch, pt2 and onnx, but got: {_line(error)}", str(path)
        ) from None
    tensors = onnx.external_data_helper._get_all_tensors(proto)
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in tensors):
        raise bad_model("must hold all its weights itself, but names another file", str(path))


def _check_interface(session: Any, about: About, path: Path) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    takes = [(item.name, item.type, item.shape[1:]) for item in inputs]
    if takes != [(INPUT, "tensor(uint8)", list(about.image_shape))] or [o.name for o in outputs] != OUTPUTS:
        rule = f"must take {INPUT} (batch, {', '.join(map(str, about.image_shape))}) of uint8"
        raise bad_model(f"{rule} and give {' and '.join(OUTPUTS)}, but does not", str(path))


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
