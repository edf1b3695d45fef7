"""What this machine has: the cores that this process may use, the GPUs that torch sees and their memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from wrn_search.hardware.control_groups import folders_of_own_groups
from wrn_search.hardware.detected_memory import usable_memory
from wrn_search.hardware.machine import Node

_V1_QUOTA, _V1_PERIOD = "cpu.cfs_quota_us", "cpu.cfs_period_us"
_NVIDIA_SIGNS = (Path("/proc/driver/nvidia"), Path("/dev/nvidiactl"), Path("/dev/dxg"))


def local_node() -> Node:
    """This machine, as far as this process may use it."""
    return Node(usable_cores(), len(gpu_names()), gpu_bytes_here(), memory_bytes=usable_memory())


def usable_cores() -> int:
    """Cores that this process may run on: its affinity, cut by the quota of its control groups, at least one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *map(int, _quotas())]))


def _quotas() -> Iterator[float]:
    """CPUs that each control group above this process allows it, in cgroup v2 (`cpu.max`) and v1 (`cpu.cfs_*`)."""
    for folder in folders_of_own_groups("cpu", "cpu,cpuacct"):
        for quota, period in (
            _numbers(folder / "cpu.max"),
            _numbers(folder / _V1_QUOTA, folder / _V1_PERIOD),
        ):
            if quota > 0 and period > 0:
                yield quota / period


def _numbers(*files: Path) -> tuple[int, int]:
    """Quota and period, microseconds; (0, 0) where there is none."""
    try:
        quota, period = " ".join(file.read_text() for file in files).split()
        return int(quota), int(period)  # "max" and -1 are no quota
    except (OSError, ValueError):
        return 0, 0


def has_nvidia_driver() -> bool:
    """Whether there is one, or a sign of one: only then is it worth to import torch and look."""
    return any(sign.exists() for sign in _NVIDIA_SIGNS)


def gpu_names() -> list[str]:
    """CUDA devices that torch sees; torch is imported only where there is a driver."""
    if not has_nvidia_driver():
        return []
    import torch

    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def gpu_bytes_here() -> int:
    """Memory of the smallest CUDA device that torch sees; 0 without one."""
    if not has_nvidia_driver():
        return 0
    import torch

    devices = range(torch.cuda.device_count())
    return min((torch.cuda.get_device_properties(number).total_memory for number in devices), default=0)
