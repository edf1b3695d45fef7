"""What Tune asks Ray for, for each trial: apart, as each trial's process imports it, and needs nothing that decides."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ray.tune import PlacementGroupFactory

from wrn_search.hardware.machine import ACCELERATOR

_A_TRACE = 0.001  # of the one that a node has of its kind of GPU: it must be there, and is never used up


def resources_of(config: dict[str, Any]) -> PlacementGroupFactory:
    """What Ray must set aside for a trial; trials with equal requests use each other's processes."""
    return _request(config["threads"], config["gpu_fraction"], config["accelerator"])


# Tune looks requests up again and again, and compares those that are not the same object at length.
@lru_cache(256)
def _request(threads: int, gpu_fraction: float, accelerator: str) -> PlacementGroupFactory:
    bundle: dict[str, float] = {"CPU": threads, "GPU": gpu_fraction}
    if accelerator:
        bundle[f"{ACCELERATOR}{accelerator}"] = _A_TRACE
    return PlacementGroupFactory([bundle])
