"""Which trainings of a space a probe tries: those that take the least and the most memory. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.space.domains import Domain, LogUniform, Scalar, Uniform, finite_values
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig

_CHANGE_MEMORY = (
    "family",
    "depth",
    "widen_factor",
    "block",
    "deepening_factor",
    "dropout",
    "batch_size",
    "momentum",
    "optimizer",
    "ema",
    "sam",
    "gradient_accumulation",
)


def probe_configs(
    space: Space, workload: Callable[[TrialConfig], Workload], precision: str
) -> list[TrialConfig]:
    """The trainings of a space with the least and the most predicted memory, in this order; one where they agree."""
    leaves = space.hyperparameters
    values = [telling_values(name, domain) for name, domain in leaves.items()]
    points = [dict(zip(leaves, point, strict=True)) for point in itertools.product(*values)]
    if space.networks is not None:  # no product of depths and widths
        ends = list(dict.fromkeys(space.axes.extremes))
        points = [point | space.shape_of(network) for point in points for network in ends]
    configs = [
        # a probe's batches are made up, and none of its steps is captured
        replace(space.trial_config(point, 0, precision=precision, compile="off"), cuda_graph="off")
        for point in points
    ]
    configs.sort(key=lambda config: trial_memory(workload(config)).allocated_bytes)
    return [configs[0], configs[-1]][: len(configs)]


def telling_values(name: str, domain: Domain) -> list[Scalar]:
    """Values of a hyperparameter among which memory is least and most: its ends, all of what is no number."""
    values = finite_values(domain)
    if values is None:
        assert isinstance(domain, Uniform | LogUniform)
        values = (domain.low, domain.high)
    if name not in _CHANGE_MEMORY:
        return [values[0]]
    numbers = [value for value in values if not isinstance(value, str)]
    return sorted({min(numbers), max(numbers)}) if numbers else list(values)
