"""Where a GPU's time goes in an epoch: its kernels by name, and how long it waits for the process."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

import torch
from torch._C._autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu.made_up_data import config_of, device_here
from benchmarks.gpu.rates_of_ways import WAYS
from wrn_search.images.prepared_data import PreparedData
from wrn_search.training.training_loop import Training

NAMED = 30  # kernels
LETTERS = 140  # of a kernel's name


def kernels(
    network: str, way: str, precision: str, batch_size: int, data: PreparedData, threads: int
) -> dict[str, Any]:
    """Milliseconds a step of the kernels that take most, of all of them, and of the epoch by the clock; evaluation too.

    The clock is that of an epoch without the profiler. Without a GPU there are no kernels.
    """
    config = config_of(network, batch_size, precision, **WAYS[way])
    training = Training(config, data, device=device_here(), threads=threads)
    steps = len(training.train_batches)
    try:
        training.run_epoch()
        began = time.perf_counter()
        training.run_epoch()
        wall = time.perf_counter() - began
        on_gpu = device_here() == "cuda"
        with profile(activities=[ProfilerActivity.CUDA if on_gpu else ProfilerActivity.CPU]) as found:
            training.run_epoch()
            if on_gpu:
                torch.cuda.synchronize()
    finally:
        training.close()
    spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for event in found.events() or ():
        if event.device_type == DeviceType.CUDA:
            kernel = spent[event.name[:LETTERS]]
            kernel[0] += event.device_time_total / 1e3 / steps
            kernel[1] += 1 / steps
    longest = sorted(spent.items(), key=lambda item: -item[1][0])[:NAMED]
    return {
        "wall_ms": 1e3 * wall / steps,
        "kernels_ms": sum(milliseconds for milliseconds, _ in spent.values()),
        "kernels": sum(launches for _, launches in spent.values()),
        "longest": dict(longest),  # milliseconds and launches, of a step
    }
