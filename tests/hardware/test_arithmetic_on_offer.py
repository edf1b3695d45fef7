"""What a machine says that it can compute with: its CPU's flags, its compilers, the GPUs that torch sees."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from wrn_search.hardware import arithmetic_on_offer
from wrn_search.hardware.arithmetic_on_offer import arithmetic_here, gpus_are_simulated


@pytest.mark.parametrize(
    ("flags", "fast"), [("fpu avx512_bf16 aes", True), ("fpu amx_bf16", True), ("fpu avx2 aes", False)]
)
def test_a_cpu_is_fast_at_bf16_by_its_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, fast: bool
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(arithmetic_on_offer, "CPU_INFO", tmp_path / "cpuinfo")
    assert arithmetic_here().fast_bf16 is fast


def test_a_machine_without_cpuinfo_is_not_fast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arithmetic_on_offer, "CPU_INFO", tmp_path / "nothing")
    assert not arithmetic_here().fast_bf16


@pytest.mark.parametrize("compiler", ["g++", "clang++", "icpx"])
def test_a_compiler_is_found_where_torch_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiler: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", "icpx")
    assert not arithmetic_here().compiler
    (tmp_path / compiler).write_text("#!/bin/sh\n")
    (tmp_path / compiler).chmod(0o755)
    assert arithmetic_here().compiler


def test_gpus_are_looked_for_in_a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is a driver, or a sign of one, torch is asked; Ray may have hidden the GPUs from this process."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(arithmetic_on_offer, "has_nvidia_driver", lambda: True)
    seen = arithmetic_here().cuda_capabilities
    assert seen is not None
    if not torch.cuda.is_available():
        assert seen == ()


@pytest.mark.parametrize(("value", "simulated"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_gpus_are_simulated_when_that_is_declared(
    monkeypatch: pytest.MonkeyPatch, value: str, simulated: bool
) -> None:
    monkeypatch.setenv("WRN_SEARCH_SIMULATED_GPUS", value)
    assert gpus_are_simulated() is simulated
    monkeypatch.delenv("WRN_SEARCH_SIMULATED_GPUS")
    assert not gpus_are_simulated()
