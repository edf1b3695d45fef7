"""What a training is given to train and to evaluate on: batches of stored images, or of images decoded meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor

from wrn_search.images.batches import EvaluationBatches, TrainBatches
from wrn_search.images.fused_batch import Form
from wrn_search.images.prepared_data import PreparedData
from wrn_search.images.streamed.decoding_workers import decoding_workers
from wrn_search.images.streamed.streamed_batches import (
    StreamedEvaluationBatches,
    StreamedTrainBatches,
)
from wrn_search.memory.predicted_activations import evaluation_batch_size
from wrn_search.memory.workload_of_training import workload_of_training
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.mixed_precision import input_type, memory_format
from wrn_search.training.several_gpus.part_of_batches import PartOfBatches
from wrn_search.training.several_gpus.replica import ALONE, Replica


class TrainSource(Protocol):
    """Shuffled, augmented batches of equal size; the last one may be smaller."""

    @property
    def num_images(self) -> int: ...  # images of one pass

    def __len__(self) -> int: ...

    def epoch(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]: ...


class EvaluationSource(Protocol):
    """Every image once, in order."""

    @property
    def num_images(self) -> int: ...

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]: ...


def images_evaluated_at_once(
    config: TrialConfig, data: PreparedData, device: torch.device, replica: Replica = ALONE
) -> int:
    """Of any split, by the rule that the prediction goes by too."""
    workload = workload_of_training(
        config, data.num_classes, data.image_shape, device=device.type, replicas=replica.size
    )
    return evaluation_batch_size(workload)


def fused_form(config: TrialConfig, device: torch.device, replica: Replica = ALONE) -> Form | None:
    """How one compiled kernel makes the training's batches: on CUDA where the network is compiled, else not at all.

    In the type and layout that the network would make of them, unless something else comes before it.
    """
    if config.compile != "on" or device.type != "cuda":
        return None
    if config.mixup or config.cutmix or config.cutout:
        return Form()
    layout = memory_format(device, config.precision) if replica.size == 1 else torch.channels_last
    return Form(input_type(config.precision), layout)


def split_batches(
    config: TrialConfig, data: PreparedData, device: torch.device, threads: int, replica: Replica = ALONE
) -> tuple[TrainSource, EvaluationSource | None]:
    """The batches of a search: the train split, and the validation split, if images are held out.

    A `replica` trains on its part of every batch, and the first of them validates.
    """
    validates = data.validation_images > 0 and replica.rank == 0
    evaluated = images_evaluated_at_once(config, data, device, replica)
    augmentation, keeps = config.dataset.augmentation, config.last_batch == "keep"
    sampling = config.dataset.sampling
    if data.files is None:
        train = TrainBatches(
            data,
            batch_size=config.batch_size,
            augmentation=augmentation,
            keeps_last_batch=keeps,
            device=device,
            sampling=sampling,
            form=fused_form(config, device, replica),
        )
        part = (
            train if replica is ALONE else PartOfBatches(train, config.batch_size, replica.rank, replica.size)
        )
        return part, EvaluationBatches(data, batch_size=evaluated, device=device) if validates else None
    workers = decoding_workers(threads, on_gpu=device.type == "cuda")
    streamed = StreamedTrainBatches(
        data,
        batch_size=config.batch_size,
        augmentation=augmentation,
        keeps_last_batch=keeps,
        device=device,
        workers=workers,
        part=(replica.rank, replica.size),
        sampling=sampling,
    )
    if not validates:
        return streamed, None
    return streamed, StreamedEvaluationBatches(data, batch_size=evaluated, device=device, workers=workers)
