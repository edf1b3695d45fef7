"""What a machine can compute with: fast bf16, a compiler, GPUs, their counters. Asked on each node that will train."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wrn_search.hardware.detected_cores_and_gpus import has_nvidia_driver
from wrn_search.hardware.gpu_energy import energy_missing_here

CPU_INFO = Path("/proc/cpuinfo")
SIMULATED_GPUS = "WRN_SEARCH_SIMULATED_GPUS"  # of the environment of whoever drives a search
_FAST_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
_COMPILERS = ("g++", "clang++")
_SECONDS_TO_LOOK = 90.0  # a process that imports torch, from a network file system perhaps
_LOOK = (
    "import json, torch; "
    "print(json.dumps([torch.cuda.get_device_capability(n) for n in range(torch.cuda.device_count())]))"
)


@dataclass(frozen=True)
class ArithmeticOnOffer:
    """What one machine can compute with."""

    fast_bf16: bool  # the CPU multiplies bf16 in hardware: AVX512-BF16 or AMX
    compiler: bool  # for C++, where torch.compile looks for it
    cuda_capabilities: (
        tuple[tuple[int, int], ...] | None
    )  # of each GPU that torch sees; None: it cannot be said
    energy_missing: str | None = None  # what keeps the energy of its GPUs from being measured


def arithmetic_here() -> ArithmeticOnOffer:
    """Of this machine. GPUs are looked for in a new process: Ray hides them from one that was given none."""
    missing = energy_missing_here() if has_nvidia_driver() else "there is no driver of NVIDIA's"
    return ArithmeticOnOffer(_cpu_is_fast_at_bf16(), _has_compiler(), _cuda_capabilities(), missing)


FIRST_CUDA_WITH_TF32 = (8, 0)
TF32_RULE = "tf32 needs GPUs of CUDA compute capability 8.0 or more"


def lacks_tf32(offers: Iterable[ArithmeticOnOffer]) -> str | None:
    """The capability of the weakest GPU, `7.5`, where it has no tf32; None where all have, or nobody can say."""
    known = [min(offer.cuda_capabilities) for offer in offers if offer.cuda_capabilities]
    weakest = min(known, default=FIRST_CUDA_WITH_TF32)
    return ".".join(map(str, weakest)) if weakest < FIRST_CUDA_WITH_TF32 else None


def gpus_are_simulated() -> bool:
    """Whether the user says that the GPUs which Ray was told of are there in name only (tests, trying things out)."""
    return os.environ.get(SIMULATED_GPUS, "").strip().lower() in ("1", "true", "yes", "on")


def no_gpu_text(node: str) -> str:
    """What is wrong with a node that offers GPUs which torch does not see, and what to do."""
    return (
        f"torch must see the GPUs that Ray was told of, but sees none on {node}: it needs a build of torch for CUDA "
        f"and a driver that fits it (GPUs that are there in name only are declared by {SIMULATED_GPUS}=1)"
    )


def _cpu_is_fast_at_bf16() -> bool:
    """Without /proc/cpuinfo the answer is no."""
    try:
        lines = CPU_INFO.read_text().splitlines()
    except OSError:
        return False
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
    return not _FAST_BF16_FLAGS.isdisjoint(flags)


def _has_compiler() -> bool:
    """Whether there is one where torch looks for it."""
    return any(shutil.which(name) for name in (os.environ.get("CXX"), *_COMPILERS) if name)


def _cuda_capabilities() -> tuple[tuple[int, int], ...] | None:
    if not has_nvidia_driver():
        return ()
    visible = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    try:
        told = subprocess.run(
            [sys.executable, "-c", _LOOK],
            env=visible,
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS_TO_LOOK,
        )
        return tuple((major, minor) for major, minor in json.loads(told.stdout))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
