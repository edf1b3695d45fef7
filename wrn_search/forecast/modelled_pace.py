"""The pace of H100s and H200s of which no trial and no probe tells: by the model of a step that shares go by."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from wrn_search.forecast.pace import Pace
from wrn_search.memory.work_on_gpu import step_of
from wrn_search.memory.workload_of_training import workload_of_training
from wrn_search.networks.parameters_and_macs import macs
from wrn_search.space.trial_config import TrialConfig

_KINDS = ("H100", "H200")  # of whose rates the model is
_SOURCE = "modelled, not measured: steps of an H200 by operations, traffic and launches, of a share of it in proportion"


def modelled_pace(
    configs: Sequence[TrialConfig],
    num_classes: int,
    image_shape: tuple[int, int, int],
    kinds: Collection[str],
) -> Pace | None:
    """The pace of trainings in 16 bits on such GPUs; None for other arithmetic, or where a GPU is of another kind.

    Captured steps of seven WRNs, 16-1 to 28-10, take 0.71 to 1.21 times the model's seconds on an H200 (compare
    `benchmarks/results/nvidia-h200/gpu_rates.json`, which a test does).

    Args:
        configs: trainings of a space, at least one.
        num_classes: of the images.
        image_shape: height, width, channels.
        kinds: names of the GPUs that train, by CUDA ("NVIDIA H200") or by Ray ("H100").
    """
    in_16_bits = all(config.precision in ("bf16", "fp16") for config in configs)
    if not kinds or not in_16_bits or not all(any(known in kind for known in _KINDS) for kind in kinds):
        return None
    height, width, channels = image_shape
    points = {}
    for config in configs:
        step = step_of(workload_of_training(config, num_classes, image_shape))
        size = macs(config.architecture, num_classes, channels, (height, width))
        points[size] = step.alone() / config.batch_size
    return Pace(tuple(sorted(points.items())), _SOURCE, of_a_whole_gpu=True)
