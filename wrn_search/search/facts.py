"""What a search must know of its data, and what that makes of each trial."""

from __future__ import annotations

from dataclasses import dataclass

from wrn_search.memory.workload import Workload
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.preparation import PreparedData


@dataclass(frozen=True)
class DataFacts:
    """What the conductor must know of the data."""

    num_classes: int
    image_shape: tuple[int, int, int]  # height, width, channels
    validation_images: int
    chance_error: float  # percent
    train_images: int = 0
    stored_bytes: int = 0  # of images and labels as prepared: a GPU holds a copy


def facts_of(data: PreparedData) -> DataFacts:
    """Those of prepared data."""
    return DataFacts(
        data.num_classes,
        data.image_shape,
        data.validation_images,
        data.chance_error,
        data.train_images,
        stored_bytes=sum(path.stat().st_size for path in data.directory.glob("*.npy")),
    )


def workload_of(config: TrialConfig, facts: DataFacts) -> Workload:
    """What the memory of a trial depends on."""
    return Workload(
        config.architecture,
        facts.num_classes,
        facts.image_shape,
        config.batch_size,
        config.precision,
        config.dropout,
        config.momentum,
        facts.train_images,
        facts.stored_bytes,
        facts.validation_images,
    )
