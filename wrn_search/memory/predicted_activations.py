"""The most memory that one training takes, predicted by playing its allocations: no network is built.

Played is what autograd keeps of each layer of `networks/wide_resnet.py`, when it lets go of it, and what passes by
meanwhile. A block B(3,3) keeps four tensors: the input of each batch norm, and its output, which ReLU overwrites and
the convolution keeps; dropout keeps its mask and a fifth. A residual sum keeps nothing. Under autocast (bf16) a number
of an activation has two bytes, and each convolution keeps a bf16 copy of its weights until its backward step.

`python -m benchmarks.memory_prediction` compares with what torch's profiler tracks on a CPU.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from wrn_search.memory.tensor_sizes import (
    FLOAT_BYTES,
    Block,
    Conv,
    Workload,
    blocks_of,
    evaluation_batch_size,
    stem_of,
)
from wrn_search.networks.parameters_and_macs import num_params

_INDEX_BYTES = 8  # of an int64
_DRAWS = 3  # of an image and epoch: its place in the order, and two offsets of its window


@dataclass(frozen=True)
class PeakMemory:
    """Bytes of tensors at the moment when they are most, by what they are for; `peak_bytes` is their sum."""

    weights: int  # and the running statistics of batch norms
    gradients: int
    momentum: int
    weight_copies: int  # bf16 copies that autocast makes
    activations: int  # kept for the backward pass; in evaluation those that are alive
    passing: int  # gradients of activations on their way, and what a layer needs while it computes
    inputs: int  # the batch, and the draws of the epoch
    moment: str  # forward | backward | evaluation

    @property
    def peak_bytes(self) -> int:
        """All parts together."""
        parts = (self.weights, self.gradients, self.momentum, self.weight_copies)
        return sum(parts) + self.activations + self.passing + self.inputs


@lru_cache(maxsize=4096)
def peak_memory(workload: Workload) -> PeakMemory:
    """The largest moment of a training's steps and evaluations, from its second step on."""
    ledger = _Ledger()
    _permanent(workload, ledger)
    _training_step(workload, ledger)
    _evaluation(workload, ledger)
    parts, moment = ledger.at_peak, ledger.moment_of_peak
    names = ("weights", "gradients", "momentum", "weight_copies", "activations", "passing", "inputs")
    return PeakMemory(**{name: parts[name] for name in names}, moment=moment)


@dataclass
class _Ledger:
    """Bytes that are alive, by kind, and how they were when most were."""

    moment: str = "forward"
    live: Counter[str] = field(default_factory=Counter)
    total: int = 0
    peak: int = 0
    at_peak: Counter[str] = field(default_factory=Counter)
    moment_of_peak: str = "forward"

    def take(self, kind: str, size: int) -> None:
        self.live[kind] += size
        self.total += size
        if self.total > self.peak:
            self.peak, self.at_peak, self.moment_of_peak = self.total, self.live.copy(), self.moment

    def free(self, kind: str, size: int) -> None:
        self.live[kind] -= size
        self.total -= size
        assert self.live[kind] >= 0, f"more {kind} freed than taken"

    def pass_by(self, size: int) -> None:
        """Taken and freed within one operation."""
        self.take("passing", size)
        self.free("passing", size)


def _permanent(workload: Workload, ledger: _Ledger) -> None:
    """What lives as long as the training; gradients live from one step to the next."""
    _, _, channels = workload.image_shape
    weights = FLOAT_BYTES * num_params(workload.architecture, workload.num_classes, channels)
    normalised = [conv.c_in for block in blocks_of(workload, 1) for conv in block.convs]
    normalised.append(workload.architecture.widths[-1])
    ledger.take("weights", weights + sum(2 * FLOAT_BYTES * c + _INDEX_BYTES for c in normalised))
    ledger.take("gradients", weights)
    ledger.take("momentum", weights if workload.momentum else 0)


def _training_step(workload: Workload, ledger: _Ledger) -> None:
    """zero_grad, forward, backward. The step of the optimiser takes nothing that counts."""
    numbers = math.prod(workload.image_shape) * workload.batch_size
    inputs = numbers * (FLOAT_BYTES + 1)  # as the network gets them, and as they are stored
    inputs += _INDEX_BYTES * (workload.batch_size + _DRAWS * workload.train_images)
    ledger.free("gradients", ledger.live["gradients"])
    ledger.take("inputs", inputs)
    step = _Step(workload, ledger, workload.number_bytes)
    stem, blocks = stem_of(workload, workload.batch_size), list(blocks_of(workload, workload.batch_size))
    step.forward(stem, blocks)
    ledger.moment = "backward"
    step.backward(stem, blocks)
    ledger.free("inputs", inputs)


