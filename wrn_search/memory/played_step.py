"""A training step of pre-activation networks, played into a ledger of bytes: what each layer takes, keeps and frees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from wrn_search.memory.tensor_sizes import FLOAT_BYTES, Block, Conv, Workload


@dataclass
class Ledger:
    """Bytes that are alive, by kind, and how they were when most were."""

    moment: str = "forward"
    live: Counter[str] = field(default_factory=Counter)
    total: int = 0
    peak: int = 0
    at_peak: Counter[str] = field(default_factory=Counter)
    moment_of_peak: str = "forward"

    def take(self, kind: str, size: int) -> None:
        """So many bytes more."""
        self.live[kind] += size
        self.total += size
        if self.total > self.peak:
            self.peak, self.at_peak, self.moment_of_peak = self.total, self.live.copy(), self.moment

    def free(self, kind: str, size: int) -> None:
        """So many bytes less."""
        self.live[kind] -= size
        self.total -= size
        assert self.live[kind] >= 0, f"more {kind} freed than taken"

    def pass_by(self, size: int) -> None:
        """Taken and freed within one operation."""
        self.take("passing", size)
        self.free("passing", size)


@dataclass(frozen=True)
class Step:
    """Plays a forward and a backward pass into a ledger."""

    workload: Workload
    ledger: Ledger
    size: int  # bytes of a number of an activation
    adds_to_gradients: bool = False  # of weights, which are there

    def forward(self, stem: Conv, blocks: list[Block]) -> None:
        """Everything that the backward pass needs is alive at its end."""
        if self.size != FLOAT_BYTES:  # autocast's copy; in fp32 the convolution keeps the batch itself
            self.keep(stem.inputs)
        self.convolve(stem)
        for block in blocks:
            self._block_forward(block)
        last = blocks[-1].outputs
        self.keep(last)  # batch norm's and ReLU's, in front of the average
        self.statistics(self.workload.architecture.widths[-1], self.ledger.take)
        if self.on_cpu and self.size != FLOAT_BYTES:
            self.ledger.pass_by(FLOAT_BYTES * last)  # the average is taken in fp32

    def backward(self, stem: Conv, blocks: list[Block]) -> None:
        """Lets go of what `forward` kept, from the last layer to the first."""
        last = blocks[-1].outputs
        width = self.workload.architecture.widths[-1]
        self.gradient_of_weights(FLOAT_BYTES * (width + 1) * self.workload.num_classes)
        self.arrives(last)
        self._bn_relu_backward(last, width)
        for block in reversed(blocks):
            self._block_backward(block)
        self.convolve_backward(stem, with_input=False)
        self.leaves(stem.outputs)
        if self.size != FLOAT_BYTES:
            self.forget(stem.inputs)

    def _block_forward(self, block: Block) -> None:
        for number, conv in enumerate(block.convs):
            self.keep(conv.inputs)
            self.statistics(conv.c_in, self.ledger.take)
            if number and self.workload.dropout:
                self.ledger.take("activations", self._mask_bytes(conv.inputs))
                self.keep(conv.inputs)
            self.convolve(conv)
        if self.workload.stochastic_depth:
            self.ledger.pass_by(
                block.outputs * self.size
            )  # the branch times its draw, after which the branch goes
        if block.projection:
            self.convolve(block.projection)
        self.keep(block.outputs)  # the sum, after which both summands go
        self.forget(block.outputs * (2 if block.projection else 1))

    def _block_backward(self, block: Block) -> None:
        """With the gradient of the block's sum alive; leaves that of the block's input alive."""
        if self.workload.stochastic_depth:
            self.ledger.pass_by(block.outputs * self.size)
        if block.projection:
            self.convolve_backward(block.projection)
        for number, conv in reversed(list(enumerate(block.convs))):
            self.convolve_backward(conv)
            if conv is not block.convs[-1] or block.projection:
                self.leaves(conv.outputs)  # for an identity it is still to be added to that of the input
            if number and self.workload.dropout:
                self.forget(conv.inputs)
                self.arrives(conv.inputs)
                self.ledger.free("activations", self._mask_bytes(conv.inputs))
                self.leaves(conv.inputs)
            if number == 0 and block.projection:
                self.leaves(conv.inputs)  # added to the other one in place
            self._bn_relu_backward(conv.inputs, conv.c_in)
        if not block.projection:
            self.leaves(block.outputs)

    def _bn_relu_backward(self, numbers: int, channels: int) -> None:
        """With the gradient of ReLU's output alive; leaves that of the batch norm's input alive."""
        self.arrives(numbers)
        self.leaves(numbers)
        self.forget(numbers)  # ReLU's output
        self.arrives(numbers)
        if self.on_cpu:
            self.ledger.pass_by(numbers * self.size)
        self.leaves(numbers)
        self.forget(numbers)  # the batch norm's input
        self.statistics(channels, self.ledger.free)
        self.gradient_of_weights(2 * FLOAT_BYTES * channels)

    def convolve(self, conv: Conv) -> None:
        """Its output is kept."""
        if self.size != FLOAT_BYTES:
            self.ledger.take("weight_copies", self.size * conv.weights)
        self.keep(conv.outputs)
        self.ledger.pass_by(self._workspace_bytes(conv))

    def convolve_backward(self, conv: Conv, with_input: bool = True) -> None:
        """With the gradient of the output alive; adds those of input and weights."""
        if with_input:
            self.arrives(conv.inputs)
        self.ledger.pass_by(self._workspace_bytes(conv))
        self.gradient_of_weights(FLOAT_BYTES * conv.weights)
        if self.size != FLOAT_BYTES:
            self.ledger.pass_by(self.size * conv.weights)
            self.ledger.free("weight_copies", self.size * conv.weights)

    def gradient_of_weights(self, size: int) -> None:
        """Stays until the next step, or goes once it is added to what is there."""
        if self.adds_to_gradients:
            self.ledger.pass_by(size)
        else:
            self.ledger.take("gradients", size)

    def keep(self, numbers: int) -> None:
        """Of an activation, for the backward pass."""
        self.ledger.take("activations", numbers * self.size)

    def forget(self, numbers: int) -> None:
        """Of an activation, after its use."""
        self.ledger.free("activations", numbers * self.size)

    def arrives(self, numbers: int) -> None:
        """A gradient on its way."""
        self.ledger.take("passing", numbers * self.size)

    def leaves(self, numbers: int) -> None:
        """A gradient that was used."""
        self.ledger.free("passing", numbers * self.size)

    def statistics(self, channels: int, change: Callable[[str, int], None]) -> None:
        """Mean and inverse deviation, which batch norm keeps in fp32."""
        change("activations", 2 * FLOAT_BYTES * channels)

    def _mask_bytes(self, numbers: int) -> int:
        """Of dropout's mask: booleans on CUDA, numbers on a CPU."""
        return numbers * (self.size if self.on_cpu else 1)

    def _workspace_bytes(self, conv: Conv) -> int:
        """What a convolution and its backward step need beside their tensors, cuDNN's workspace not counted.

        oneDNN on a CPU reorders weights and adds up their gradients in fp32; autograd copies them once more. Of 16 bits
        these are the gradient and its sum in fp32, of which it makes one tensor less.
        """
        return conv.weights * self.size * (3 if self.on_cpu else 1)

    @property
    def on_cpu(self) -> bool:
        return self.workload.device == "cpu"
