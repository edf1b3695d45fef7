"""Parameters and multiply-adds in closed form: no network is built, torch is not imported.

Counted as the paper's tables 2 to 8 print them (Zagoruyko & Komodakis, arXiv 1605.07146).
"""

from __future__ import annotations

from functools import lru_cache

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.layout import Block, Layout


@lru_cache(4096)  # a search asks for each of its networks again with every proposal
def num_params(architecture: Architecture, num_classes: int = 10, in_channels: int = 3) -> int:
    """Trainable weights: convolutions (no bias), batch norms (2 a channel) and the linear layer with its bias."""
    layout = architecture.layout
    total = layout.stem.weights // layout.stem.c_in * in_channels
    for group in layout.groups:
        total += _block_params(group.first, layout) + (group.count - 1) * _block_params(group.other, layout)
    total += 2 * (layout.width if layout.preactivated else layout.stem.c_out)  # the norm of no block
    return total + layout.width * num_classes + num_classes


@lru_cache(4096)
def macs(
    architecture: Architecture,
    num_classes: int = 10,
    in_channels: int = 3,
    image_size: int | tuple[int, int] = 32,
) -> int:
    """Multiply-adds of one image's forward pass: convolutions (padding counted) and the linear layer.

    `image_size` is the side of a square image, or (height, width), in pixels; a stride of 2 gives ceil(side / 2).
    """
    layout = architecture.layout
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    size = _strided(size, layout.stem.stride)
    total = layout.stem.weights // layout.stem.c_in * in_channels * size[0] * size[1]
    size = _strided(size, 2) if layout.pools else size
    for group in layout.groups:
        first, size = _block_macs(group.first, size)
        other, _ = _block_macs(group.other, size)
        total += first + (group.count - 1) * other
    return total + layout.width * num_classes


def _block_params(block: Block, layout: Layout) -> int:
    """Weights of a block: its convolutions, and a batch norm in front of each of them, or behind."""
    if layout.preactivated:
        norms = sum(conv.c_in for conv in block.convs)
    else:
        norms = sum(conv.c_out for conv in block.all_convs)
    return sum(conv.weights for conv in block.all_convs) + 2 * norms


def _block_macs(block: Block, size: tuple[int, int]) -> tuple[int, tuple[int, int]]:
    """(multiply-adds, height and width of the output) for inputs of this height and width."""
    total, inputs = 0, size
    for conv in block.convs:
        size = _strided(size, conv.stride)
        total += conv.weights * size[0] * size[1]
    if block.projection is not None:
        height, width = _strided(inputs, block.projection.stride)
        total += block.projection.weights * height * width
    return total, size


def _strided(size: tuple[int, int], stride: int) -> tuple[int, int]:
    return -(-size[0] // stride), -(-size[1] // stride)
