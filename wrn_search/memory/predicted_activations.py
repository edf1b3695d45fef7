"""The most memory that one training takes, predicted by playing its allocations: no network is built.

Played is what autograd keeps of each layer of `networks/wide_resnet.py`, when it lets go of it, and what passes by
meanwhile. A block B(3,3) keeps four tensors: the input of each batch norm, and its output, which ReLU overwrites and
the convolution keeps; dropout keeps its mask and a fifth. A residual sum keeps nothing. Under autocast (bf16) a number
of an activation has two bytes, and each convolution keeps a bf16 copy of its weights until its backward step.

`python -m benchmarks.memory_prediction` compares with what torch's profiler tracks on a CPU.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass, fields, replace
from functools import lru_cache

from wrn_search.memory.played_step import Ledger, Step
from wrn_search.memory.post_activation_step import PostActivationStep
from wrn_search.memory.tensor_sizes import (
    FLOAT_BYTES,
    MOST_EVALUATED,
    Workload,
    blocks_of,
    copied_weights_bytes,
    stem_of,
)
from wrn_search.memory.work_on_gpu import forward_batches_that_pay
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.space.sections.crop_padding import BYTES_TOGETHER, ROUNDS

_INDEX_BYTES = 8  # of an int64
_BYTES_OF_DRAWS = 8 + 4 + 6 * 4  # of an image and round: its place in the order, its strength, its matrix
_BYTES_OF_A_MOVED_PIXEL = 4 + 4 + 1 + 4 + 8  # where it comes from: x, y, whether outside, and its place twice
_OF_SO_MANY_IMAGES = 2  # one is moved at once, at most
_DRAWS = 3  # of an image and epoch: its place in the order, and two offsets of its window


@dataclass(frozen=True)
class PeakMemory:
    """Bytes of tensors at the moment when they are most, by what they are for; `peak_bytes` is their sum."""

    weights: int  # and the running statistics of batch norms
    gradients: int
    momentum: int  # or the two means of adamw
    weights_beside: int  # their moving average, and what they are while SAM has moved them
    buckets: int  # in which replicas add up their gradients: a copy of them
    weight_copies: int  # bf16 copies that autocast makes
    activations: int  # kept for the backward pass; in evaluation those that are alive
    passing: int  # gradients of activations on their way, and what a layer needs while it computes
    inputs: int  # the batch, and the draws of the epoch
    moment: str  # forward | backward | evaluation

    @property
    def peak_bytes(self) -> int:
        """All parts together."""
        parts = (self.weights, self.gradients, self.momentum, self.weights_beside, self.buckets)
        return sum(parts) + self.weight_copies + self.activations + self.passing + self.inputs


@lru_cache(maxsize=4096)
def peak_memory(workload: Workload) -> PeakMemory:
    """The largest moment of a training's steps and evaluations, from its second step on."""
    ledger = _trained(workload)
    if workload.is_captured:  # nothing else can use what the graph's step takes
        ledger.take("activations", ledger.peak - ledger.total)
    _evaluation(workload, ledger, min(evaluation_batch_size(workload), workload.validation_images))
    parts, moment = ledger.at_peak, ledger.moment_of_peak
    names = [field.name for field in fields(PeakMemory) if field.name != "moment"]
    return PeakMemory(**{name: parts[name] for name in names}, moment=moment)


@lru_cache(maxsize=4096)
def evaluation_batch_size(workload: Workload) -> int:
    """Images that are evaluated at once, of any split: the one rule of trainings, test passes and predictions.

    On a CPU as many as pass the network at once in training, 500 at most. On CUDA so many times what a replica trains
    on at once as pay (`work_on_gpu.forward_batches_that_pay`) and as take no more memory than a training step does, at
    least once: evaluating more never raises the peak. A graph keeps what its step takes, and no evaluation can use it:
    there it is as on a CPU. Neither the number of images nor an epoch's draws count, so that no split changes it.
    """
    if workload.device != "cuda" or workload.is_captured:
        return min(workload.micro_batch_size, MOST_EVALUATED)
    unit = min(workload.images_at_once, MOST_EVALUATED)
    most = forward_batches_that_pay(workload, unit)
    if most == 1:
        return unit
    step = replace(workload, train_images=0, policy="", is_streamed=True)  # the least that it can be
    room = _trained(step).peak

    def taken(batches: int) -> int:
        ledger = Ledger()
        _permanent(step, ledger)
        _evaluation(step, ledger, batches * unit)
        return ledger.peak

    return unit * max(1, bisect.bisect_right(range(1, most + 1), room, key=taken))


def _trained(workload: Workload) -> Ledger:
    """Played until the end of a training step."""
    ledger = Ledger()
    _permanent(workload, ledger)
    _training_step(workload, ledger)
    return ledger


