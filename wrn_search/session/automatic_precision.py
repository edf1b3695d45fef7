"""Which arithmetic `precision: auto` means: decided once for a whole search, so that no ranking mixes two."""

from __future__ import annotations

from pathlib import Path

from wrn_search.results.state_from_events import SearchState

CPU_INFO = Path("/proc/cpuinfo")
_FAST_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
# Below, convolutions are too small for bf16 to pay (measured at 8x8: no gain).
_SMALLEST_SIDE_FOR_BF16 = 32
_FIRST_CUDA_WITH_BF16 = (8, 0)


def resolved_precision(
    asked: str, image_shape: tuple[int, int, int], gpu_fraction: float, state: SearchState | None = None
) -> str:
    """`fp32` or `bf16` for `auto | fp32 | bf16`; a search that is resumed keeps what it began with.

    Args:
        asked: `training.precision`.
        image_shape: height, width, channels.
        gpu_fraction: of a GPU for each trial.
        state: of the search to resume.
    """
    for trial in state.trials.values() if state else ():
        return str(trial.config["precision"])
    if asked != "auto":
        return asked
    cuda = _cuda_capability() if gpu_fraction else None
    if cuda is not None:
        return "bf16" if cuda >= _FIRST_CUDA_WITH_BF16 else "fp32"
    return "bf16" if min(image_shape[:2]) >= _SMALLEST_SIDE_FOR_BF16 and cpu_is_fast_at_bf16() else "fp32"


def cpu_is_fast_at_bf16() -> bool:
    """Whether the CPU multiplies bf16 in hardware: AVX512-BF16 or AMX. Without /proc/cpuinfo the answer is no."""
    try:
        lines = CPU_INFO.read_text().splitlines()
    except OSError:
        return False
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
    return not _FAST_BF16_FLAGS.isdisjoint(flags)


def _cuda_capability() -> tuple[int, int] | None:
    """Of this machine's first GPU; None without one (a simulated GPU, a head node)."""
    import torch

    return torch.cuda.get_device_capability() if torch.cuda.is_available() else None
