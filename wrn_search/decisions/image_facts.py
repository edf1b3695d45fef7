"""What a search must know of its images, and what that makes of the memory of each trial."""

from __future__ import annotations

from dataclasses import dataclass

from wrn_search.memory.tensor_sizes import Workload
from wrn_search.memory.workload_of_training import workload_of_training
from wrn_search.space.trial_config import TrialConfig
from wrn_search.verdict_so_far.looks import Images


@dataclass(frozen=True)
class DataFacts:
    """What the conductor must know of the data."""

    num_classes: int
    image_shape: tuple[int, int, int]  # height, width, channels
    validation_images: int
    chance_error: float  # percent
    train_images: int = 0
    stored_bytes: int = 0  # of images and labels as prepared: a GPU holds a copy
    test_images: int = 0  # evaluated after a training, in a confirmation
    is_streamed: bool = False  # decoded by processes beside a training


def images_of(facts: DataFacts) -> Images:
    """What the curve model must know of them."""
    return Images(facts.validation_images, facts.num_classes, facts.image_shape[2])


def workload_of(config: TrialConfig, facts: DataFacts, gpus: float = 1.0) -> Workload:
    """What the memory of a trial depends on, which trains on a share of a GPU or on several."""
    return workload_of_training(
        config,
        facts.num_classes,
        facts.image_shape,
        replicas=max(1, int(gpus)),
        train_images=facts.train_images,
        validation_images=max(facts.validation_images, facts.test_images),
        data_bytes=facts.stored_bytes,
        is_streamed=facts.is_streamed,
    )
