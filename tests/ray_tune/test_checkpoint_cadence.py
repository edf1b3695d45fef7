"""When checkpoints are written, and what a kill between two of them costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ray_tune.test_trainable import EPOCHS, assignment_of, epochs_of, trainable_of
from tests.training.trainings import config_of, new_training
from wrn_search.ray_tune.checkpoint_cadence import (
    SECONDS,
    Checkpoints,
    StorageError,
    driver_cannot_write,
    seconds_between_checkpoints,
)
from wrn_search.training.checkpoints.checkpoint_file import load_checkpoint, partial_path
from wrn_search.training.training_loop import Training


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class _Noted:
    """A training in name only; where it is saved is noted, and whether copies were taken."""

    def __init__(self, epochs: int = 1000):
        self.epoch, self.config = 0, type("Config", (), {"epochs": epochs})()
        self.saved: list[int] = []

    def state(self) -> dict[str, Any]:
        return {"epoch": self.epoch}

    def save(self, path: Path) -> None:
        self.saved.append(self.epoch)


def _play(checkpoints: Checkpoints, clock: _Clock, path: Path, epochs: int, seconds: float) -> list[int]:
    """The epoch of the file after each of so many epochs of so many seconds; 0 while there is none."""
    training, seen = _Noted(), []
    for epoch in range(1, epochs + 1):
        clock.now += seconds
        training.epoch = epoch
        checkpoints.after_epoch(training)  # type: ignore[arg-type]
        if checkpoints._writer is not None:
            checkpoints._writer.wait()
        seen.append(load_checkpoint(path)["epoch"] if path.exists() else 0)
    return seen


def test_between_rungs_one_is_written_each_minute(tmp_path: Path) -> None:
    clock, path = _Clock(), tmp_path / "trial.pt"
    seen = _play(Checkpoints(path, (), 60.0, clock), clock, path, epochs=13, seconds=15.0)
    assert seen == [0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12]


def test_epochs_longer_than_a_minute_are_all_written(tmp_path: Path) -> None:
    clock, path = _Clock(), tmp_path / "trial.pt"
    assert _play(Checkpoints(path, (), 60.0, clock), clock, path, 3, 61.0) == [1, 2, 3]


def test_at_rungs_and_at_the_end_it_is_there_before_the_report(tmp_path: Path) -> None:
    clock, training = _Clock(), _Noted(epochs=10)
    checkpoints = Checkpoints(tmp_path / "trial.pt", (3, 6), 60.0, clock)
    for epoch in range(1, 11):
        training.epoch = epoch
        checkpoints.after_epoch(training)  # type: ignore[arg-type]
    assert training.saved == [3, 6, 10]


def test_a_kill_between_checkpoints_costs_time_and_no_bit(tmp_path: Path) -> None:
    """Nothing lies on the disk after two epochs: they are trained and told again, and so is what follows."""
    minutes = assignment_of(tmp_path / "trial.pt") | {"checkpoint_seconds": 60.0, "rungs": (3,)}
    trainable = trainable_of(minutes)
    first = epochs_of(trainable, 2)
    assert not (tmp_path / "trial.pt").exists()
    resumed = trainable_of(minutes | {"epochs_done": 2})
    told = epochs_of(resumed, 3)
    assert told[:2] == first
    assert load_checkpoint(tmp_path / "trial.pt")["history"][-1]["epoch"] == 3
    again = trainable_of(minutes | {"epochs_done": 3})
    assert epochs_of(again, EPOCHS - 3) == epochs_of(trainable, EPOCHS - 2)[1:]


def test_a_trial_that_rests_keeps_what_it_has(tmp_path: Path) -> None:
    trainable = trainable_of(assignment_of(tmp_path / "trial.pt") | {"checkpoint_seconds": 60.0})
    epochs_of(trainable, 2)
    trainable.keep_checkpoint()
    assert len(load_checkpoint(tmp_path / "trial.pt")["history"]) == 2
    partial_path(tmp_path / "trial.pt").symlink_to("/dev/full")
    epochs_of(trainable, 1)
    trainable.keep_checkpoint()  # a full disk: what was there stays, and nobody is there to be told
    assert len(load_checkpoint(tmp_path / "trial.pt")["history"]) == 2


def test_an_error_in_the_background_ends_the_trial_for_want_of_storage(tmp_path: Path) -> None:
    clock, training = _Clock(), new_training(config_of())
    checkpoints = Checkpoints(tmp_path / "trial.pt", (), 1.0, clock)
    partial_path(tmp_path / "trial.pt").symlink_to("/dev/full")
    training.run_epoch()
    clock.now += 2.0
    checkpoints.after_epoch(training)
    clock.now += 2.0
    with pytest.raises(StorageError, match="could not be written: No space left on device"):
        checkpoints.after_epoch(training)


def test_the_process_leaves_no_write_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next trial of the process begins when the file of the one before changes no more."""
    trainable = trainable_of(assignment_of(tmp_path / "trial.pt") | {"checkpoint_seconds": 1e-9})
    epochs_of(trainable, 2)
    trainable.cleanup()
    before = sorted(path.name for path in tmp_path.iterdir())
    assert before in ([], ["trial.pt"])
    saved: list[Path] = []
    monkeypatch.setattr(Training, "save", lambda self, path: saved.append(path))
    trainable.keep_checkpoint()
    assert saved == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, 60.0), ("", 60.0), ("0", 0.0), ("5.5", 5.5), ("-1", 60.0), ("x", 60.0), ("nan", 60.0)],
)
def test_the_seconds_are_a_variable(
    monkeypatch: pytest.MonkeyPatch, value: str | None, seconds: float
) -> None:
    monkeypatch.delenv(SECONDS, raising=False)
    if value is not None:
        monkeypatch.setenv(SECONDS, value)
    assert seconds_between_checkpoints() == seconds


def test_whether_the_driver_can_write_is_asked_with_the_size_of_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few checkpoints lie there now that not every epoch leaves one: none of them may be as large."""
    asked: list[int] = []
    monkeypatch.setattr(
        "wrn_search.ray_tune.checkpoint_cadence.writing_error", lambda folder, size: asked.append(size)
    )
    (tmp_path / "small.pt").write_bytes(b"x" * 100)
    driver_cannot_write(tmp_path)
    driver_cannot_write(tmp_path, num_params=36_500_000)
    assert asked[0] < 2 << 20
    assert asked[1] > 292_000_000
