"""Checkpoints written while the training goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.trainings import config_of, differences, learned, new_training, run_to_the_end
from wrn_search.training.checkpoints import background_writer
from wrn_search.training.checkpoints.background_writer import BackgroundWriter, copied_state
from wrn_search.training.checkpoints.checkpoint_file import load_checkpoint, partial_path, save_checkpoint


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Writes wait for it: what the training does meanwhile comes before they read their copies."""
    gate = threading.Event()

    def save(path: Path, state: dict[str, Any], is_wanted: Callable[[], bool]) -> None:
        assert gate.wait(60)
        save_checkpoint(path, state, is_wanted)

    monkeypatch.setattr(background_writer, "save_checkpoint", save)
    return gate


def test_what_is_written_is_the_state_before_the_next_step(tmp_path: Path, held: threading.Event) -> None:
    training = new_training(config_of())
    training.run_epoch()
    training.save(tmp_path / "then.pt")
    writer = BackgroundWriter(tmp_path / "trial.pt")
    writer.begin(training.state())
    training.run_epoch()
    held.set()
    writer.wait()
    written = load_checkpoint(tmp_path / "trial.pt")
    assert differences(written, load_checkpoint(tmp_path / "then.pt")) == []
    assert differences(written, training.state()) != []


def test_a_training_goes_on_from_what_was_written_to_the_same_bits(
    tmp_path: Path, held: threading.Event
) -> None:
    training = new_training(config_of())
    training.run_epoch()
    writer = BackgroundWriter(tmp_path / "trial.pt")
    writer.begin(training.state())
    straight = [learned(metrics) for metrics in run_to_the_end(training)]
    held.set()
    writer.wait()
    resumed = new_training(config_of(seed=0))
    resumed.restore(tmp_path / "trial.pt")
    assert [learned(metrics) for metrics in run_to_the_end(resumed)] == straight


def test_one_is_written_at_a_time_and_the_last_one_stays(tmp_path: Path) -> None:
    writer = BackgroundWriter(tmp_path / "trial.pt")
    for number in range(5):
        writer.begin({"number": number, "weights": torch.full((10_000,), float(number))})
    writer.wait()
    assert load_checkpoint(tmp_path / "trial.pt")["number"] == 4
    assert [path.name for path in tmp_path.iterdir()] == ["trial.pt"]


def test_an_error_is_told_once_and_the_next_write_may_succeed(tmp_path: Path) -> None:
    partial = partial_path(tmp_path / "trial.pt")
    partial.symlink_to("/dev/full")
    writer = BackgroundWriter(tmp_path / "trial.pt")
    writer.begin({"weights": torch.zeros(100_000)})
    with pytest.raises(OSError, match="No space left on device"):
        writer.wait()
    writer.wait()
    writer.begin({"number": 1})
    writer.wait()
    assert load_checkpoint(tmp_path / "trial.pt") == {"number": 1}


def test_what_is_abandoned_does_not_take_the_place_of_the_file(tmp_path: Path, held: threading.Event) -> None:
    save_checkpoint(tmp_path / "trial.pt", {"number": 1})
    writer = BackgroundWriter(tmp_path / "trial.pt")
    writer.begin({"number": 2})
    threading.Timer(0.05, held.set).start()
    writer.abandon()
    assert load_checkpoint(tmp_path / "trial.pt") == {"number": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["trial.pt"]


def test_copies_share_no_memory_and_keep_the_layout() -> None:
    weights = torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last)
    state = {
        "network": {"w": weights},
        "history": [{"epoch": 1}],
        "betas": (0.1, torch.ones(2)),
        "none": None,
    }
    copied = copied_state(state)
    assert differences(copied["network"], state["network"]) == []
    assert copied["network"]["w"].data_ptr() != weights.data_ptr()
    assert copied["network"]["w"].stride() == weights.stride()
    state["history"][0]["epoch"] = 2  # type: ignore[index]
    assert (copied["history"], copied["none"], type(copied["betas"])) == ([{"epoch": 1}], None, tuple)
