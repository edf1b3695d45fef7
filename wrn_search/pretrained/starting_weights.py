"""`model.init_from`: what a network begins with instead of random weights, from whichever file it comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wrn_search.errors import printable
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.network_names import exact_name
from wrn_search.pretrained.architecture_of_weights import HEADS, architecture_of, misfits
from wrn_search.pretrained.known_layouts import LAYOUTS, layout_of, renamed
from wrn_search.pretrained.weights_file import bad_weights, digest_of, read_content, tensors_in
from wrn_search.space.rules.starting_file import pinned, told_file

_OUR_MODEL, _OUR_CHECKPOINT = "wrn-search model", "wrn-search checkpoint"
_IN_A_CLASSIFIER = "network."  # in front of the names in an exported file


@dataclass(frozen=True, eq=False)
class StartingWeights:
    """A file's weights by the names of our networks.

    Attributes:
        path: of the file.
        digest: its SHA-256.
        source: who wrote it, for people.
        architecture: the network that they are of.
        weights: float32, by name.
        preprocessing: what its images went through, in words; empty where the file does not tell.
    """

    path: Path
    digest: str
    source: str
    architecture: Architecture
    weights: Mapping[str, Tensor]
    preprocessing: str

    @property
    def pinned(self) -> str:
        """The file as configurations name it: with its digest."""
        return pinned(str(self.path), self.digest)

    @property
    def network(self) -> str:
        """The network's name."""
        return exact_name(self.architecture)

    @property
    def in_channels(self) -> int:
        """Of its images."""
        stem = "stem.weight" if self.architecture.layout.preactivated else "conv1.weight"
        return int(self.weights[stem].shape[1])

    @property
    def num_classes(self) -> int | None:
        """Of its last layer; None where the file has none."""
        heads = (self.weights[f"{head}weight"] for head in HEADS if f"{head}weight" in self.weights)
        return next((int(head.shape[0]) for head in heads), None)


def starting_weights(told: str) -> StartingWeights:
    """The weights of `model.init_from`: a path, or one with the digest that the file must have.

    Raises:
        InputError: the file is not there, another one, unsafe, a stranger's, or of no network of this program.
    """
    path, wanted = told_file(told)
    file = Path(path)
    digest = digest_of(file)
    if wanted is not None and digest != wanted:
        rule = f"must be the file that the search began with, of SHA-256 {wanted}"
        raise bad_weights(f"{rule}, but got {digest}", file)
    content = read_content(file)
    kind = content.get("format") if isinstance(content, Mapping) else None
    if kind in (_OUR_MODEL, _OUR_CHECKPOINT):
        weights, preprocessing, architecture = _ours(content, kind, file)
        source = "exported by this program" if kind == _OUR_MODEL else "a trial's checkpoint"
    else:
        weights, preprocessing, source = _of_a_port(tensors_in(content), file)
        try:
            architecture = architecture_of(weights)
        except ValueError as error:
            raise bad_weights(
                f"must hold the weights of a network of this program, but {error}", file
            ) from None
    try:
        wrong = misfits(weights, architecture)
    except (ValueError, RuntimeError) as error:
        wrong = [str(error)]
    if wrong:
        raise bad_weights(
            f"must hold the weights of {exact_name(architecture)}, but {'; '.join(wrong)}", file
        )
    return StartingWeights(file, digest, source, architecture, _as_floats(weights, file), preprocessing)


def begin_with(
    network: nn.Module, start: StartingWeights, num_classes: int, in_channels: int
) -> tuple[str, ...]:
    """Puts the weights into a network, in place; the names of what begins anew: a head of another size.

    Raises:
        InputError: the images have other channels, or the network is another one.
    """
    if in_channels != start.in_channels:
        rule = f"must be of a network for images of {in_channels} channels"
        raise bad_weights(f"{rule}, but is of one for {start.in_channels}", start.path)
    own = network.state_dict()
    same_head = start.num_classes == num_classes
    taken = {
        name: tensor for name, tensor in start.weights.items() if same_head or not name.startswith(HEADS)
    }
    unlike = [name for name, tensor in taken.items() if name not in own or own[name].shape != tensor.shape]
    if unlike:
        rule = f"must fit the network of every trial, but is of {start.network}"
        raise bad_weights(f"{rule}: {unlike[0]} is another", start.path)
    with torch.no_grad():
        for name, tensor in taken.items():
            own[name].copy_(tensor)
    return tuple(name for name in own if name.startswith(HEADS) and name not in taken)


