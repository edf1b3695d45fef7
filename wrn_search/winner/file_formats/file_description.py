"""What an exported file says of itself: network, classes, images. It is read as if a stranger had written it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from wrn_search.datasets.dataset import WHITE
from wrn_search.datasets.image_fit import FITS, ImageFit
from wrn_search.errors import InputError
from wrn_search.images.normalisation_and_zca import PREPROCESSINGS, ZCA_MAX_SIDE
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.built_network import built_network
from wrn_search.networks.families.family_table import DEFAULT_FAMILY
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.winner.classifier import Classifier

FORMAT = "wrn-search model"
# Goes up with every change of the keys below or of the network's parameter names; a file has the lowest that it needs.
# 2: `background` is another colour than white, which readers of version 1 would take. 3: `family` is another than wrn,
# or `image_fit` makes images of any size that of the network, which readers of version 2 would refuse.
# 4: `image_fit` is centre, which readers of version 3 would refuse as a fit that does not exist.
VERSION = 4
_ALL_VERSIONS = (1, 2, 3, VERSION)
MOST_CLASSES = 1_000_000
MOST_PIXELS = 16_384  # of a side


@dataclass(frozen=True)
class About:
    """All that is needed to build a classifier, but its weights, and what a reader may want to know of it."""

    name: str  # short name of the trial
    depth: int
    widen_factor: float
    block: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]  # H, W, C
    preprocessing: str  # meanstd | zca | divide255
    background: str = WHITE  # under what is transparent
    family: str = DEFAULT_FAMILY
    image_fit: str | None = (
        None  # crop | pad | centre: how images of any size were made this one; None: they had it
    )
    facts: dict[str, Any] = field(default_factory=dict)  # plain values; nothing is computed from them

    @property
    def architecture(self) -> Architecture:
        """The network's shape."""
        return Architecture.of(self.depth, self.widen_factor, self.block, self.family)

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold; `about_of` is its inverse."""
        values = vars(self) | {"class_names": list(self.class_names), "image_shape": list(self.image_shape)}
        version = 1 if self.background == WHITE else 2
        if self.family != DEFAULT_FAMILY or self.image_fit is not None:
            version = VERSION if self.image_fit == "centre" else 3
        if self.family == DEFAULT_FAMILY:  # a key is there where it is needed
            del values["family"]
        if self.image_fit is None:
            del values["image_fit"]
        return {"format": FORMAT, "version": version, **values}

    @property
    def fit(self) -> ImageFit | None:
        """What makes images of any size those of the network."""
        return ImageFit(self.image_shape[0], self.image_fit) if self.image_fit is not None else None


def about_of(values: object, where: str) -> About:
    """What `to_dict` wrote, every value checked; `where` is the file.

    Raises:
        InputError: it is something else, or of another version.
    """
    if not isinstance(values, Mapping) or values.get("format") != FORMAT:
        raise bad_model("must be a model that `export` wrote, but holds something else", where)
    if values.get("version") not in _ALL_VERSIONS:
        text = (
            f"must be of model version 1 to {VERSION}, but is {values.get('version')!r} (update WRN Search)"
        )
        raise bad_model(text, where)
    try:
        about = About(
            name=_text(values["name"]),
            depth=_whole(values["depth"]),
            widen_factor=float(values["widen_factor"]),
            block=_text(values["block"]),
            class_names=tuple(_text(name) for name in _items(values["class_names"])),
            image_shape=_image_shape(values["image_shape"]),
            preprocessing=_text(values["preprocessing"]),
            background=_colour(values.get("background", WHITE)),
            family=_text(values.get("family", DEFAULT_FAMILY)),
            image_fit=_fit(values.get("image_fit")),
            facts=dict(values.get("facts", {})),
        )
        _check(about)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise bad_model(f"must describe a network, but got: {what}", where) from None
    return about


def classifier_of(about: About, weights: Mapping[str, Tensor], where: str) -> Classifier:
    """The network that `about` describes with these weights, by name; nothing large is built before they fit.

    Raises:
        InputError: the weights are not those of this network.
    """
    # By their memory: a view may claim to be a billion numbers and be one.
    memory = {
        tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
        for tensor in weights.values()
        if _is_plain(tensor)
    }
    floats = sum(memory.values()) // 4  # a few counters pass for floats
    needed = num_params(about.architecture, len(about.class_names), about.image_shape[2])
    if floats < needed:  # a few bytes must not make us build a network of a billion layers
        raise bad_model(
            f"must hold the {needed:,} weights of {about.architecture.name}, but got {floats:,}", where
        )
    with torch.device("meta"):
        classifier = new_classifier(about)
    expected = classifier.state_dict()
    wrong = [
        f"{name} must be {_described(tensor)}, but is {_described(weights.get(name))}"
        for name, tensor in expected.items()
        if _described(weights.get(name)) != _described(tensor)
    ] + [f"there is no {name}" for name in weights.keys() - expected.keys()]
    if wrong:
        raise bad_model(f"weights must fit {about.architecture.name}: {'; '.join(wrong[:3])}", where)
    classifier.load_state_dict(dict(weights), assign=True)
    return classifier.requires_grad_(False).eval()


def new_classifier(about: About) -> Classifier:
    """A classifier of this shape, its weights not yet those of a trial."""
    height, width, channels = about.image_shape
    network = built_network(about.architecture, len(about.class_names), channels)
    whitened = height * width * channels if about.preprocessing == "zca" else None
    return Classifier(network, channels, whitened)


def bad_model(text: str, where: str) -> InputError:
    """An error about a file that should hold a model."""
    return InputError.of("MODEL", text, where)


def _check(about: About) -> None:
    _ = about.architecture  # raises for a depth, width or block that no network has
    if not 2 <= len(about.class_names) <= MOST_CLASSES:
        raise ValueError(f"there must be at least 2 classes, but got {len(about.class_names)}")
    if about.image_fit is not None and about.image_shape[0] != about.image_shape[1]:
        raise ValueError("images that were made one size must be squares")
    if about.preprocessing not in PREPROCESSINGS:
        rule = f"preprocessing must be one of {', '.join(PREPROCESSINGS)}"
        raise ValueError(f"{rule}, but got {about.preprocessing!r}")
    if about.preprocessing == "zca" and max(about.image_shape[:2]) > ZCA_MAX_SIDE:
        raise ValueError(f"zca needs images of {ZCA_MAX_SIDE}x{ZCA_MAX_SIDE} or smaller")


def _image_shape(value: Any) -> tuple[int, int, int]:
    height, width, channels = (_whole(side) for side in _items(value))
    if not (1 <= height <= MOST_PIXELS and 1 <= width <= MOST_PIXELS and channels in (1, 3)):
        raise ValueError(f"images must be H x W x 1 or 3, but got {height}x{width}x{channels}")
    return height, width, channels


def _colour(value: Any) -> str:
    if not isinstance(value, str) or not (value in (WHITE, "black") or re.fullmatch("#[0-9a-f]{6}", value)):
        raise ValueError(f"background must be white, black or #rrggbb, but got {value!r}"[:200])
    return value


def _fit(value: Any) -> str | None:
    if value is not None and value not in FITS:
        raise ValueError(f"image_fit must be one of {', '.join(FITS)}, but got {value!r}"[:200])
    return value if value is None else str(value)


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"a list is needed, but got {type(value).__name__}")
    return list(value)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"a whole number is needed, but got {value!r}"[:200])
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text is needed, but got {type(value).__name__}")
    return value


def _is_plain(tensor: Tensor) -> bool:
    return tensor.layout is torch.strided and tensor.device.type == "cpu"


def _described(tensor: Tensor | None) -> str:
    if tensor is None:
        return "missing"
    if tensor.device.type != "meta" and not (_is_plain(tensor) and tensor.is_contiguous()):
        return "no plain tensor"
    sides = "x".join(str(side) for side in tensor.shape) or "1"
    return f"{sides} {str(tensor.dtype).removeprefix('torch.')}"
