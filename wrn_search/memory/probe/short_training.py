"""A short training that tells what a network really takes of a GPU."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from wrn_search.images.prepared_data import PreparedData
from wrn_search.memory.device_errors import is_out_of_memory
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.batches_of_a_split import images_evaluated_at_once
from wrn_search.training.training_loop import WARM_UP_STEPS, Training

_STEPS = WARM_UP_STEPS + 2  # after the first ones it is measured


@dataclass(frozen=True)
class MeasuredMemory:
    """Bytes that a short training took."""

    reserved_bytes: int  # by torch's allocator at most (CPU: the process's high-water mark)
    beside_bytes: (
        int  # of the device beside it: this process's context, and whatever else is on it; 0 on a CPU
    )


def measured_memory(
    config: TrialConfig, num_classes: int, image_shape: tuple[int, int, int], device: str = "cuda"
) -> MeasuredMemory:
    """Some steps and an evaluation of a network on made-up images of this shape; no file is opened.

    Raises:
        torch.OutOfMemoryError: it does not fit.
    """
    config = replace(config, class_weights="none")  # they would ask for labels, and take no memory
    place = torch.device(device)
    batches = MadeUpBatches(config.batch_size, num_classes, image_shape, place)
    data = PreparedData(
        directory=Path(),
        num_classes=num_classes,
        class_names=(),
        image_shape=image_shape,
        train_images=batches.num_images,
        validation_images=batches.num_images,
        split_hash="",
        chance_error=100.0,
        padding=0,
        mean=(),
        std=(),
    )
    at_once = images_evaluated_at_once(config, data, place)
    evaluated = MadeUpBatches(at_once, num_classes, image_shape, place)
    training = Training(config, data, device=device, batches=(batches, evaluated))
    try:
        metrics = training.run_epoch()
        return MeasuredMemory(metrics.memory_bytes, _beside_bytes(training.device))
    finally:
        training.close()


def measured_if_it_fits(
    config: TrialConfig, num_classes: int, image_shape: tuple[int, int, int]
) -> MeasuredMemory | None:
    """The same on this process's GPU; None where torch finds none, or it is too small."""
    if not torch.cuda.is_available():
        return None
    try:
        return measured_memory(config, num_classes, image_shape)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None


class MadeUpBatches:
    """One batch of grey images over and over, to train on and to evaluate."""

    def __init__(
        self, batch_size: int, num_classes: int, image_shape: tuple[int, int, int], device: torch.device
    ):
        height, width, channels = image_shape
        images = torch.zeros(batch_size, channels, height, width, device=device)
        self._batch = (
            images.to(memory_format=torch.channels_last),
            torch.arange(batch_size, device=device) % num_classes,
        )
        self.num_images = _STEPS * batch_size

    def __len__(self) -> int:
        return _STEPS

    def epoch(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Nothing is drawn."""
        return iter(self)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return itertools.repeat(self._batch, _STEPS)


def _beside_bytes(device: torch.device) -> int:
    if device.type != "cuda":
        return 0
    free, total = torch.cuda.mem_get_info(device)
    return max(0, total - free - torch.cuda.memory_reserved(device))
