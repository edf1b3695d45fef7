"""Format `torch`: one dictionary of plain values and tensors, which torch loads with `weights_only=True`."""

from __future__ import annotations

import io
from pathlib import Path

import torch

from wrn_search.shell_commands import ours
from wrn_search.training.checkpoints.checkpoint_file import CheckpointError, read_torch_file
from wrn_search.winner.classifier import Classifier
from wrn_search.winner.file_formats.file_description import About, about_of, bad_model, classifier_of
from wrn_search.winner.loaded_model import Model, run_of

WEIGHTS = "weights"


def write_torch(classifier: Classifier, about: About) -> bytes:
    """`About.to_dict()` and, under `weights`, the state of a `Classifier` by name."""
    weights = {name: tensor.contiguous() for name, tensor in classifier.state_dict().items()}
    content = io.BytesIO()
    torch.save({**about.to_dict(), WEIGHTS: weights}, content)
    return content.getvalue()


def read_torch(path: Path, trust: bool = False) -> Model:
    """The model in a file. Nothing in it is executed, whatever it holds.

    Raises:
        InputError: it is damaged, or no model.
    """
    about, classifier = classifier_in(path)
    return Model(about, run_of(classifier))


def classifier_in(path: Path) -> tuple[About, Classifier]:
    """The same as layers, with what the file says of them.

    Raises:
        InputError: it is damaged, or no model.
    """
    try:
        content = read_torch_file(path)
    except CheckpointError as error:
        raise bad_model(str(error).removeprefix(f"{path}: "), str(path)) from None
    if isinstance(content, dict) and content.get("format") == "wrn-search checkpoint":
        text = (
            "must be an exported model, but is a trial's checkpoint; "
            f"how to make one: {ours('export', '--help')}"
        )
        raise bad_model(text, str(path))
    about = about_of(content, str(path))
    weights = content.get(WEIGHTS)
    if not isinstance(weights, dict) or not all(isinstance(item, torch.Tensor) for item in weights.values()):
        raise bad_model("must hold tensors by name under 'weights', but does not", str(path))
    return about, classifier_of(about, weights, str(path))
