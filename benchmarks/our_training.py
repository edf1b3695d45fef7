"""The training path of a search as rounds to be timed; importable by the processes of `measuring.Variant`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from wrn_search.images.prepared_data import prepare
from wrn_search.memory.keeping_freed_memory import keep_freed_memory
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.space_file import space_from_mapping
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.training_loop import Training

VALIDATION = 100


def config_of(
    dataset: DatasetSettings,
    depth: int,
    widen_factor: float,
    precision: str,
    batch_size: int,
    compile: str = "off",
) -> TrialConfig:
    """The recipe's defaults for a network on a data set."""
    space = space_from_mapping(
        {
            "name": "benchmark",
            "dataset": dataset.model_dump(),
            "model": {"depth": depth, "widen_factor": widen_factor},
            "training": {"batch_size": batch_size, "learning_rate": 0.01},
        }
    )
    return space.trial_config({}, 0, precision=precision, compile=compile)


def training_of(config: TrialConfig, threads: int) -> Training:
    """As the trainable makes it."""
    keep_freed_memory()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Training(config, prepare(config.dataset), device=device, threads=threads)


def whole_path(
    dataset: DatasetSettings,
    depth: int,
    widen_factor: float,
    precision: str,
    batch_size: int,
    threads: int,
    compile: str = "off",
) -> Callable[[], float]:
    """An epoch over the data set, as a function that returns images/s: data path, step and all."""
    training = training_of(config_of(dataset, depth, widen_factor, precision, batch_size, compile), threads)
    return lambda: training.run_epoch().images_per_second


def wall_path(
    dataset: DatasetSettings,
    depth: int,
    widen_factor: float,
    precision: str,
    batch_size: int,
    threads: int,
    images: int,
) -> Callable[[], float]:
    """At least so many images, validations between the epochs, as a function that returns how many they were."""
    training = training_of(config_of(dataset, depth, widen_factor, precision, batch_size), threads)

    def train() -> float:
        trained = 0
        while trained < images:
            training.run_epoch()
            trained += training.train_batches.num_images
        return trained

    return train


def step_alone(
    dataset: DatasetSettings, depth: int, widen_factor: float, precision: str, batch_size: int, threads: int
) -> Callable[[], float]:
    """The same without a data path: one batch over and over."""
    training = training_of(config_of(dataset, depth, widen_factor, precision, batch_size), threads)
    training.train_batches = _OneBatch(training)
    return lambda: training.run_epoch().images_per_second


class _OneBatch:
    """The first batch of a training, as often as it has steps."""

    def __init__(self, training: Training):
        self._steps = len(training.train_batches)
        self.num_images = training.train_batches.num_images
        self._batch = next(training.train_batches.epoch(torch.Generator()))

    def __len__(self) -> int:
        return self._steps

    def epoch(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Nothing is drawn."""
        return itertools.repeat(self._batch, self._steps)
