"""How much memory a trial took at most: reserved bytes on CUDA, the process's resident bytes on a CPU."""

from __future__ import annotations

import contextlib
import re
import sys
from pathlib import Path

import torch

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")


def reset_high_water_mark(device: torch.device) -> None:
    """Starts a new mark at what is in use now.

    On a CPU without a writable /proc (no Linux, some sandboxes) the mark goes on as the process's own.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with contextlib.suppress(OSError):
        _CLEAR_REFS.write_text("5")  # proc(5): resets the peak resident set size, VmHWM


def forget_warm_up(device: torch.device) -> None:
    """Starts a new mark at what is needed now; on CUDA what is kept for later allocations goes back first.

    cuDNN tries its algorithms where it meets a shape for the first time, and some of them take much memory.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.empty_cache()
    reset_high_water_mark(device)


def high_water_mark_bytes(device: torch.device) -> int:
    """The most memory since the mark was reset, in bytes.

    CUDA: what torch's allocator reserved on the device, without the context. CPU: the resident set of the
    whole process, so with the interpreter, its libraries and the mapped images, which trials share, and with
    memory of earlier trials that the allocator still keeps (`keeping_freed_memory.py`).
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    except OSError:
        found = None
    if found:
        return int(found[1]) * 1024
    import resource  # Unix has it; nothing else here needs it

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
