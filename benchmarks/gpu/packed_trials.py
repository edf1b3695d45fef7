"""Item 2: so many trials at once on one device, a process each, against one alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.made_up_data import config_of, device_here, made_up_data
from benchmarks.measuring import Variant
from wrn_search.memory.keeping_freed_memory import keep_freed_memory
from wrn_search.training.training_loop import Training


def trial(
    network: str,
    cuda_graph: str,
    precision: str,
    batch_size: int,
    folder: str,
    images: int,
    validation: int,
    seconds: float,
    fraction: float,
    threads: int,
) -> Callable[[], float]:
    """Epochs for at least so many seconds, as a function that returns how many images they trained on."""
    keep_freed_memory()
    if device_here() == "cuda":
        torch.cuda.set_per_process_memory_fraction(fraction)
    data = made_up_data(Path(folder), images, validation)
    config = config_of(network, batch_size, precision, cuda_graph=cuda_graph)
    training = Training(config, data, device=device_here(), threads=threads)

    def train() -> float:
        began, trained = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            training.run_epoch()
            trained += training.train_batches.num_images
        return trained

    return train


def packed(count: int, threads: int, **arguments: Any) -> float:
    """Images/s of so many trials together, each with its share of the device."""
    with ExitStack() as stack:
        variants = [
            stack.enter_context(
                Variant(trial, fraction=1 / count, threads=max(1, threads // count), **arguments)
            )
            for _ in range(count)
        ]
        began = time.perf_counter()
        for variant in variants:
            variant.start()
        images = sum(variant.wait() for variant in variants)
        return images / (time.perf_counter() - began)
