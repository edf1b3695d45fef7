"""How public ports of Wide Residual Networks name their weights: told apart by names and shapes, mapped or refused.

Ours (and torchvision's, for the networks for ImageNet) need no new names. Of the others a rule renames each weight, or
says why no network of ours computes the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

Weights = Mapping[str, Tensor]
Rename = tuple[tuple[str, str], ...]  # pattern of a whole name -> ours

_CIFAR = ((125.3, 123.0, 113.9), (63.0, 62.1, 66.7))  # of 0 to 255
_IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))  # 255 times torchvision's
_NORM = r"(weight|bias|running_mean|running_var|num_batches_tracked)"


@dataclass(frozen=True)
class KnownLayout:
    """One port.

    Attributes:
        name: for people.
        is_it: whether names and shapes are its own.
        rename: patterns of all its names with ours; empty: they are ours.
        refused: why its networks are none of ours; empty where they are.
        images: (mean, deviation) of each channel, of 0 to 255, by which its authors prepare images; None: not known.
    """

    name: str
    is_it: Callable[[Weights], bool]
    rename: Rename = ()
    refused: str = ""
    images: tuple[tuple[float, ...], tuple[float, ...]] | None = None


def _has(*names: str) -> Callable[[Weights], bool]:
    return lambda weights: all(name in weights for name in names)


# Of each but the last the names are unlike those of all others.
LAYOUTS: tuple[KnownLayout, ...] = (
    KnownLayout("this program", _has("stem.weight", "groups.0.0.convs.0.weight")),
    KnownLayout(
        "xternalz/WideResNet-pytorch",
        _has("conv1.weight", "block1.layer.0.conv1.weight", "block3.layer.0.convShortcut.weight"),
        (
            (r"conv1\.weight", r"stem.weight"),
            (rf"block(\d)\.layer\.(\d+)\.bn(\d)\.{_NORM}", r"groups.{0-1}.{1}.bns.{2-1}.{3}"),
            (r"block(\d)\.layer\.(\d+)\.conv(\d)\.weight", r"groups.{0-1}.{1}.convs.{2-1}.weight"),
            (r"block(\d)\.layer\.(\d+)\.convShortcut\.weight", r"groups.{0-1}.{1}.projection.weight"),
            (rf"bn1\.{_NORM}", r"bn.{0}"),
            (r"fc\.(weight|bias)", r"linear.{0}"),
        ),
        images=_CIFAR,
    ),
    KnownLayout(
        "szagoruyko/wide-residual-networks, ImageNet export",
        _has("conv0.weight", "conv0.bias", "group0.block0.conv0.weight"),
        refused="its batch norms are folded into its convolutions, and cannot be trained on",
    ),
    KnownLayout(
        "szagoruyko/wide-residual-networks (pytorch)",
        _has("conv0", "group0.block0.conv0", "group0.block0.bn0.weight"),
        (
            (r"conv0", r"stem.weight"),
            (rf"group(\d)\.block(\d+)\.bn(\d)\.{_NORM}", r"groups.{0}.{1}.bns.{2}.{3}"),
            (r"group(\d)\.block(\d+)\.conv(\d)", r"groups.{0}.{1}.convs.{2}.weight"),
            (r"group(\d)\.block(\d+)\.convdim", r"groups.{0}.{1}.projection.weight"),
            (rf"bn\.{_NORM}", r"bn.{0}"),
            (r"fc\.(weight|bias)", r"linear.{0}"),
        ),
        images=_CIFAR,
    ),
    KnownLayout(
        "meliketoy/wide-resnet.pytorch",
        _has("conv1.bias", "layer1.0.conv1.bias", "linear.weight"),
        refused="its convolutions have biases, its blocks stride in the second convolution, and its shortcuts take "
        "their input before batch norm: no network of this program computes the same",
    ),
    KnownLayout(
        "torchvision or timm",
        lambda weights: (
            all(name in weights for name in ("conv1.weight", "bn1.weight", "layer4.0.conv1.weight"))
            and tuple(weights["conv1.weight"].shape[2:]) == (7, 7)
        ),
        images=_IMAGENET,
    ),
)


def layout_of(weights: Weights) -> KnownLayout | None:
    """The port whose names and shapes these are; None for a stranger's."""
    return next((layout for layout in LAYOUTS if layout.is_it(weights)), None)


def renamed(weights: Weights, layout: KnownLayout) -> tuple[dict[str, Tensor], list[str]]:
    """Tensors by our names, and the names that no rule of the port knows."""
    if not layout.rename:
        return dict(weights), []
    found: dict[str, Tensor] = {}
    unknown = []
    for name, tensor in weights.items():
        ours = _our_name(name, layout.rename)
        if ours is None:
            unknown.append(name)
        else:
            found[ours] = tensor
    return found, unknown


def _our_name(name: str, rename: Rename) -> str | None:
    for pattern, ours in rename:
        if match := re.fullmatch(pattern, name):
            return _with_parts(ours, match.groups())
    return None


def _with_parts(ours: str, parts: tuple[str, ...]) -> str:
    return re.sub(r"\{(\d)(-1)?\}", lambda hole: _filled(parts[int(hole[1])], bool(hole[2])), ours)


def _filled(text: str, less_one: bool) -> str:
    """Some count from 1 what others count from 0."""
    return str(int(text) - 1) if less_one else text
