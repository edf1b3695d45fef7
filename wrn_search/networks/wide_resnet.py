"""The Wide Residual Network: pre-activation blocks B(M) of any kernels, widened by k.

Zagoruyko & Komodakis, "Wide Residual Networks" (arXiv 1605.07146): table 1 (structure), section 2 (blocks and
dropout). Where the paper is silent, the authors' own code decides; what is ours says so.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.initialisation import INITS, initialise
from wrn_search.networks.parameters_and_macs import STEM_WIDTH

_FEWEST_SAFE_CHANNELS = 16  # of a strided 1x1 convolution in torch 2.14.1: numbers of a vector of AVX512


class WideResNet(nn.Module):
    """WRN-n-k: 3x3 conv to 16, three groups of N blocks at 16k, 32k, 64k channels, BN-ReLU, average, linear.

    Groups 2 and 3 halve height and width. Any image size: the average goes over all positions that are left.

    Raises:
        ValueError: dropout outside [0, 1) or in blocks of one convolution, or an unknown init.
    """

    def __init__(
        self,
        architecture: Architecture,
        num_classes: int = 10,
        in_channels: int = 3,
        dropout: float = 0.0,
        init: str = "fan_in",
    ):
        super().__init__()
        _check(architecture, dropout, init)
        width1, width2, width3 = architecture.widths
        self.stem = nn.Conv2d(in_channels, STEM_WIDTH, 3, padding=1, bias=False)
        self.groups = nn.Sequential(
            _group(STEM_WIDTH, width1, stride=1, architecture=architecture, dropout=dropout),
            _group(width1, width2, stride=2, architecture=architecture, dropout=dropout),
            _group(width2, width3, stride=2, architecture=architecture, dropout=dropout),
        )
        self.bn = nn.BatchNorm2d(width3)
        self.linear = nn.Linear(width3, num_classes)
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

    def __init__(self, c_in: int, c_out: int, *, stride: int, kernels: tuple[int, ...], dropout: float):
        super().__init__()
        channels = [c_in] + [c_out] * len(kernels)
        strides = [stride] + [1] * (len(kernels) - 1)
        self.bns = nn.ModuleList(nn.BatchNorm2d(width) for width in channels[:-1])
        self.convs = nn.ModuleList(
            _convolution(channels[i], c_out, kernel, strides[i]) for i, kernel in enumerate(kernels)
        )
        # Widths at least double from group to group, so an identity never has to change the image's size.
        assert stride == 1 or c_in != c_out, f"a stride needs a projection, but {c_in} channels stay"
        self.projection = _convolution(c_in, c_out, 1, stride) if c_in != c_out else None
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """(B, c_in, H, W) -> (B, c_out, ceil(H / stride), ceil(W / stride))."""
        activated = F.relu(self.bns[0](x), inplace=True)
        out: Tensor = self.convs[0](activated)
        for bn, conv in zip(self.bns[1:], self.convs[1:], strict=True):
            hidden = F.relu(bn(out), inplace=True)
            out = conv(F.dropout(hidden, self.dropout, self.training))
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


def _convolution(c_in: int, c_out: int, kernel: int, stride: int) -> nn.Conv2d:
    """A convolution of a block: (B, c_in, H, W) -> (B, c_out, ceil(H / stride), ceil(W / stride)).

    Where torch computes rightly it is torch's, so that wide networks train to the same bits as ever.
    """
    unsafe = kernel == 1 and stride > 1 and c_in < _FEWEST_SAFE_CHANNELS
    kind = StridedPointwise if unsafe else nn.Conv2d
    return kind(c_in, c_out, kernel, stride, padding=kernel // 2, bias=False)


def _group(
    c_in: int, c_out: int, *, stride: int, architecture: Architecture, dropout: float
) -> nn.Sequential:
    """N blocks of equal width; the first one changes channels and size."""
    kernels = architecture.kernels
    first = Block(c_in, c_out, stride=stride, kernels=kernels, dropout=dropout)
    others = (
        Block(c_out, c_out, stride=1, kernels=kernels, dropout=dropout)
        for _ in range(architecture.blocks_per_group - 1)
    )
    return nn.Sequential(first, *others)


def _check(architecture: Architecture, dropout: float, init: str) -> None:
    if not 0 <= dropout < 1:
        raise ValueError(f"0 <= dropout < 1 must hold, but got {dropout:g}")
    if dropout > 0 and architecture.deepening_factor == 1:
        raise ValueError(
            "dropout sits between the convolutions of a block: "
            f"dropout = 0 must hold with block {architecture.block}, but got {dropout:g}"
        )
    if init not in INITS:
        raise ValueError(f"init must be one of {', '.join(INITS)}, but got '{init}'")
