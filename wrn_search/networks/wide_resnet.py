"""Networks of pre-activation blocks: the Wide Residual Network of any kernels, widened by k, and the thin ResNets.

Zagoruyko & Komodakis, "Wide Residual Networks" (arXiv 1605.07146): table 1 (structure), section 2 (blocks and
dropout). Where the paper is silent, the authors' own code decides; what is ours says so.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from wrn_search.networks import layout
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.initialisation import Initialisation, initialise
from wrn_search.networks.stochastic_depth import drop_probabilities, dropped_branch

_FEWEST_SAFE_CHANNELS = 16  # of a strided 1x1 convolution in torch 2.14.1: numbers of a vector of AVX512


class WideResNet(nn.Module):
    """WRN-n-k: 3x3 conv to 16, three groups of N blocks at 16k, 32k, 64k channels, BN-ReLU, average, linear.

    Groups 2 and 3 halve height and width. Any image size: the average goes over all positions that are left.
    Networks of family preact_resnet are of the same blocks, with their own channels.

    Raises:
        ValueError: dropout or stochastic depth outside [0, 1), dropout in blocks of one convolution, unknown init.
    """

    def __init__(
        self,
        architecture: Architecture,
        num_classes: int = 10,
        in_channels: int = 3,
        dropout: float = 0.0,
        init: str | Initialisation = "fan_in",
        stochastic_depth: float = 0.0,
    ):
        super().__init__()
        init = Initialisation(init) if isinstance(init, str) else init
        _check(architecture, dropout)
        shape = architecture.layout
        assert shape.preactivated, architecture
        drops = iter(drop_probabilities(stochastic_depth, sum(architecture.blocks)))
        self.stem = nn.Conv2d(in_channels, shape.stem.c_out, 3, padding=1, bias=False)
        self.groups = nn.Sequential(
            *(
                nn.Sequential(*(Block(block, dropout, next(drops)) for block in group.blocks))
                for group in shape.groups
            )
        )
        self.bn = nn.BatchNorm2d(shape.width)
        self.linear = nn.Linear(shape.width, num_classes)
        initialise(self, init)

    def forward(self, images: Tensor) -> Tensor:
        """Class scores: (B, C, H, W) -> (B, num_classes)."""
        out = self.groups(self.stem(images))  # (B, 64k, ceil(H / 4), ceil(W / 4))
        out = F.relu(self.bn(out), inplace=True)
        scores: Tensor = self.linear(out.mean(dim=(2, 3)))
        return scores


class Block(nn.Module):
    """x + F(x), F = (BN, ReLU, conv) for each kernel, with dropout before every convolution but the first.

    Where the channels change, x is replaced by a 1x1 convolution, without BN, of the *activated* x. For
    B(3,3) the dropout is the paper's, between the two convolutions; longer blocks drop before each later
    convolution, as the loop of the authors' code does. With one convolution there is no place for it.
    """

    def __init__(self, shape: layout.Block, dropout: float = 0.0, drop_branch: float = 0.0):
        super().__init__()
        self.bns = nn.ModuleList(nn.BatchNorm2d(conv.c_in) for conv in shape.convs)
        self.convs = nn.ModuleList(_convolution(conv) for conv in shape.convs)
        # Widths at least double from group to group, so an identity never has to change the image's size.
        strides = any(conv.stride > 1 for conv in shape.convs)
        assert not strides or shape.projection, f"a stride needs a projection, but the channels stay: {shape}"
        self.projection = _convolution(shape.projection) if shape.projection else None
        self.dropout = dropout
        self.drop_branch = drop_branch

    def forward(self, x: Tensor) -> Tensor:
        """(B, c_in, H, W) -> (B, c_out, ceil(H / stride), ceil(W / stride))."""
        activated = F.relu(self.bns[0](x), inplace=True)
        out: Tensor = self.convs[0](activated)
        for bn, conv in zip(self.bns[1:], self.convs[1:], strict=True):
            hidden = F.relu(bn(out), inplace=True)
            out = conv(F.dropout(hidden, self.dropout, self.training))
        if self.training and self.drop_branch:
            out = dropped_branch(out, self.drop_branch)
        return out + (x if self.projection is None else self.projection(activated))


class StridedPointwise(nn.Conv2d):
    """A 1x1 convolution without bias that takes its stride first: it computes at stride 1 on every s-th row and column.

    The numbers are those of a strided convolution; only the gradient of the weights may add up in another order. But
    torch 2.14.1 on CPUs with AVX512 writes beyond the end of a tensor in the backward pass of a strided one with fewer
    than 16 input channels in channels_last (up to 8 channels from 48x48 images on in fp32; all at 224x224 in bf16):
    it crashes, or spoils whatever lies there.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, c_in, H, W) -> (B, c_out, ceil(H / s), ceil(W / s))."""
        down, across = self.stride
        return F.conv2d(x[:, :, ::down, ::across], self.weight)


def _convolution(shape: layout.Conv) -> nn.Conv2d:
    """A convolution of a block: (B, c_in, H, W) -> (B, c_out, ceil(H / stride), ceil(W / stride)).

    Where torch computes rightly it is torch's, so that wide networks train to the same bits as ever.
    """
    unsafe = shape.kernel == 1 and shape.stride > 1 and shape.c_in < _FEWEST_SAFE_CHANNELS
    kind = StridedPointwise if unsafe else nn.Conv2d
    padding = shape.kernel // 2
    return kind(shape.c_in, shape.c_out, shape.kernel, shape.stride, padding=padding, bias=False)


def _check(architecture: Architecture, dropout: float) -> None:
    if not 0 <= dropout < 1:
        raise ValueError(f"0 <= dropout < 1 must hold, but got {dropout:g}")
    if dropout > 0 and architecture.deepening_factor == 1:
        raise ValueError(
            "dropout sits between the convolutions of a block: "
            f"dropout = 0 must hold with block {architecture.block}, but got {dropout:g}"
        )
