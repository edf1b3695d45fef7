"""Items 1 and 3: training rates of a network, eager, captured and compiled, beside the plain loop; and its memory."""

from __future__ import annotations

import time
from typing import Any

import torch

from benchmarks.gpu.made_up_data import config_of, device_here, workload_of
from benchmarks.plain_loop import plain_training
from wrn_search.images.prepared_data import PreparedData
from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.training.training_loop import Training

# For 50,000 images on an H200: the larger of 3 x forward operations over 790 TFLOP/s and the traffic of activations
# with fused batch norm and ReLU over 4.3 TB/s. Seconds, by hand.
FLOORS = {
    **{"16-1": 0.05, "16-2": 0.11, "16-4": 0.21, "16-8": 0.59},
    **{"22-8": 0.93, "28-10": 1.99, "40-4": 0.53, "40-10": 3.07},
}
WAYS: dict[str, dict[str, str]] = {
    "eager": {},
    "captured": {"cuda_graph": "on"},
    "compiled": {"compile": "on"},
    "compiled and captured": {"compile": "on", "cuda_graph": "on"},
}
EPOCH = 50_000  # images


def measured_way(
    network: str, way: str, precision: str, batch_size: int, data: PreparedData, epochs: int, threads: int
) -> dict[str, Any]:
    """Images/s of so many epochs after a first one, which chooses kernels, compiles and captures; and the memory.

    The whole path: gather, crop, flip, step, evaluation apart.
    """
    config = config_of(network, batch_size, precision, **WAYS[way])
    training = Training(config, data, device=device_here(), threads=threads)
    try:
        began = time.perf_counter()
        training.run_epoch()
        first = time.perf_counter() - began
        rates = [training.run_epoch().images_per_second for _ in range(epochs)]
        memory = training.history[-1].memory_bytes
        on_gpu = training.device.type == "cuda"
        allocated = torch.cuda.max_memory_allocated() if on_gpu else None
        beside = _bytes_beside_the_allocator() if on_gpu else None
    finally:
        training.close()
    seconds = EPOCH / sorted(rates)[len(rates) // 2]
    found = {
        "images_per_second": rates,
        "seconds_for_50000": seconds,
        "first_epoch_seconds": first,
        "measured_bytes": memory,
        "allocated_bytes": allocated,
        "context_bytes": beside,
        "predicted_bytes": trial_memory(workload_of(config, data)).allocated_bytes,
        "final_loss": training.history[-1].train_loss,
    }
    if network in FLOORS:
        found["share_of_h200_floor"] = FLOORS[network] / seconds
    return found


def _bytes_beside_the_allocator() -> int:
    """What is taken of the GPU beside torch's allocator: by one process alone there, its context."""
    free, total = torch.cuda.mem_get_info()
    return total - free - torch.cuda.memory_reserved()


def plain_rate(
    network: str, amp: bool, batch_size: int, steps: int, threads: int, workers: int
) -> dict[str, Any]:
    """Images/s of what everybody copies, on the same device: DataLoader, PIL, NCHW, fp32 or AMP; the second epoch."""
    depth, _, width = network.partition("-")
    epoch = plain_training(
        int(depth), float(width), steps, batch_size, threads, workers, device=device_here(), amp=amp
    )
    epoch()
    rate = epoch()
    return {"images_per_second": [rate], "seconds_for_50000": EPOCH / rate, "workers": workers}
