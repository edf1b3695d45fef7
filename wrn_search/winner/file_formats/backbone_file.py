"""Format `backbone`: the file of format `torch`, of a network that torchvision's detectors take as their body.

Zagoruyko & Komodakis (arXiv 1605.07146, table 9) took WRN-34-2 as the body of a detector on COCO.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from wrn_search.errors import InputError
from wrn_search.networks.architecture import Architecture
from wrn_search.user_paths import user_path
from wrn_search.winner.classifier import Classifier
from wrn_search.winner.file_formats.file_description import About, bad_model
from wrn_search.winner.file_formats.torch_file import classifier_in, write_torch

STAGES = ("layer1", "layer2", "layer3", "layer4")  # features at strides of 4, 8, 16 and 32 pixels
_FAMILY = "imagenet_resnet"


def check_is_a_body(network: Architecture, preprocessing: str) -> None:
    """Raises InputError where a detector could not build on a network, or could not prepare its images."""
    if network.family != _FAMILY:
        rule = (
            f"backbone is for networks of family {_FAMILY}, which have features at strides of 4 to 32 pixels"
        )
        raise InputError.of("--format", f"{rule}, but got {network.name} of family {network.family}")
    if preprocessing == "zca":
        rule = "backbone is for preprocessing meanstd or divide255, which detectors have too"
        raise InputError.of("--format", f"{rule}, but got zca")


def write_backbone(classifier: Classifier, about: About) -> bytes:
    """The whole network, so that it is checked against the live one; `load_backbone` leaves the last layer out."""
    check_is_a_body(about.architecture, about.preprocessing)
    return write_torch(classifier, about)


def load_backbone(path: str | Path, out_channels: int = 256, trainable_stages: int = 3) -> nn.Module:
    """A body with a feature pyramid for torchvision's detectors, from a file of format `backbone` or `torch`.

    A `torchvision.models.detection.backbone_utils.BackboneWithFPN`: (B, C, H, W) -> five maps of `out_channels`, at
    strides of 4, 8, 16, 32 and 64 pixels. Batch norms are frozen, as in torchvision's own detectors, and `image_mean`
    and `image_std` are those of the training images, for pixels in [0, 1]:
    `FasterRCNN(backbone, num_classes, image_mean=backbone.image_mean, image_std=backbone.image_std)`.

    Args:
        path: the file; nothing in it is executed.
        out_channels: of each map.
        trainable_stages: of the five (stem, layer1 to layer4) so many from the last one on are trained.

    Raises:
        InputError: there is no such file, it is no such network, or `trainable_stages` is not 0 to 5.
    """
    from torchvision.models.detection.backbone_utils import BackboneWithFPN

    if not 0 <= trainable_stages <= 5:
        raise InputError.of("trainable_stages", f"must be 0 to 5, but got {trainable_stages}")
    path = user_path(path, "MODEL")
    if not path.is_file():
        raise bad_model("must be a file that `export` wrote, but there is no such file", str(path))
    about, classifier = classifier_in(path)
    check_is_a_body(about.architecture, about.preprocessing)
    body = classifier.network
    _freeze_batch_norms(body)
    trained = ("layer4", "layer3", "layer2", "layer1", "conv1")[:trainable_stages]
    for name, parameter in body.named_parameters():
        parameter.requires_grad_(name.partition(".")[0] in trained)
    maps = {stage: str(place) for place, stage in enumerate(STAGES)}
    backbone: Any = BackboneWithFPN(body, maps, list(about.architecture.widths), out_channels)
    backbone.image_mean = (classifier.mean / 255).tolist()
    backbone.image_std = (classifier.std / 255).tolist()
    pyramid: nn.Module = backbone
    return pyramid


def _freeze_batch_norms(module: nn.Module) -> None:
    """Batches of a detector are too small for statistics of their own: those of the training stay."""
    from torchvision.ops.misc import FrozenBatchNorm2d

    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            frozen = FrozenBatchNorm2d(child.num_features, eps=child.eps)
            with torch.no_grad():
                for part in ("weight", "bias", "running_mean", "running_var"):
                    getattr(frozen, part).copy_(getattr(child, part))
            setattr(module, name, frozen)
        else:
            _freeze_batch_norms(child)
