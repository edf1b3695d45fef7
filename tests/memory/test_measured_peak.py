"""The high-water mark of memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from wrn_search.memory import measured_peak
from wrn_search.memory.measured_peak import high_water_mark_bytes, reset_high_water_mark

CPU = torch.device("cpu")
LARGE = 200 * 2**20
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = f"""
import torch
from wrn_search.memory.measured_peak import high_water_mark_bytes, reset_high_water_mark
CPU = torch.device("cpu")
torch.ones(1)
reset_high_water_mark(CPU)
print(high_water_mark_bytes(CPU))
torch.ones({LARGE}, dtype=torch.uint8)  # freed at once
print(high_water_mark_bytes(CPU))
reset_high_water_mark(CPU)
print(high_water_mark_bytes(CPU))
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the mark is reset through Linux's /proc"
)
def test_the_mark_keeps_the_peak_until_it_is_reset() -> None:
    """In a process of its own: what other tests left to be freed would be seen in this one."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=ROOT, check=True
    )
    before, peak, after = map(int, done.stdout.split())

    # Linux counts pages per processor and sums them up late, so the mark is some hundred KB off.
    assert 0.95 * LARGE < peak - before < 1.2 * LARGE
    assert after < peak - 0.8 * LARGE


def test_without_proc_the_mark_is_the_process_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured_peak, "_STATUS", tmp_path / "none" / "status")
    monkeypatch.setattr(measured_peak, "_CLEAR_REFS", tmp_path / "none" / "clear_refs")
    block = torch.ones(LARGE, dtype=torch.uint8)
    reset_high_water_mark(CPU)

    assert high_water_mark_bytes(CPU) > block.numel()
