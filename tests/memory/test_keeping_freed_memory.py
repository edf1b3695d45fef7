"""The C allocator's settings, by the page faults of a process that allocates and frees as a training does."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
import torch

from wrn_search.memory import keeping_freed_memory
from wrn_search.memory.keeping_freed_memory import keep_freed_memory, release_freed_memory

STEPS = """
import re, resource, sys
from pathlib import Path
from wrn_search.memory.keeping_freed_memory import keep_freed_memory, release_freed_memory

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024

if sys.argv[1] == "keep":
    assert keep_freed_memory()
bytes_of = lambda: b"x" * (40 * 2**20)  # larger than any block that glibc keeps by itself
bytes_of()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for step in range(20):
    bytes_of()
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
kept = resident()
release_freed_memory()
print(faults, kept, resident())
"""


def faults_and_resident(how: str) -> tuple[int, int, int]:
    """(page faults of 20 steps, MiB resident after them, MiB resident after a release)."""
    run = subprocess.run(
        [sys.executable, "-c", STEPS, how],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": "."},
    )
    faults, kept, released = map(int, run.stdout.split())
    return faults, kept, released


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")
def test_kept_memory_is_not_faulted_in_again_and_can_be_released() -> None:
    plain_faults, plain_resident, _ = faults_and_resident("plain")
    faults, kept, released = faults_and_resident("keep")

    assert faults < 0.05 * plain_faults
    assert kept > plain_resident + 35
    assert released < kept - 35


def test_other_c_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping_freed_memory.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(
        keeping_freed_memory.ctypes, "CDLL", lambda name: pytest.fail("no library may be called")
    )

    assert keep_freed_memory() is False
    keeping_freed_memory.release_freed_memory()


@pytest.mark.parametrize(
    ("device", "variable", "asked"),
    [
        ("cuda", None, ["expandable_segments:True"]),
        ("cpu", None, []),
        ("cuda", "PYTORCH_CUDA_ALLOC_CONF", []),
        ("cuda", "PYTORCH_ALLOC_CONF", []),
    ],
)
def test_torchs_allocator_on_cuda_grows_its_segments_unless_the_user_says_how(
    device: str, variable: str | None, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    for name in ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "max_split_size_mb:64")
    monkeypatch.setattr(torch._C, "_accelerator_setAllocatorSettings", told.append)
    keeping_freed_memory.waste_little(torch.device(device))
    assert told == asked


def test_what_cublas_keeps_goes_back_with_a_training_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(torch._C, "_cuda_clearCublasWorkspaces", lambda: told.append("workspaces"))
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: told.append("cache"))
    release_freed_memory(torch.device("cpu"))
    assert told == []
    release_freed_memory(torch.device("cuda", 0))
    assert told == ["workspaces", "cache"], "what is freed first goes back too"
