"""Parameters and multiply-adds of a WRN in closed form: no network is built, torch is not imported.

Counted as the paper's tables 2 to 4 print them (Zagoruyko & Komodakis, arXiv 1605.07146).
"""

from __future__ import annotations

from functools import lru_cache

from wrn_search.networks.architecture import Architecture

STEM_WIDTH = 16


@lru_cache(4096)  # a search asks for each of its networks again with every proposal
def num_params(architecture: Architecture, num_classes: int = 10, in_channels: int = 3) -> int:
    """Trainable weights: convolutions (no bias), batch norms (2 a channel) and the linear layer with its bias."""
    total = in_channels * STEM_WIDTH * 9
    c_in = STEM_WIDTH
    for c_out in architecture.widths:
        total += _block_params(c_in, c_out, architecture.kernels)
        total += (architecture.blocks_per_group - 1) * _block_params(c_out, c_out, architecture.kernels)
        c_in = c_out
    return total + 2 * c_in + c_in * num_classes + num_classes


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
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    total = in_channels * STEM_WIDTH * 9 * height * width
    c_in = STEM_WIDTH
    for group, c_out in enumerate(architecture.widths):
        if (
            group > 0
        ):  # the first convolution of the group has stride 2, so all of them see the smaller output
            height, width = -(-height // 2), -(-width // 2)
        first = _block_conv_weights(c_in, c_out, architecture.kernels)
        others = _block_conv_weights(c_out, c_out, architecture.kernels)
        total += (first + (architecture.blocks_per_group - 1) * others) * height * width
        c_in = c_out
    return total + c_in * num_classes


def _block_conv_weights(c_in: int, c_out: int, kernels: tuple[int, ...]) -> int:
    """Weights of a block's convolutions, with the 1x1 shortcut where the channels change."""
    main = c_in * c_out * kernels[0] ** 2 + sum(c_out**2 * kernel**2 for kernel in kernels[1:])
    return main + (c_in * c_out if c_in != c_out else 0)


def _block_params(c_in: int, c_out: int, kernels: tuple[int, ...]) -> int:
    """Weights of a block: its convolutions and a batch norm in front of each of them."""
    return _block_conv_weights(c_in, c_out, kernels) + 2 * c_in + 2 * c_out * (len(kernels) - 1)
