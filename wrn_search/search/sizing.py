"""How many trials run at once and what each gets: pure arithmetic over nodes, checked before anything starts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wrn_search.memory.shares import SHARES
from wrn_search.space.definition import ResourceSettings
from wrn_search.space.errors import InputError, Problem

ACCELERATOR = "accelerator_type:"  # Ray's resource of which a node has one for its kind of GPU
CPU_QUOTA_FILE = Path("/sys/fs/cgroup/cpu.max")
_NVIDIA_SIGNS = (Path("/proc/driver/nvidia"), Path("/dev/nvidiactl"), Path("/dev/dxg"))


@dataclass(frozen=True)
class Node:
    """What one machine offers."""

    cpus: int
    gpus: int = 0
    gpu_bytes: int = 0  # memory of each of them; 0 where it is not known
    accelerator: str = ""  # what Ray calls their kind


@dataclass(frozen=True)
class Allotment:
    """What the search takes: trials at once, and for each its cores (also its threads) and its share of a GPU.

    With `by_memory` the share follows from each trial's network, and what stands here is the smallest.
    """

    concurrent: int
    cpus_per_trial: int
    gpus_per_trial: float
    by_memory: bool = False
    cpus_follow_share: bool = False  # cores too, as the share of those that belong to a GPU


def allot(
    resources: ResourceSettings, nodes: Sequence[Node], trials: int, rows: int, adaptive: bool
) -> Allotment:
    """The allotment for these nodes.

    `auto` on CPU is one trial a core, but at most a quarter of `trials` for a searcher that learns from results;
    spare cores become threads. On GPUs every share is used; where their memory is known, `auto` is the smallest share
    that holds a trial, so that up to eight train on one GPU (for a searcher that learns also at most a quarter of
    `trials`, but at least one a GPU).

    Args:
        resources: the `resources` section.
        nodes: the machines, at least one.
        trials: configurations of the search.
        rows: trials times repeats: more never run at once.
        adaptive: whether the searcher learns from results.

    Raises:
        InputError: the nodes cannot give what was asked for.
    """
    gpus = resources.gpus_per_trial
    with_gpus = [node for node in nodes if node.gpus]
    if isinstance(gpus, str) and with_gpus and all(node.gpu_bytes for node in with_gpus):
        return _allot_by_memory(resources, with_gpus, trials, rows, adaptive)
    share = (1.0 if any(node.gpus for node in nodes) else 0.0) if isinstance(gpus, str) else gpus
    cpus = 1 if isinstance(resources.cpus_per_trial, str) else resources.cpus_per_trial
    room = capacity(nodes, cpus, share)
    if room == 0:
        raise InputError([_infeasible(nodes, cpus, share)])
    if isinstance(resources.concurrent, str):
        concurrent = min(room, rows)
        if adaptive and not share:
            concurrent = min(concurrent, max(1, trials // 4))
    else:
        if resources.concurrent > room:
            text = f"concurrent must be at most {room}, the trials that fit at once ({_offer(nodes)}; a trial takes"
            raise InputError.of(
                "resources.concurrent", f"{text} {_request(cpus, share)}), but got {resources.concurrent}"
            )
        concurrent = min(resources.concurrent, rows)
    if isinstance(resources.cpus_per_trial, str):
        while capacity(nodes, cpus + 1, share) >= concurrent:
            cpus += 1
    return Allotment(concurrent, cpus, share)


def _allot_by_memory(
    resources: ResourceSettings, nodes: Sequence[Node], trials: int, rows: int, adaptive: bool
) -> Allotment:
    """For nodes with GPUs of known memory: as many trials as the smallest shares allow; each takes what it needs.

    Raises:
        InputError: the nodes cannot give what was asked for.
    """
    smallest = SHARES[0]
    follow = isinstance(resources.cpus_per_trial, str)
    cpus = 1 if isinstance(resources.cpus_per_trial, str) else resources.cpus_per_trial
    room = capacity(nodes, cpus, smallest)
    if room == 0:
        raise InputError([_infeasible(nodes, cpus, smallest)])
    concurrent = min(room, rows)
    if not isinstance(resources.concurrent, str):
        if resources.concurrent > room:
            text = f"concurrent must be at most {room}, the trials that fit at once ({_offer(nodes)}; a trial takes"
            wrong = f"{text} {_request(cpus, smallest)} or more), but got {resources.concurrent}"
            raise InputError.of("resources.concurrent", wrong)
        concurrent = min(resources.concurrent, rows)
    elif adaptive:
        concurrent = min(concurrent, max(sum(node.gpus for node in nodes), trials // 4))
    return Allotment(concurrent, cpus, smallest, by_memory=True, cpus_follow_share=follow)


def capacity(nodes: Sequence[Node], cpus: int, share: float) -> int:
    """How many trials of this size fit on the nodes at once."""
    return sum(
        min(node.cpus // cpus, int(node.gpus / share)) if share else node.cpus // cpus for node in nodes
    )


def local_node() -> Node:
    """This machine, as far as this process may use it."""
    return Node(usable_cores(), len(gpu_names()), gpu_bytes_here())


def node_of(resources: Mapping[str, float], gpu_bytes: int = 0) -> Node:
    """A node by what Ray says that it offers; Ray names kinds of GPUs, but not their memory."""
    kinds = [name.removeprefix(ACCELERATOR) for name in resources if name.startswith(ACCELERATOR)]
    kind = kinds[0] if kinds else ""
    return Node(int(resources.get("CPU", 0)), int(resources.get("GPU", 0)), gpu_bytes, kind)


def usable_cores() -> int:
    """Cores that this process may run on: its affinity, cut by the container's quota (cgroup v2)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = CPU_QUOTA_FILE.read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, int(quota) // int(period)))


def gpu_names() -> list[str]:
    """CUDA devices that torch sees; torch is imported only where there is a driver."""
    if not any(sign.exists() for sign in _NVIDIA_SIGNS):
        return []
    import torch

    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def gpu_bytes_here() -> int:
    """Memory of the smallest CUDA device that torch sees; 0 without one."""
    if not any(sign.exists() for sign in _NVIDIA_SIGNS):
        return 0
    import torch

    devices = range(torch.cuda.device_count())
    return min((torch.cuda.get_device_properties(number).total_memory for number in devices), default=0)


def _infeasible(nodes: Sequence[Node], cpus: int, share: float) -> Problem:
    if share and not any(node.gpus for node in nodes):
        return Problem("resources.gpus_per_trial", f"a GPU must be there, but got {_offer(nodes)}")
    return Problem(
        "resources.cpus_per_trial",
        f"one machine must be able to hold a trial of {_request(cpus, share)}, but got {_offer(nodes)}",
    )


def _request(cpus: int, share: float) -> str:
    return f"{cpus} CPU{'s' if cpus > 1 else ''}" + (f" and {share:g} GPU" if share else "")


def _offer(nodes: Sequence[Node]) -> str:
    machines = ", ".join(f"{node.cpus} CPUs and {node.gpus} GPUs" for node in nodes[:4])
    return machines + (f" and {len(nodes) - 4} more machines" if len(nodes) > 4 else "")
