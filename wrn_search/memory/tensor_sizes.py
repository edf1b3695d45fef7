"""What is trained, as far as its memory depends on it, and the tensors of its layers in numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from wrn_search.networks import layout
from wrn_search.networks.architecture import Architecture

FLOAT_BYTES = 4  # of a number in fp32
MOST_EVALUATED = 500  # images at once, on a CPU


@dataclass(frozen=True)
class Workload:
    """One training, as far as its memory depends on it."""

    architecture: Architecture
    num_classes: int = 10
    image_shape: tuple[int, int, int] = (32, 32, 3)  # height, width, channels
    batch_size: int = 128
    precision: str = "fp32"  # fp32 | tf32 | bf16 | fp16
    dropout: float = 0.0
    momentum: float = 0.9
    train_images: int = 0
    data_bytes: int = 0  # of images and labels as stored: a GPU holds a copy, a CPU maps the file
    validation_images: int = MOST_EVALUATED
    device: str = "cuda"  # cuda | cpu
    stochastic_depth: float = 0.0
    is_streamed: bool = False  # images are decoded by processes beside the training
    optimizer: str = "sgd"  # sgd | adamw
    ema: float = 0.0
    sam: float = 0.0
    gradient_accumulation: int = 1
    policy: str = ""  # of `dataset.augmentation`, that changes the images of a batch; empty for none
    replicas: int = 1  # processes that train the network together, each with a device of its own
    is_captured: bool = False  # its step is a CUDA graph, which keeps the memory of the step to itself

    @property
    def part_size(self) -> int:
        """Images of a batch that one replica trains on."""
        return self.batch_size // self.replicas

    @property
    def micro_batch_size(self) -> int:
        """Images of a micro-batch, of all replicas together."""
        return -(-self.batch_size // self.gradient_accumulation)

    @property
    def images_at_once(self) -> int:
        """Images that pass the network at once in training, of one replica."""
        return self.micro_batch_size // self.replicas if self.gradient_accumulation > 1 else self.part_size

    @property
    def number_bytes(self) -> int:
        """Of one number of an activation."""
        return 2 if self.precision in ("bf16", "fp16") else FLOAT_BYTES


@dataclass(frozen=True)
class Conv:
    """A convolution and the tensors at its two ends, in numbers; batch norm and ReLU in front have its input's size."""

    c_in: int
    weights: int
    inputs: int  # B * c_in * H * W
    outputs: int
    c_out: int


@dataclass(frozen=True)
class Block:
    """A block's convolutions; `projection` is the one of its shortcut, None for an identity."""

    convs: tuple[Conv, ...]
    projection: Conv | None
    begins_group: bool

    @property
    def all_convs(self) -> tuple[Conv, ...]:
        """With that of the shortcut."""
        return self.convs if self.projection is None else (*self.convs, self.projection)

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
    shape = workload.architecture.layout
    size = strided(workload.image_shape[:2], shape.stem.stride * (2 if shape.pools else 1))
    for group in shape.groups:
        for number, block in enumerate(group.blocks):
            convs, inner = [], size
            for conv in block.convs:
                convs.append(_sized(conv, inner, batch_size))
                inner = strided(inner, conv.stride)
            projection = _sized(block.projection, size, batch_size) if block.projection else None
            yield Block(tuple(convs), projection, begins_group=number == 0)
            size = inner


def stem_of(workload: Workload, batch_size: int) -> Conv:
    """The first convolution, for batches of this size."""
    height, width, channels = workload.image_shape
    stem = replace(workload.architecture.layout.stem, c_in=channels)
    return _sized(stem, (height, width), batch_size)


def copied_weights_bytes(workload: Workload, block: Block) -> int:
    """What autocast copies of weights while a block is evaluated: of one convolution at a time.

    It keeps no copies in inference mode. On a CPU oneDNN orders the copy anew.
    """
    if workload.number_bytes == FLOAT_BYTES:
        return 0
    copies = 2 if workload.device == "cpu" else 1
    return copies * workload.number_bytes * max(conv.weights for conv in block.all_convs)


def strided(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """Height and width after a stride, or after two whose product it is."""
    return -(-size[0] // stride), -(-size[1] // stride)


def _sized(conv: layout.Conv, size: tuple[int, int], batch_size: int) -> Conv:
    """A convolution of inputs of this height and width."""
    before, after = math.prod(size), math.prod(strided(size, conv.stride))
    inputs, outputs = batch_size * conv.c_in * before, batch_size * conv.c_out * after
    return Conv(conv.c_in, conv.weights, inputs, outputs, conv.c_out)
