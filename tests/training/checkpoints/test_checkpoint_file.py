"""Checkpoints: whole or not at all on disk, and never anything else than what was saved when read."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.trainings import differences
from wrn_search.training.checkpoints import checkpoint_file
from wrn_search.training.checkpoints.checkpoint_file import CheckpointError, load_checkpoint, save_checkpoint


@pytest.fixture
def state() -> dict[str, Any]:
    weights = torch.arange(600, dtype=torch.float32).reshape(2, 3, 10, 10)
    return {
        "weights": weights.contiguous(memory_format=torch.channels_last),
        "momentum": [None, weights + 0.5],
        "random": torch.get_rng_state(),
        "config": {"depth": 10, "lr_drops": [0.3, 0.6], "root": None},
    }


@pytest.fixture
def saved(state: dict[str, Any], tmp_path: Path) -> Path:
    save_checkpoint(tmp_path / "trial.pt", state)
    return tmp_path / "trial.pt"


def test_what_was_saved_is_read(state: dict[str, Any], saved: Path) -> None:
    loaded = load_checkpoint(saved)

    assert differences(loaded, state) == []
    assert loaded["weights"].is_contiguous(memory_format=torch.channels_last)
    assert list(saved.parent.iterdir()) == [saved]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"trial\.pt: no such checkpoint"):
        load_checkpoint(tmp_path / "trial.pt")


def test_a_file_cut_anywhere_is_refused(saved: Path) -> None:
    whole = saved.read_bytes()
    for length in range(0, len(whole), 97):
        saved.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"trial\.pt: damaged"):
            load_checkpoint(saved)


def test_a_changed_byte_is_refused_or_changes_nothing(state: dict[str, Any], saved: Path) -> None:
    whole = saved.read_bytes()
    refused = 0
    positions = range(0, len(whole), 41)
    for position in positions:
        changed = bytearray(whole)
        changed[position] ^= 0x40
        saved.write_bytes(changed)
        try:
            assert differences(load_checkpoint(saved), state) == [], position
        except CheckpointError:
            refused += 1
    # The rest lies in the padding between the parts of the archive, and in dates.
    assert refused > len(positions) / 2


class Code:
    """Runs code when it is unpickled, as a hostile file would."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("hacked",))


def test_nothing_in_a_file_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state": Code()}, "zip.pt")
    Path("pickle.pt").write_bytes(pickle.dumps(Code()))

    for name in ("zip.pt", "pickle.pt"):
        with pytest.raises(CheckpointError, match=f"{name}: damaged or foreign checkpoint"):
            load_checkpoint(Path(name))
    assert not Path("hacked").exists()


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "trial.pt"
    torch.save({"epoch": 3}, path)
    with pytest.raises(CheckpointError, match="must be a checkpoint of a trial, but holds something else"):
        load_checkpoint(path)

    torch.save(torch.zeros(3), path)
    with pytest.raises(CheckpointError, match="must be a checkpoint of a trial, but holds something else"):
        load_checkpoint(path)

    path.write_text("no checkpoint at all")
    with pytest.raises(CheckpointError, match="damaged or foreign"):
        load_checkpoint(path)

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(CheckpointError, match="damaged or foreign"):
        load_checkpoint(path)


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_file, "_VERSION", 7)
    save_checkpoint(tmp_path / "trial.pt", {})
    monkeypatch.undo()

    with pytest.raises(CheckpointError, match="must be of checkpoint version 2, but is 7"):
        load_checkpoint(tmp_path / "trial.pt")


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """As a full disk: writing beyond `size` bytes of a file fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_old_checkpoint(state: dict[str, Any], saved: Path) -> None:
    with files_limited_to(4096), pytest.raises((OSError, RuntimeError)):
        save_checkpoint(saved, {"large": torch.zeros(100_000)})

    assert differences(load_checkpoint(saved), state) == []
    assert list(saved.parent.iterdir()) == [saved]


SAVES_FOR_EVER = """
import sys, torch
from pathlib import Path
from wrn_search.training.checkpoints.checkpoint_file import save_checkpoint
number = 0
while True:
    save_checkpoint(Path(sys.argv[1]), {"number": number, "weights": torch.full((500_000,), float(number))})
    number += 1
"""


def test_a_kill_at_any_moment_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "trial.pt"
    process = subprocess.Popen([sys.executable, "-c", SAVES_FOR_EVER, str(path)])
    try:
        deadline = time.monotonic() + 60
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        for _ in range(20):
            os.kill(process.pid, signal.SIGSTOP)  # what is on disk now is what a kill would leave
            loaded = load_checkpoint(path)
            assert (loaded["weights"] == loaded["number"]).all()
            os.kill(process.pid, signal.SIGCONT)
            time.sleep(0.013)
    finally:
        process.kill()
        process.wait()

    assert load_checkpoint(path)["number"] > 0
