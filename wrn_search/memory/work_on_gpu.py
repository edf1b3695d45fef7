"""How much of a GPU a training keeps busy, by a model of its step; nothing of it is measured.

A step's kernels need the longer of computing (multiply-adds at a stated part of the peak) and moving activations
(`PASSES` over each convolution's tensors, unfused, at a stated part of the bandwidth). The process launches them one
after the other, LAUNCH_SECONDS each: a small network alone leaves the GPU waiting, and others can train beside it; one
that fills the GPU cannot be helped by others, which only take turns with it. Without NVIDIA's multi-process service
kernels of two processes take turns, and none is shorter than KERNEL_SECONDS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from wrn_search.memory.tensor_sizes import Workload, blocks_of
from wrn_search.networks.parameters_and_macs import macs

# Assumptions, none of them measured here.
PART_OF_PEAK = 0.40
PART_OF_BANDWIDTH = 0.80
PASSES = 20  # over a convolution's input and output, forward and backward, with its batch norm, ReLU and sum
KERNELS = 14  # of a convolution with its batch norm, ReLU and sum, forward, backward, casts
KERNELS_BESIDE = 60  # of the batch, the loss and the optimiser
LAUNCH_SECONDS = 8e-6
KERNEL_SECONDS = 3e-6


@dataclass(frozen=True)
class Rates:
    """Of a GPU."""

    flops: float  # a second, two for a multiply-add
    bytes_per_second: float


# Of a large one (H200, bf16): a smaller one, or slower arithmetic, is filled sooner, so that no share is too large.
LARGE_GPU = Rates(790e12, 4.3e12)


@dataclass(frozen=True)
class Step:
    """One step of a network, in seconds of a GPU and of its process."""

    work: float  # of computing or moving, whichever is longer
    kernels: int

    def busy(self, mps: bool) -> float:
        """How long the GPU is taken."""
        return self.work if mps else max(self.work, self.kernels * KERNEL_SECONDS)

    def alone(self) -> float:
        """How long it takes by itself."""
        return max(self.busy(mps=False), self.kernels * LAUNCH_SECONDS)

    @property
    def filled(self) -> float:
        """The part of the GPU's time that its work takes when it trains alone, 0 to 1."""
        return self.work / self.alone()


def step_of(workload: Workload, rates: Rates = LARGE_GPU) -> Step:
    """The model's step."""
    height, width, channels = workload.image_shape
    at_once = workload.micro_batch_size
    blocks = list(blocks_of(workload, at_once))
    convs = [conv for block in blocks for conv in block.all_convs]
    moved = PASSES / 2 * workload.number_bytes * sum(conv.inputs + conv.outputs for conv in convs)
    image = macs(workload.architecture, workload.num_classes, channels, (height, width))
    computing = 3 * 2 * image * at_once / (PART_OF_PEAK * rates.flops)
    moving = moved / (PART_OF_BANDWIDTH * rates.bytes_per_second)
    return Step(max(computing, moving), KERNELS * len(convs) + KERNELS_BESIDE)


def forward_batches_that_pay(workload: Workload, images: int) -> int:
    """How many batches of so many images are better evaluated as one: until its work takes as long as its launches.

    A forward pass has about a third of a step's work and of its kernels, so the ratio is that of a step.
    """
    alone = replace(workload, batch_size=images, gradient_accumulation=1, replicas=1)
    return max(1, math.ceil(1 / step_of(alone).filled))


def gain(filled: float, at_once: float) -> float:
    """Throughput of so many equal trainings side by side over one alone, each of which fills that part of the GPU."""
    return at_once / max(1.0, at_once * filled)
