"""The same for post-activation networks, as torchvision's ResNets compute: BN follows each convolution, ReLU in place.

A convolution keeps its input, which is what the ReLU before it left; a batch norm keeps the convolution's output. The
sum overwrites the last batch norm's output, and ReLU overwrites the sum: that is the block's output.
"""

from __future__ import annotations

from wrn_search.memory.played_step import Step
from wrn_search.memory.tensor_sizes import FLOAT_BYTES, Block, Conv, copied_weights_bytes

_INDEX_BYTES = 8  # of an int64: which of its nine inputs a maximum came from


class PostActivationStep(Step):
    """Plays a forward and a backward pass of such a network into a ledger."""

    def forward(self, stem: Conv, blocks: list[Block]) -> None:
        """Everything that the backward pass needs is alive at its end."""
        if self.size != FLOAT_BYTES:
            self.keep(stem.inputs)
        self._convolve_and_normalise(stem)
        pooled = blocks[0].inputs
        self.keep(pooled)
        self.ledger.take("activations", _INDEX_BYTES * pooled)
        for block in blocks:
            for conv in block.convs:
                self._convolve_and_normalise(conv)
            if self.workload.stochastic_depth:
                self.ledger.pass_by(block.outputs * self.size)
            if block.projection:
                self._convolve_and_normalise(block.projection)
                self.forget(block.outputs)  # the shortcut, once it is added

    def backward(self, stem: Conv, blocks: list[Block]) -> None:
        """Lets go of what `forward` kept, from the last layer to the first."""
        last, pooled = blocks[-1], blocks[0].inputs
        self.gradient_of_weights(FLOAT_BYTES * (last.convs[-1].c_out + 1) * self.workload.num_classes)
        self.arrives(last.outputs)
        for block in reversed(blocks):
            self._block(block)
        self.arrives(stem.outputs)
        self.leaves(pooled)
        self.forget(pooled)
        self.ledger.free("activations", _INDEX_BYTES * pooled)
        self._relu_backward(stem.outputs)
        self._norm_backward(stem, incoming_stays=False)
        self.convolve_backward(stem, with_input=False)
        self.leaves(stem.outputs)
        if self.size != FLOAT_BYTES:
            self.forget(stem.inputs)

    def evaluation(self, stem: Conv, blocks: list[Block]) -> None:
        """A forward pass that keeps nothing, but for what the frames of its modules hold: inputs of group and block."""
        self.ledger.pass_by(self.size * 2 * stem.outputs)
        held = 0
        for block in blocks:
            held = block.inputs if block.begins_group else held
            before = [0, *(conv.outputs for conv in block.convs[:-1])]
            most = max(given + 2 * conv.outputs for given, conv in zip(before, block.convs, strict=True))
            most = max(most, 3 * block.outputs if block.projection else 0)
            alive = held + (0 if block.begins_group else block.inputs)
            self.ledger.pass_by(self.size * (alive + most) + copied_weights_bytes(self.workload, block))

    def _convolve_and_normalise(self, conv: Conv) -> None:
        self.convolve(conv)
        self.keep(conv.outputs)
        self.statistics(conv.c_out, self.ledger.take)

    def _block(self, block: Block) -> None:
        """With the gradient of the block's output alive; leaves that of its input alive."""
        self._relu_backward(block.outputs)
        if self.workload.stochastic_depth:
            self.ledger.pass_by(block.outputs * self.size)
        if block.projection:
            self._norm_backward(block.projection, incoming_stays=True)
            self.convolve_backward(block.projection)
            self.leaves(block.outputs)
        for number, conv in reversed(list(enumerate(block.convs))):
            is_last = conv is block.convs[-1]
            self._norm_backward(conv, incoming_stays=is_last and block.projection is None)
            self.convolve_backward(conv)
            self.leaves(conv.outputs)
            if number:
                self._relu_backward(conv.inputs)
        self.leaves(block.inputs)  # of the shortcut's gradient, or of the sum's: they are added in place

    def _relu_backward(self, numbers: int) -> None:
        self.arrives(numbers)
        self.leaves(numbers)
        self.forget(numbers)

    def _norm_backward(self, conv: Conv, *, incoming_stays: bool) -> None:
        """Of the batch norm behind a convolution."""
        self.arrives(conv.outputs)
        if self.on_cpu:
            self.ledger.pass_by(conv.outputs * self.size)
        if not incoming_stays:
            self.leaves(conv.outputs)
        self.forget(conv.outputs)
        self.statistics(conv.c_out, self.ledger.free)
        self.gradient_of_weights(2 * FLOAT_BYTES * conv.c_out)
