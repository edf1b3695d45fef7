"""What this machine has: the cores that this process may use, the GPUs that torch sees and their memory."""

from __future__ import annotations

import os
from pathlib import Path

from wrn_search.hardware.machine import Node

CPU_QUOTA_FILE = Path("/sys/fs/cgroup/cpu.max")
_NVIDIA_SIGNS = (Path("/proc/driver/nvidia"), Path("/dev/nvidiactl"), Path("/dev/dxg"))


def local_node() -> Node:
    """This machine, as far as this process may use it."""
    return Node(usable_cores(), len(gpu_names()), gpu_bytes_here())


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
