"""A network as its convolutions, in plain numbers: what parameters, multiply-adds and memory are counted from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

STEM_WIDTH = 16  # channels of the first convolution of the networks for small images
Kernels = tuple[int, ...]  # sizes of a block's convolutions


@dataclass(frozen=True)
class Conv:
    """A convolution without bias, padded by kernel // 2: sides become ceil(side / stride)."""

    c_in: int
    c_out: int
    kernel: int
    stride: int = 1

    @property
    def weights(self) -> int:
        """Numbers that are trained, and multiply-adds of one pixel of the output."""
        return self.c_in * self.c_out * self.kernel**2


@dataclass(frozen=True)
class Block:
    """The convolutions of a residual branch, and the 1x1 convolution of the shortcut; None for an identity."""

    convs: tuple[Conv, ...]
    projection: Conv | None

    @classmethod
    def of(cls, channels: tuple[int, ...], kernels: Kernels, stride: int, strided: int = 0) -> Block:
        """A block through these channels (len(kernels) + 1 of them), whose convolution number `strided` strides.

        Channels alone decide about the shortcut, as in the authors' code; where they stay, the size does too.
        """
        convs = tuple(
            Conv(channels[i], channels[i + 1], kernel, stride if i == strided else 1)
            for i, kernel in enumerate(kernels)
        )
        changes = channels[0] != channels[-1]
        return cls(convs, Conv(channels[0], channels[-1], 1, stride) if changes else None)

    @property
    def all_convs(self) -> tuple[Conv, ...]:
        """With that of the shortcut."""
        return self.convs if self.projection is None else (*self.convs, self.projection)


@dataclass(frozen=True)
class Group:
    """Blocks of equal width: the first one may change channels and size."""

    first: Block
    other: Block
    count: int  # of all its blocks

    @property
    def blocks(self) -> Iterator[Block]:
        """All of them, in order."""
        yield self.first
        for _ in range(self.count - 1):
            yield self.other

    @property
    def width(self) -> int:
        """Channels of its output."""
        return self.first.convs[-1].c_out


@dataclass(frozen=True)
class Layout:
    """All convolutions of a network.

    Attributes:
        stem: the first convolution; its input channels are those of the images.
        preactivated: whether BN and ReLU stand in front of each convolution of a block, and once more at the end; else
            BN follows each convolution, shortcuts and stem too, and ReLU follows BN or the sum.
        pools: whether a 3x3 maximum with stride 2 follows the stem.
    """

    stem: Conv
    groups: tuple[Group, ...]
    preactivated: bool = True
    pools: bool = False

    @property
    def width(self) -> int:
        """Channels in front of the linear layer."""
        return self.groups[-1].width


def three_groups(
    width_of: tuple[int, int, int], middle_of: tuple[int, int, int], kernels: Kernels, count: int
) -> tuple[Group, ...]:
    """The groups of a network for small images: `count` blocks each, the second and third halve the size.

    Args:
        width_of: channels that each group gives.
        middle_of: channels between the convolutions of its blocks.
        kernels: of a block.
        count: blocks of each group.
    """
    groups = []
    c_in = STEM_WIDTH
    for place, (width, middle) in enumerate(zip(width_of, middle_of, strict=True)):
        inner = (*(middle for _ in kernels[1:]), width)
        first = Block.of((c_in, *inner), kernels, 2 if place else 1)
        groups.append(Group(first, Block.of((width, *inner), kernels, 1), count))
        c_in = width
    return tuple(groups)
