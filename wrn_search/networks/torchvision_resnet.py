"""The paper's networks for ImageNet on torchvision's ResNet classes: WRN-18-k, WRN-34-k and WRN-50-k-bottleneck."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.families.family import BASIC
from wrn_search.networks.initialisation import Initialisation, initialise
from wrn_search.networks.stochastic_depth import drop_probabilities, dropped_branch

_BASE_WIDTH = 64  # channels of the first group at a widening factor of 1


class TorchvisionResNet(ResNet):
    """A ResNet of torchvision whose basic blocks are k times as wide, or whose bottlenecks are within.

    Parameters have torchvision's names: weights of `resnet18` or `wide_resnet50_2` fit where the shapes do.

    Raises:
        ValueError: stochastic depth outside [0, 1), or an unknown init.
    """

    def __init__(
        self,
        architecture: Architecture,
        num_classes: int = 1000,
        in_channels: int = 3,
        init: str | Initialisation = "fan_in",
        stochastic_depth: float = 0.0,
    ):
        init = Initialisation(init) if isinstance(init, str) else init
        drops = drop_probabilities(stochastic_depth, sum(architecture.blocks))
        basic, k = architecture.kernels == BASIC, architecture.widen_factor
        self._widen_factor = k if basic else 1.0  # of what a block gives; read while the groups are made
        super().__init__(
            BasicBlock if basic else Bottleneck,
            list(architecture.blocks),
            num_classes,
            width_per_group=_BASE_WIDTH if basic else k * _BASE_WIDTH,
        )
        shape = architecture.layout
        if in_channels != shape.stem.c_in:
            self.conv1 = nn.Conv2d(in_channels, shape.stem.c_out, 7, stride=2, padding=3, bias=False)
        self.fc = nn.Linear(shape.width, num_classes)
        blocks = [block for group in (self.layer1, self.layer2, self.layer3, self.layer4) for block in group]
        for block, probability in zip(blocks, drops, strict=True):
            if probability:
                name = "bn2" if basic else "bn3"
                setattr(block, name, BranchBatchNorm(getattr(block, name).num_features, probability))
        initialise(self, init)

    def _make_layer(self, block: Any, planes: int, *arguments: Any, **options: Any) -> nn.Sequential:
        """torchvision's, of as many channels as the widening factor makes of its own."""
        group: nn.Sequential = super()._make_layer(
            block, int(planes * self._widen_factor), *arguments, **options
        )
        return group


class BranchBatchNorm(nn.BatchNorm2d):
    """The last batch norm of a residual branch, with stochastic depth."""

    def __init__(self, channels: int, drop_branch: float):
        super().__init__(channels)
        self.drop_branch = drop_branch

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        out: Tensor = super().forward(x)
        return dropped_branch(out, self.drop_branch) if self.training else out