def _ours(content: Mapping[str, Any], kind: str, file: Path) -> tuple[dict[str, Tensor], str, Architecture]:
    """Weights, preprocessing and network of a file that this program wrote, every part checked."""
    try:
        if kind == _OUR_MODEL:
            told, all_weights = content, tensors_in(content["weights"])
            prefix = _IN_A_CLASSIFIER
            preprocessing = str(content["preprocessing"])
        else:
            told = content["state"]["config"]
            all_weights, prefix = tensors_in(content["state"]["network"]), ""
            preprocessing = str(told["dataset"]["preprocessing"])
        architecture = Architecture.of(
            int(told["depth"]),
            float(told["widen_factor"]),
            str(told["block"]),
            str(told.get("family", "wrn")),
        )
    except KeyError as error:
        raise bad_weights(
            f"must be a whole {kind} of this program, but {error} is missing in it", file
        ) from None
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        rule = f"must be a whole {kind} of this program, which tells depth, widen_factor and block"
        raise bad_weights(f"{rule}, but they make no network: {printable(str(error))[:200]}", file) from None
    if kind == _OUR_MODEL and "mean" in all_weights and "std" in all_weights:
        preprocessing += _by(all_weights["mean"].tolist(), all_weights["std"].tolist())
    weights = {
        name.removeprefix(prefix): tensor for name, tensor in all_weights.items() if name.startswith(prefix)
    }
    needed = sum(conv.weights for group in architecture.layout.groups[:1] for conv in group.first.all_convs)
    if sum(tensor.numel() for tensor in weights.values()) < needed * architecture.blocks[0]:
        held = sum(tensor.numel() for tensor in weights.values())
        rule = f"must hold the weights of {exact_name(architecture)}, which it says that it is"
        raise bad_weights(f"{rule}, but holds {held:,} numbers in all", file)
    return weights, preprocessing, architecture


def _of_a_port(tensors: Mapping[str, Tensor], file: Path) -> tuple[dict[str, Tensor], str, str]:
    """Weights by our names, preprocessing and source of a file of another program.

    Raises:
        InputError: it is a stranger's, or of a port whose networks are none of ours.
    """
    layout = layout_of(tensors)
    known = "; ".join(each.name for each in LAYOUTS if not each.refused)
    if layout is None:
        some = f"{len(tensors)} tensors: {', '.join(list(tensors)[:3])}" if tensors else "no tensors by name"
        rule = f"must hold weights by names that are known ({known})"
        raise bad_weights(f"{rule}, but got {some}", file)
    if layout.refused:
        rule = f"must be of a port that can be taken over ({known})"
        raise bad_weights(f"{rule}, but is of {layout.name}: {layout.refused}", file)
    weights, unknown = renamed(tensors, layout)
    if unknown:
        raise bad_weights(
            f"must hold the names of {layout.name}, but also has {', '.join(unknown[:3])}", file
        )
    preprocessing = f"as its authors do{_by(*layout.images)}" if layout.images else ""
    return weights, preprocessing, layout.name


def _by(mean: Any, std: Any) -> str:
    def listed(values: Any) -> str:
        return ", ".join(f"{value:.4g}" for value in values)

    return f" (mean {listed(mean)}; deviation {listed(std)})"


def _as_floats(weights: Mapping[str, Tensor], file: Path) -> dict[str, Tensor]:
    """float32, but for counters.

    Raises:
        InputError: a number is not finite, or a tensor is no plain one.
    """
    found = {}
    for name, tensor in weights.items():
        if tensor.layout is not torch.strided or tensor.is_quantized:
            raise bad_weights(f"{name} must be a plain tensor, but is none", file)
        own = tensor.detach()
        own = own.to(torch.float32) if own.is_floating_point() else own
        if not bool(torch.isfinite(own).all()):
            raise bad_weights(f"all weights must be finite, but {name} is not", file)
        found[name] = own
    return found
