"""How much memory a process may use: the machine's, and the limits of made-up control groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from wrn_search.hardware import control_groups
from wrn_search.hardware.detected_cores_and_gpus import local_node
from wrn_search.hardware.detected_memory import usable_memory

NO_LIMIT_V1 = 2**63 - 4096  # as the kernel writes it
SMALL, SMALLER = 2**28, 2**27


def _groups(folder: Path, patch: pytest.MonkeyPatch, own: str, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / "cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup" / name).write_text(content + "\n")
    folder.mkdir(exist_ok=True)
    (folder / "own").write_text(own)
    patch.setattr(control_groups, "CGROUPS", folder / "cgroup")
    patch.setattr(control_groups, "OWN_CGROUPS", folder / "own")


@pytest.fixture
def physical(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """What the machine has when no group limits it."""
    with monkeypatch.context() as patch:
        _groups(tmp_path / "none", patch, "0::/\n", {})
        return usable_memory()


def test_the_machine_tells_its_memory(physical: int) -> None:
    assert physical > 2**30
    told = Path("/proc/meminfo")
    if told.exists():
        assert physical == int(told.read_text().split()[1]) * 1024


@pytest.mark.parametrize(
    ("own", "files", "limit"),
    [
        ("0::/\n", {"memory.max": "max"}, None),
        ("0::/\n", {"memory.max": str(SMALL)}, SMALL),
        ("0::/\n", {"memory.max": "max", "memory.high": str(SMALL)}, SMALL),
        ("0::/a/b\n", {"a/memory.max": str(SMALL), "a/b/memory.max": "max"}, SMALL),
        ("0::/a/b\n", {"a/memory.max": str(SMALL), "a/b/memory.max": str(SMALLER)}, SMALLER),
        ("0::/a\n", {"memory.max": str(SMALLER)}, SMALLER),  # a container sees its own group at the top
        ("0::/a\n", {"other/memory.max": str(SMALLER)}, None),
        ("9:memory:/docker/x\n", {"memory/docker/x/memory.limit_in_bytes": str(SMALL)}, SMALL),
        ("9:memory:/docker/x\n", {"memory/memory.limit_in_bytes": str(SMALL)}, SMALL),
        ("9:memory:/\n", {"memory/memory.limit_in_bytes": str(NO_LIMIT_V1)}, None),
        ("0::/\n", {"memory.max": "nonsense"}, None),
    ],
)
def test_a_limit_of_any_group_above_cuts_the_memory(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    physical: int,
    own: str,
    files: dict[str, str],
    limit: int | None,
) -> None:
    _groups(tmp_path, monkeypatch, own, files)
    assert usable_memory() == (limit or physical)
    assert local_node().memory_bytes == usable_memory()
