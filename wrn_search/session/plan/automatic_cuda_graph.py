"""Whether steps are captured as CUDA graphs: decided once for a whole search."""

from __future__ import annotations

from collections.abc import Sequence

from wrn_search.hardware.arithmetic_on_offer import ArithmeticOnOffer, gpus_are_simulated
from wrn_search.results.state_from_events import SearchState
from wrn_search.space.rules.across_keys.rules_of_gpus import RULES_OF_CUDA_GRAPHS
from wrn_search.space.space import Space


def resolved_cuda_graph(
    space: Space,
    gpu_fraction: float,
    machines: Sequence[ArithmeticOnOffer],
    state: SearchState | None = None,
    *,
    images_on_gpu: bool = True,
) -> str:
    """`on` or `off` for `auto | on | off`; a search that is resumed keeps what it began with.

    `auto` is on where real GPUs train and no rule of captured steps is broken: there a step is the same kernels in the
    same order, launched at once (`benchmarks/results/nvidia-h200/`: WRN-16-1 and 16-2 take a quarter of the time).

    Args:
        space: the search.
        gpu_fraction: of a GPU for each trial.
        machines: those that will train.
        state: of the search to resume.
        images_on_gpu: whether the training images lie there, not mapped from a file.
    """
    for trial in state.trials.values() if state else ():
        return str(trial.config.get("cuda_graph", "off"))
    if space.training.cuda_graph != "auto":
        return space.training.cuda_graph
    on_gpus = gpu_fraction > 0 and any(machine.cuda_capabilities for machine in machines)
    if not on_gpus or gpus_are_simulated() or not images_on_gpu:
        return "off"
    asked_for = with_cuda_graph(space, "on")
    return "off" if any(True for rule in RULES_OF_CUDA_GRAPHS for _ in rule(asked_for)) else "on"


def with_cuda_graph(space: Space, resolved: str) -> Space:
    """The space whose trials are captured or not as resolved; what it records is the space as asked."""
    return space.model_copy(update={"training": space.training.model_copy(update={"cuda_graph": resolved})})
