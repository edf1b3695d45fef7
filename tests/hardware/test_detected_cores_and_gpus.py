"""How many cores a process may use: affinity and the quotas of made-up control groups, as the kernel writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wrn_search.hardware import control_groups
from wrn_search.hardware.detected_cores_and_gpus import usable_cores

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
ONE, MANY = "100000", str(100_000 * 1000)


def _machine(folder: Path, patch: pytest.MonkeyPatch, own: str, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / "cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup" / name).write_text(content + "\n")
    (folder / "own").write_text(own)
    patch.setattr(control_groups, "CGROUPS", folder / "cgroup")
    patch.setattr(control_groups, "OWN_CGROUPS", folder / "own")


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("0::/\n", {"cpu.max": "max 100000"}, CORES),
        ("0::/\n", {"cpu.max": "50000 100000"}, 1),
        ("0::/\n", {"cpu.max": "100000 100000"}, 1),
        ("0::/\n", {"cpu.max": f"{MANY} 100000"}, CORES),
        ("0::/a/b\n", {"cpu.max": "max 100000", "a/cpu.max": "50000 100000", "a/b/cpu.max": "max 100000"}, 1),
        ("4:cpu,cpuacct:/docker/x\n", {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": ONE}, 1),
        ("4:cpu:/\n", {"cpu,cpuacct/cpu.cfs_quota_us": "50000", "cpu,cpuacct/cpu.cfs_period_us": ONE}, 1),
        ("4:cpu:/a\n", {"cpu/a/cpu.cfs_quota_us": "150000", "cpu/a/cpu.cfs_period_us": ONE}, 1),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": ONE}, CORES),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": MANY, "cpu/cpu.cfs_period_us": ONE}, CORES),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "nonsense", "cpu/cpu.cfs_period_us": ONE}, CORES),
        ("nonsense", {}, CORES),
    ],
)
def test_a_quota_cuts_the_cores_and_leaves_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, files: dict[str, str], cores: int
) -> None:
    _machine(tmp_path, monkeypatch, own, files)
    assert usable_cores() == cores


def test_without_control_groups_all_cores_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_groups, "CGROUPS", tmp_path / "none")
    monkeypatch.setattr(control_groups, "OWN_CGROUPS", tmp_path / "none" / "own")
    assert usable_cores() == CORES