@dataclass(frozen=True)
class _Step:
    """Plays a forward and a backward pass into a ledger."""

    workload: Workload
    ledger: _Ledger
    size: int  # bytes of a number of an activation

    def forward(self, stem: Conv, blocks: list[Block]) -> None:
        """Everything that the backward pass needs is alive at its end."""
        if self.size != FLOAT_BYTES:  # autocast's copy; in fp32 the convolution keeps the batch itself
            self._keep(stem.inputs)
        self._convolve(stem)
        for block in blocks:
            self._block_forward(block)
        last = blocks[-1].outputs
        self._keep(last)  # batch norm's and ReLU's, in front of the average
        self._statistics(self.workload.architecture.widths[-1], self.ledger.take)
        if self._on_cpu and self.size != FLOAT_BYTES:
            self.ledger.pass_by(FLOAT_BYTES * last)  # the average is taken in fp32

    def backward(self, stem: Conv, blocks: list[Block]) -> None:
        """Lets go of what `forward` kept, from the last layer to the first."""
        last = blocks[-1].outputs
        width = self.workload.architecture.widths[-1]
        self.ledger.take("gradients", FLOAT_BYTES * (width + 1) * self.workload.num_classes)
        self._arrives(last)
        self._bn_relu_backward(last, width)
        for block in reversed(blocks):
            self._block_backward(block)
        self._convolve_backward(stem, with_input=False)
        self._leaves(stem.outputs)
        if self.size != FLOAT_BYTES:
            self._forget(stem.inputs)

    def _block_forward(self, block: Block) -> None:
        for number, conv in enumerate(block.convs):
            self._keep(conv.inputs)
            self._statistics(conv.c_in, self.ledger.take)
            if number and self.workload.dropout:
                self.ledger.take("activations", self._mask_bytes(conv.inputs))
                self._keep(conv.inputs)
            self._convolve(conv)
        if block.projection:
            self._convolve(block.projection)
        self._keep(block.outputs)  # the sum, after which both summands go
        self._forget(block.outputs * (2 if block.projection else 1))

    def _block_backward(self, block: Block) -> None:
        """With the gradient of the block's sum alive; leaves that of the block's input alive."""
        if block.projection:
            self._convolve_backward(block.projection)
        for number, conv in reversed(list(enumerate(block.convs))):
            self._convolve_backward(conv)
            if conv is not block.convs[-1] or block.projection:
                self._leaves(conv.outputs)  # for an identity it is still to be added to that of the input
            if number and self.workload.dropout:
                self._forget(conv.inputs)
                self._arrives(conv.inputs)
                self.ledger.free("activations", self._mask_bytes(conv.inputs))
                self._leaves(conv.inputs)
            if number == 0 and block.projection:
                self._leaves(conv.inputs)  # added to the other one in place
            self._bn_relu_backward(conv.inputs, conv.c_in)
        if not block.projection:
            self._leaves(block.outputs)

    def _bn_relu_backward(self, numbers: int, channels: int) -> None:
        """With the gradient of ReLU's output alive; leaves that of the batch norm's input alive."""
        self._arrives(numbers)
        self._leaves(numbers)
        self._forget(numbers)  # ReLU's output
        self._arrives(numbers)
        if self._on_cpu:
            self.ledger.pass_by(numbers * self.size)
        self._leaves(numbers)
        self._forget(numbers)  # the batch norm's input
        self._statistics(channels, self.ledger.free)
        self.ledger.take("gradients", 2 * FLOAT_BYTES * channels)

    def _convolve(self, conv: Conv) -> None:
        if self.size != FLOAT_BYTES:
            self.ledger.take("weight_copies", self.size * conv.weights)
        self._keep(conv.outputs)
        self.ledger.pass_by(self._workspace_bytes(conv))

    def _convolve_backward(self, conv: Conv, with_input: bool = True) -> None:
        """With the gradient of the output alive; adds those of input and weights."""
        if with_input:
            self._arrives(conv.inputs)
        self.ledger.pass_by(self._workspace_bytes(conv))
        self.ledger.take("gradients", FLOAT_BYTES * conv.weights)
        if self.size != FLOAT_BYTES:
            self.ledger.pass_by(self.size * conv.weights)
            self.ledger.free("weight_copies", self.size * conv.weights)

    def _keep(self, numbers: int) -> None:
        self.ledger.take("activations", numbers * self.size)

    def _forget(self, numbers: int) -> None:
        self.ledger.free("activations", numbers * self.size)

    def _arrives(self, numbers: int) -> None:
        self.ledger.take("passing", numbers * self.size)

    def _leaves(self, numbers: int) -> None:
        self.ledger.free("passing", numbers * self.size)

    def _statistics(self, channels: int, change: Callable[[str, int], None]) -> None:
        """Mean and inverse deviation, which batch norm keeps in fp32."""
        change("activations", 2 * FLOAT_BYTES * channels)

    def _mask_bytes(self, numbers: int) -> int:
        """Of dropout's mask: booleans on CUDA, numbers on a CPU."""
        return numbers * (self.size if self._on_cpu else 1)

    def _workspace_bytes(self, conv: Conv) -> int:
        """What a convolution and its backward step need beside their tensors, cuDNN's workspace not counted.

        oneDNN on a CPU reorders weights and adds up their gradients in fp32; autograd copies them once more.
        """
        return conv.weights * (3 * FLOAT_BYTES if self._on_cpu else self.size)

    @property
    def _on_cpu(self) -> bool:
        return self.workload.device == "cpu"


def _evaluation(workload: Workload, ledger: _Ledger) -> None:
    """A forward pass that keeps nothing, but for what the frames of its modules hold: their inputs."""
    ledger.moment = "evaluation"
    batch_size = min(evaluation_batch_size(workload.batch_size), workload.validation_images)
    size = workload.number_bytes
    stem = stem_of(workload, batch_size)
    ledger.take("inputs", FLOAT_BYTES * stem.inputs)
    if size != FLOAT_BYTES:  # autocast copies the batch and, once for all batches, the weights
        ledger.take("inputs", size * stem.inputs)
        ledger.take("weight_copies", size * (ledger.live["gradients"] // FLOAT_BYTES))
    ledger.take("activations", size * stem.outputs)
    held = 0  # the group's input, where that is not the stem's output
    for number, block in enumerate(blocks_of(workload, batch_size)):
        if block.begins_group and number:
            held = block.inputs
        alive = held + (0 if block.begins_group else block.inputs)
        tensors = 2 + (len(block.convs) > 1) + bool(block.projection)
        ledger.take("activations", size * alive)
        ledger.pass_by(size * (block.inputs + tensors * block.outputs))
        ledger.free("activations", size * alive)