def _permanent(workload: Workload, ledger: Ledger) -> None:
    """What lives as long as the training; gradients live from one step to the next."""
    _, _, channels = workload.image_shape
    weights = FLOAT_BYTES * num_params(workload.architecture, workload.num_classes, channels)
    if workload.architecture.layout.preactivated:
        normalised = [conv.c_in for block in blocks_of(workload, 1) for conv in block.convs]
        normalised.append(workload.architecture.widths[-1])
    else:
        normalised = [conv.c_out for block in blocks_of(workload, 1) for conv in block.all_convs]
        normalised.append(workload.architecture.layout.stem.c_out)
    state = weights + sum(2 * FLOAT_BYTES * c + _INDEX_BYTES for c in normalised)
    ledger.take("weights", state)
    ledger.take("weights_beside", state if workload.ema else 0)
    ledger.take("gradients", weights)
    ledger.take("momentum", _optimiser_state_bytes(workload, weights))
    # DistributedDataParallel makes them with the network and keeps them: gradients are no views of them.
    ledger.take("buckets", weights if workload.replicas > 1 else 0)


def _optimiser_state_bytes(workload: Workload, weights: int) -> int:
    """A mean of the gradients; of adamw two."""
    if workload.optimizer == "adamw":
        return 2 * weights
    return weights if workload.momentum else 0


def _training_step(workload: Workload, ledger: Ledger) -> None:
    """zero_grad, forward, backward. The step of the optimiser takes nothing that counts.

    Micro-batches after the first add to gradients that are there. SAM keeps the weights meanwhile as they were, so its
    second pass takes more than its first.
    """
    image = math.prod(workload.image_shape)
    own = image * workload.part_size if workload.replicas > 1 else 0  # beside the batch that it is taken from
    drawn = own if workload.is_streamed and own else image * workload.batch_size
    inputs = drawn * (FLOAT_BYTES + 1)  # as the network gets them, and as they are stored
    inputs += 0 if workload.is_streamed else own * FLOAT_BYTES
    inputs += _INDEX_BYTES * (workload.batch_size + _DRAWS * workload.train_images)
    inputs += _policy_bytes(workload, ledger)
    ledger.free("gradients", ledger.live["gradients"])
    ledger.take("inputs", inputs)
    beside = FLOAT_BYTES * num_params(workload.architecture, workload.num_classes, workload.image_shape[2])
    ledger.take("weights_beside", beside if workload.sam else 0)
    kind = Step if workload.architecture.layout.preactivated else PostActivationStep
    size = workload.images_at_once
    stem, blocks = stem_of(workload, size), list(blocks_of(workload, size))
    for number in range(min(2, workload.gradient_accumulation)):  # the others are as the second
        step = kind(workload, ledger, workload.number_bytes, adds_to_gradients=number > 0)
        ledger.moment = "forward"
        step.forward(stem, blocks)
        ledger.moment = "backward"
        step.backward(stem, blocks)
    if workload.replicas > 1 and workload.gradient_accumulation > 1:  # the mean of what each has added up
        ledger.pass_by(ledger.live["gradients"])
    ledger.free("weights_beside", beside if workload.sam else 0)
    ledger.free("inputs", inputs)


def _policy_bytes(workload: Workload, ledger: Ledger) -> int:
    """What a policy keeps through an epoch: its draws for each image, and the images that it changed in one go.

    While it changes them nothing else of a step lives but gradients; moving pixels takes most, and half of the images
    at once are moved at most, of an even draw.
    """
    if not workload.policy:
        return 0
    rounds, numbers = ROUNDS[workload.policy], math.prod(workload.image_shape)
    batch = workload.batch_size * numbers
    together = min(max(1, BYTES_TOGETHER // batch) * batch, numbers * max(workload.train_images, 1))
    pixels = together // workload.image_shape[2]
    ledger.moment = "forward"
    ledger.pass_by(together + (_BYTES_OF_A_MOVED_PIXEL * pixels + 2 * together) // _OF_SO_MANY_IMAGES)
    return rounds * _BYTES_OF_DRAWS * workload.train_images + together


def _evaluation(workload: Workload, ledger: Ledger, batch_size: int) -> None:
    """A forward pass that keeps nothing, but for what the frames of its modules hold: their inputs."""
    ledger.moment = "evaluation"
    size = workload.number_bytes
    stem = stem_of(workload, batch_size)
    ledger.take("inputs", FLOAT_BYTES * stem.inputs)
    if workload.device == "cuda":  # as they are stored, and in exact fp32 as NCHW
        ledger.take("inputs", stem.inputs * (1 + (FLOAT_BYTES if workload.precision == "fp32" else 0)))
    if size != FLOAT_BYTES:  # autocast copies the batch
        ledger.take("inputs", size * stem.inputs)
    if not workload.architecture.layout.preactivated:
        PostActivationStep(workload, ledger, size).evaluation(stem, list(blocks_of(workload, batch_size)))
        return
    ledger.take("activations", size * stem.outputs)
    held = 0  # the group's input, where that is not the stem's output
    for number, block in enumerate(blocks_of(workload, batch_size)):
        if block.begins_group and number:
            held = block.inputs
        alive = held + (0 if block.begins_group else block.inputs)
        tensors = 2 + (len(block.convs) > 1) + bool(block.projection)
        ledger.take("activations", size * alive)
        ledger.pass_by(
            size * (block.inputs + tensors * block.outputs) + copied_weights_bytes(workload, block)
        )
        ledger.free("activations", size * alive)
