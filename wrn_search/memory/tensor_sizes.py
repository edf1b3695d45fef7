"""What is trained, as far as its memory depends on it, and the tensors of its layers in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import STEM_WIDTH

FLOAT_BYTES = 4  # of a number in fp32
MOST_EVALUATED = 500  # images at once


def evaluation_batch_size(batch_size: int) -> int:
    """Images that are evaluated at once: so many that evaluating never takes more memory than training."""
    return min(batch_size, MOST_EVALUATED)


@dataclass(frozen=True)
class Workload:
    """One training, as far as its memory depends on it."""

    architecture: Architecture
    num_classes: int = 10
    image_shape: tuple[int, int, int] = (32, 32, 3)  # height, width, channels
    batch_size: int = 128
    precision: str = "fp32"  # fp32 | bf16
    dropout: float = 0.0
    momentum: float = 0.9
    train_images: int = 0
    data_bytes: int = 0  # of images and labels as stored: a GPU holds a copy, a CPU maps the file
    validation_images: int = MOST_EVALUATED
    device: str = "cuda"  # cuda | cpu

    @property
    def number_bytes(self) -> int:
        """Of one number of an activation."""
        return 2 if self.precision == "bf16" else FLOAT_BYTES


@dataclass(frozen=True)
class Conv:
    """A convolution and the tensors at its two ends, in numbers; batch norm and ReLU in front have its input's size."""

    c_in: int
    weights: int
    inputs: int  # B * c_in * H * W
    outputs: int


@dataclass(frozen=True)
class Block:
    """A block's convolutions; `projection` is the one of its shortcut, None for an identity."""

    convs: tuple[Conv, ...]
    projection: Conv | None
    begins_group: bool

    @property
    def inputs(self) -> int:
        """Numbers of the tensor that the block gets."""
        return self.convs[0].inputs

    @property
    def outputs(self) -> int:
        """Numbers of the tensor that it gives."""
        return self.convs[-1].outputs


def blocks_of(workload: Workload, batch_size: int) -> Iterator[Block]:
    """All blocks in order, for batches of this size."""
    height, width, _ = workload.image_shape
    kernels = workload.architecture.kernels
    c_in = STEM_WIDTH
    for group, c_out in enumerate(workload.architecture.widths):
        before = batch_size * height * width
        if group:
            height, width = -(-height // 2), -(-width // 2)
        after = batch_size * height * width
        for number in range(workload.architecture.blocks_per_group):
            inputs = c_in * (after if number else before)
            convs = [Conv(c_in, c_in * c_out * kernels[0] ** 2, inputs, c_out * after)]
            convs += [
                Conv(c_out, c_out**2 * kernel**2, c_out * after, c_out * after) for kernel in kernels[1:]
            ]
            projection = Conv(c_in, c_in * c_out, inputs, c_out * after) if c_in != c_out else None
            yield Block(tuple(convs), projection, begins_group=number == 0)
            c_in = c_out


def stem_of(workload: Workload, batch_size: int) -> Conv:
    """The first convolution, for batches of this size."""
    height, width, channels = workload.image_shape
    pixels = batch_size * height * width
    return Conv(channels, channels * STEM_WIDTH * 9, channels * pixels, STEM_WIDTH * pixels)
