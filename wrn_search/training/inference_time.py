"""How long a network takes for images that it is given: forward passes, timed one after the other."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

WARM_UP = 3  # passes that make room and choose kernels
_WARM_UP_SECONDS = 0.05  # a processor that rested is slow at first
FEWEST, MOST = 7, 200  # timed passes
_SECONDS = 0.5  # of them together, where that is more than FEWEST and fewer than MOST


def median_milliseconds(
    once: Callable[[], object], device: torch.device, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Median wall milliseconds of a call, each waited for until the device has done it, after a warm-up.

    Args:
        once: what is timed.
        device: where it computes.
        clock: seconds.
    """

    def took() -> float:
        began = clock()
        once()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return clock() - began

    spent, passes = 0.0, 0
    while passes < WARM_UP or (spent < _WARM_UP_SECONDS and passes < MOST):
        spent, passes = spent + took(), passes + 1
    timed: list[float] = []
    while len(timed) < FEWEST or (sum(timed) < _SECONDS and len(timed) < MOST):
        timed.append(took())
    return 1000 * statistics.median(timed)
