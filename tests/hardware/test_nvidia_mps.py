"""Whether NVIDIA's multi-process service is on."""

from __future__ import annotations

from pathlib import Path

import pytest

from wrn_search.hardware import nvidia_mps
from wrn_search.hardware.nvidia_mps import mps_state


def _process(proc: Path, number: int, name: str) -> None:
    (proc / str(number)).mkdir(parents=True)
    (proc / str(number) / "comm").write_text(f"{name}\n")


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up /proc with a process, and no pipes."""
    proc = tmp_path / "proc"
    _process(proc, 1, "systemd")
    monkeypatch.setattr(nvidia_mps, "_PROC", proc)
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path / "pipes"))
    return proc


def test_off_without_daemon_and_pipes(proc: Path) -> None:
    assert mps_state() == {"on": False, "pipe_directory": None}


@pytest.mark.parametrize("name", ["nvidia-cuda-mps-control"[:15], "nvidia-cuda-mps-server"[:15]])
def test_on_with_its_daemon(proc: Path, name: str) -> None:
    _process(proc, 77, name)
    assert mps_state() == {"on": True, "pipe_directory": None}


def test_on_where_a_container_shows_the_pipes_alone(proc: Path, tmp_path: Path) -> None:
    (tmp_path / "pipes").mkdir()
    assert not mps_state()["on"]
    (tmp_path / "pipes" / "control").touch()
    assert mps_state() == {"on": True, "pipe_directory": str(tmp_path / "pipes")}


def test_the_default_folder_is_nvidias(proc: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CUDA_MPS_PIPE_DIRECTORY")
    monkeypatch.setattr(nvidia_mps, "_DEFAULT_PIPES", str(tmp_path))
    (tmp_path / "control").touch()
    assert mps_state() == {"on": True, "pipe_directory": str(tmp_path)}
