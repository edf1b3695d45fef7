"""What a trial takes of its device: the peak of its tensors, a stated slack, and what comes with a GPU.

Workspace and context are those of an H200: `python -m benchmarks.gpu.memory_of_ways --again FILE` holds the prediction
against what eight WRNs reserved there. The probe (`memory/probe/short_training.py`) corrects them on other GPUs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from wrn_search.memory.predicted_activations import PeakMemory, peak_memory
from wrn_search.memory.tensor_sizes import Workload

SLACK = 0.05  # of the peak: what the play leaves out, and what an allocator loses between its blocks
WORKSPACE_BYTES = 84 * 2**20  # of cuBLAS, cuDNN and the allocator's rounding, for any network
CAPTURED_WORKSPACE_BYTES = 188 * 2**20  # the same, once for the graph and once for what runs beside it
CONTEXT_BYTES = 880 * 2**20  # of a process on a GPU: driver and kernels, outside torch's allocator
NCCL_BYTES = 512 * 2**20  # of one that speaks with those of other GPUs: NCCL's buffers, outside it too


@dataclass(frozen=True)
class TrialMemory:
    """Bytes of its device that a trial is predicted to take at most; of several devices those of the first."""

    peak: PeakMemory
    slack_bytes: int
    data_bytes: int  # 0 on a CPU, like the next two
    workspace_bytes: int
    context_bytes: int

    @property
    def allocated_bytes(self) -> int:
        """What torch's allocator hands out or keeps: all but the context."""
        return self.peak.peak_bytes + self.slack_bytes + self.data_bytes + self.workspace_bytes

    @property
    def total_bytes(self) -> int:
        """All together."""
        return self.allocated_bytes + self.context_bytes


def trial_memory(workload: Workload) -> TrialMemory:
    """The prediction: peak, stated slack, and on a GPU what comes with it."""
    peak = peak_memory(workload)
    on_gpu = workload.device == "cuda"
    return TrialMemory(
        peak,
        slack_bytes=math.ceil(SLACK * peak.peak_bytes),
        data_bytes=workload.data_bytes if on_gpu else 0,
        workspace_bytes=(CAPTURED_WORKSPACE_BYTES if workload.is_captured else WORKSPACE_BYTES)
        if on_gpu
        else 0,
        context_bytes=CONTEXT_BYTES + (NCCL_BYTES if workload.replicas > 1 else 0) if on_gpu else 0,
    )
