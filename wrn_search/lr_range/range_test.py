"""The run itself: one network, trained by its recipe for some steps, with a higher learning rate at each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wrn_search.errors import InputError
from wrn_search.images.prepared_data import PreparedData
from wrn_search.lr_range.suggestion import has_diverged
from wrn_search.memory.device_errors import is_out_of_memory
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.batches_of_a_split import split_batches
from wrn_search.training.divergence import Diverged
from wrn_search.training.training_loop import Training


@dataclass(frozen=True)
class RangeRun:
    """What was measured.

    Attributes:
        rates: of each step that was run.
        losses: the mean cross-entropy of each step's batch before its update, in nats; the last one may not be finite.
        steps: that were planned; fewer rates than those: it diverged.
        steps_per_epoch: of the training.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    steps: int
    steps_per_epoch: int

    @property
    def stopped(self) -> bool:
        """Whether it ended before the highest rate."""
        return len(self.rates) < self.steps


class _Enough(Exception):
    """All that the run can show has been seen."""


def steps_per_epoch(config: TrialConfig, data: PreparedData) -> int:
    """Steps of one pass over the training images.

    Raises:
        InputError: there are none.
    """
    steps = data.train_images // config.batch_size
    steps += config.last_batch == "keep" and data.train_images % config.batch_size > 0
    if not steps:
        rule = f"must be at most the training images, {data.train_images:,}"
        raise InputError.of("training.batch_size", f"{rule}, but got {config.batch_size}")
    return steps


def run_range(
    config: TrialConfig,
    data: PreparedData,
    rates: Sequence[float],
    *,
    device: str,
    threads: int,
    told: Callable[[int], object] = lambda step: None,
) -> RangeRun:
    """Trains with the given rate at each step until the last one, or until the loss has diverged.

    The step is that of a search's training, with its augmentation and weight decay; the schedule, which the rates
    replace, is not. `told` hears of each step.

    Raises:
        InputError: the memory is not enough.
    """
    an_epoch = steps_per_epoch(config, data)
    config = dataclasses.replace(
        config,
        epochs=-(-len(rates) // an_epoch),
        learning_rate=rates[0],
        lr_schedule="step",
        lr_drops=(),
        cuda_graph="off",  # which reads the rate elsewhere
    )
    losses: list[float] = []

    def heard(loss: Tensor) -> None:
        losses.append(float(loss))
        told(len(losses))
        if len(losses) == len(rates) or has_diverged(losses):
            raise _Enough

    def raise_rate(optimiser: torch.optim.Optimizer, *_: object) -> None:
        for group in optimiser.param_groups:
            group["lr"] = rates[len(losses)]

    try:
        train, _ = split_batches(config, data, torch.device(device), threads)
        training = Training(
            config, data, device=device, threads=threads, batches=(train, None), on_step=heard
        )
        training.optimiser.register_step_pre_hook(raise_rate)
        while True:
            training.run_epoch()
    except (_Enough, Diverged):
        return RangeRun(tuple(rates[: len(losses)]), tuple(losses), len(rates), an_epoch)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        rule = f"a step of {config.batch_size} images must fit the memory of {device}"
        text = f"{rule}, but got: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        raise InputError.of("training.batch_size", text) from None
