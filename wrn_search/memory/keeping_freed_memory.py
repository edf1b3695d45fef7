"""The allocators of a process that hosts trials: keep what a step frees, give it back between trials."""

from __future__ import annotations

import ctypes
import os
import platform

import torch

# Parameters of glibc's mallopt(3).
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
_ALLOCATOR_VARIABLES = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")


def keep_freed_memory() -> bool:
    """Makes glibc keep what a step frees for the next step; returns whether it could.

    To be called once in a process, by whoever hosts trials. glibc hands large freed blocks back to the kernel
    at once, so every step faults its activations in again, page by page: 1.15 to 1.4 times slower in fp32
    in a fresh process. The price: freed memory stays with the process, and a high-water mark (`measured_peak.py`)
    that begins while an earlier trial's memory is kept counts it. So each training ends with
    `release_freed_memory`. Other C libraries and CUDA's own allocator are left alone.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 64 * 2**20))
    accepted = [libc.mallopt(parameter, value) == 1 for parameter, value in settings]
    return all(accepted)


def waste_little(device: torch.device) -> None:
    """On CUDA torch's allocator grows its segments instead of taking ever new ones, so that little lies between blocks.

    Of eight WRNs at batch 128 and 512 it reserved up to 1.70 times what their tensors took without it, and up to 1.11
    times with it (`benchmarks/results/nvidia-h200/`). Whoever sets torch's
    `PYTORCH_CUDA_ALLOC_CONF` or `PYTORCH_ALLOC_CONF` is left alone.
    """
    if device.type == "cuda" and not any(name in os.environ for name in _ALLOCATOR_VARIABLES):
        torch._C._accelerator_setAllocatorSettings("expandable_segments:True")


def release_freed_memory(device: torch.device | None = None) -> None:
    """Gives freed memory back to the kernel, kept by `keep_freed_memory` or not (glibc only).

    On CUDA what torch keeps goes back too: cuBLAS has a workspace for each stream that it was called on,
    of 32 MB on an H200, for good.
    """
    if device is not None and device.type == "cuda":
        torch._C._cuda_clearCublasWorkspaces()
        torch.cuda.empty_cache()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
