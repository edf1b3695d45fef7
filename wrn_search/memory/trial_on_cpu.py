"""What a trial takes of a machine's memory when it trains on a CPU: its tensors, its process, and what else is there.

Measured as the most resident bytes (VmHWM) of a process that trained two steps of 32x32 images, with glibc's allocator
as `keeping_freed_memory.py` sets it. Beside what torch and Ray hold when idle, WRN-16-4 with batches of 128 took 880
MiB, 528 of which are its predicted tensors; in bf16 538 (282), with dropout 1281 (763), WRN-28-4 1509 (1023), WRN-16-8
1848 (1081), WRN-10-0.5 275 (51). So there is a constant part, kernels and their scratch, and the allocator loses some
between its blocks. `python -m benchmarks.memory_of_a_trial` measures it.
"""

from __future__ import annotations

from dataclasses import replace

from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.memory.tensor_sizes import Workload

PROCESS_BYTES = (
    650 * 2**20
)  # of a trial's process: Python, torch, Ray, kernels; pages of libraries are shared
DRIVER_BYTES = 2 * 2**30  # the search itself, Ray's servers and idle processes, the system
DECODING_BYTES = (
    2 * 200 * 2**20
)  # of the processes that decode: one to train on, one to evaluate, 185 MB measured
_LOST = 1.5  # times the tensors: what glibc's allocator keeps between its blocks


def trial_bytes_on_cpu(workload: Workload) -> int:
    """Bytes of the machine's memory that a training takes at most; images are mapped, all trials share their pages.

    With the copies of weights, momentum and averages from which a checkpoint is written while the training goes on.
    """
    memory = trial_memory(replace(workload, device="cpu"))
    tensors, copies = memory.allocated_bytes, memory.peak.weights + memory.peak.momentum
    copies += memory.peak.weights if workload.ema else 0
    return PROCESS_BYTES + int(_LOST * tensors) + copies + (DECODING_BYTES if workload.is_streamed else 0)


def room_for_trials(memory_bytes: int) -> int:
    """What a machine of so much memory has for trials beside the driver; of a small one at least half."""
    return max(memory_bytes - DRIVER_BYTES, memory_bytes // 2)
