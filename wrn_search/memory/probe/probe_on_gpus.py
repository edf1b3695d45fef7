"""What the GPUs of a session have and what trials really take of them: asked on the nodes, through Ray.

What is made of the answers is tested with made-up ones.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from wrn_search.hardware.detected_cores_and_gpus import gpu_bytes_here
from wrn_search.memory.gpu_shares import ProbeResult
from wrn_search.memory.predicted_memory import CONTEXT_BYTES, trial_memory
from wrn_search.memory.probe.tasks_on_nodes import runtime_env
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.space.trial_config import TrialConfig

SECONDS_FOR_A_NODE = 60.0  # to start a process, import torch and look
SECONDS_FOR_A_PROBE = 180.0
_MOST_CONTEXT_BYTES = 2 * 2**30  # more beside the allocator belongs to somebody else


class Measured(Protocol):
    """What a probe tells, as `short_training.MeasuredMemory` does."""

    @property
    def reserved_bytes(self) -> int: ...  # what torch's allocator held at most

    @property
    def beside_bytes(self) -> int: ...  # what was taken of the device beside it


# Trains each for a few steps; None where one did not fit, or could not be tried.
Probe = Callable[[Sequence[TrialConfig]], Sequence[Measured | None]]


def gpu_bytes_by_node() -> dict[str, int]:
    """Ray's node id -> memory of each of its GPUs; 0 where torch finds none (simulated GPUs) or nobody answers."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    look = ray.remote(num_cpus=0, num_gpus=0.01, max_retries=0, runtime_env=runtime_env.get())(gpu_bytes_here)
    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("GPU", 0)]
    asked = {
        look.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(): node
        for node in nodes
    }
    found = dict.fromkeys(nodes, 0)
    answered, late = (
        ray.wait(list(asked), num_returns=len(asked), timeout=SECONDS_FOR_A_NODE) if asked else ([], [])
    )
    for reference in answered:
        try:
            found[asked[reference]] = int(ray.get(reference))
        except Exception as error:  # a node that cannot say it counts as one of unknown memory
            logging.getLogger(__name__).debug("memory of a GPU: %s", error)
    for reference in late:
        ray.cancel(reference, force=True)
    return found


def probed(
    configs: Sequence[TrialConfig], workload: Callable[[TrialConfig], Workload], probe: Probe
) -> list[ProbeResult]:
    """What each of these trainings was predicted to take, and what it took; one that did not fit is left out."""
    results = []
    for config, measured in zip(configs, probe(configs), strict=True):
        if measured is not None:
            memory = trial_memory(workload(config))
            shown = measured.beside_bytes
            context = shown if 0 < shown <= _MOST_CONTEXT_BYTES else CONTEXT_BYTES
            # A probe has no data set on its device.
            predicted = memory.allocated_bytes - memory.data_bytes
            results.append(ProbeResult(predicted, measured.reserved_bytes, context))
    return results


def probe_on_a_gpu(
    configs: Sequence[TrialConfig], *, num_classes: int, image_shape: tuple[int, int, int]
) -> Sequence[Measured | None]:
    """Short trainings one after the other in a process on a whole GPU of the session's Ray.

    None for each where torch finds no GPU, or nobody answers in time.
    """
    import ray

    measure = ray.remote(num_cpus=1, num_gpus=1, max_retries=0, runtime_env=runtime_env.get())(_measure)
    told = [config.to_dict() for config in configs]
    reference = measure.remote(told, num_classes, image_shape)
    try:
        found: list[Measured | None] = ray.get(reference, timeout=SECONDS_FOR_A_PROBE)
    except Exception as error:  # whatever it is: the search can do without the answer
        logging.getLogger(__name__).debug("probe of a GPU: %s", error)
        ray.cancel(reference, force=True)
        return [None] * len(configs)
    return found


def _measure(
    configs: list[dict[str, Any]], num_classes: int, image_shape: tuple[int, int, int]
) -> list[Measured | None]:
    """In a process of its own, on the GPU that Ray gave it."""
    from wrn_search.memory.probe.short_training import measured_if_it_fits

    return [
        measured_if_it_fits(TrialConfig.from_dict(config), num_classes, image_shape) for config in configs
    ]
