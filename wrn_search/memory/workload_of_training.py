"""The one way from a trial's config to its `Workload`: what is predicted of a training and what it then does agree."""

from __future__ import annotations

from wrn_search.memory.tensor_sizes import MOST_EVALUATED, Workload
from wrn_search.space.sections.crop_padding import policy_of
from wrn_search.space.trial_config import TrialConfig


def workload_of_training(
    config: TrialConfig,
    num_classes: int,
    image_shape: tuple[int, int, int],
    *,
    device: str = "cuda",
    replicas: int = 1,
    train_images: int = 0,
    validation_images: int = MOST_EVALUATED,
    data_bytes: int = 0,
    is_streamed: bool = False,
) -> Workload:
    """Of images (height, width, channels) and their classes.

    What has a default but device and replicas does not change how many images are evaluated at once.
    """
    return Workload(
        config.architecture,
        num_classes,
        image_shape,
        config.batch_size,
        config.precision,
        config.dropout,
        config.momentum,
        train_images,
        data_bytes,
        validation_images,
        device=device,
        stochastic_depth=config.stochastic_depth,
        is_streamed=is_streamed,
        optimizer=config.optimizer,
        ema=config.ema,
        sam=config.sam,
        gradient_accumulation=config.gradient_accumulation,
        policy=policy_of(config.dataset.augmentation),
        replicas=replicas,
        is_captured=device == "cuda" and config.cuda_graph == "on",
    )
