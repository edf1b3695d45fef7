"""The steps of one epoch, batch after batch: each launched operation by operation, or all of one shape as one graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from wrn_search.images.batches import TrainBatches
from wrn_search.images.static_batches import StaticBatches
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.batches_of_a_split import TrainSource
from wrn_search.training.loss import Targets
from wrn_search.training.steps.captured_step import CapturedStep

Learn = Callable[[Tensor, Targets, float], None]  # inputs, targets, share of a whole batch


class Steps:
    """Learns from each batch as it comes."""

    def __init__(self, learn: Learn):
        self._learn = learn

    def epoch(self, batches: Iterator[tuple[Tensor, Targets]], generator: torch.Generator) -> Iterator[int]:
        """Takes the steps of an epoch one by one; yields after each how many images a whole batch has.

        Args:
            batches: those of the epoch. Nothing is drawn for them before the first one is asked for.
            generator: by which they are drawn, for who draws them otherwise.
        """
        return self._on(batches, 0)

    def set_learning_rate(self, optimiser: torch.optim.Optimizer, rate: float) -> None:
        """Of the steps that follow."""
        for group in optimiser.param_groups:
            group["lr"] = rate

    def forget(self) -> None:
        """Tensors of the optimiser have other places now."""

    def without_places(self, state: dict[str, Any]) -> dict[str, Any]:
        """The optimiser's state as a checkpoint holds it, whichever way its steps were taken."""
        return state

    def _on(self, batches: Iterable[tuple[Tensor, Targets]], size: int) -> Iterator[int]:
        for inputs, targets in batches:
            size = size or len(targets)
            self._learn(inputs, targets, len(targets) / size)
            yield size


class CapturedSteps(Steps):
    """Learns from whole batches by a step that a CUDA graph can replay; from a smaller last one as it comes.

    On a CPU that step is run as it is, and gives the bits of the plain one.
    """

    def __init__(self, batches: TrainBatches, learn: Learn):
        super().__init__(learn)
        self._static = StaticBatches(batches)
        self._step = CapturedStep(self._whole_batch, batches.device)
        self._rate = torch.zeros((), device=batches.device)  # where a captured step reads it
        self._set_rate = 0.0

    def epoch(self, batches: Iterator[tuple[Tensor, Targets]], generator: torch.Generator) -> Iterator[int]:
        """See `Steps.epoch`; instead of those batches the same ones, of the source that it was made for."""
        for _ in range(self._static.begin(generator)):
            self._step()
            yield self._static.size
        rest = ((inputs, Targets(labels)) for inputs, labels in self._static.rest())
        yield from self._on(rest, self._static.size)

    def set_learning_rate(self, optimiser: torch.optim.Optimizer, rate: float) -> None:
        """See `Steps.set_learning_rate`."""
        self._set_rate = rate
        self._rate.fill_(rate)
        for group in optimiser.param_groups:
            group["lr"] = self._rate

    def forget(self) -> None:
        """See `Steps.forget`."""
        self._step.forget()

    def without_places(self, state: dict[str, Any]) -> dict[str, Any]:
        """See `Steps.without_places`: the rate as a number."""
        groups = [
            {**group, "lr": self._set_rate} if group["lr"] is self._rate else group
            for group in state["param_groups"]
        ]
        return {**state, "param_groups": groups}

    def _whole_batch(self) -> None:
        inputs, labels = self._static.take()
        self._learn(inputs, Targets(labels), 1.0)


def steps_of(config: TrialConfig, batches: TrainSource, learn: Learn) -> Steps:
    """As `config.cuda_graph` says; batches of several GPUs, decoded, mapped or changed by a policy are not captured."""
    if config.cuda_graph == "on" and isinstance(batches, TrainBatches) and batches.can_be_static:
        return CapturedSteps(batches, learn)
    return Steps(learn)
