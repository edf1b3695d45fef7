"""Today's recipes in whole trainings: they learn, and go on from a checkpoint to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.training.trainings import (
    config_of,
    differences,
    learned,
    new_training,
    run_in_new_process,
    run_to_the_end,
    state_of,
)
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.training.checkpoints.checkpoint_file import load_checkpoint
from wrn_search.training.learning_rate import learning_rate_at

EVERYTHING: dict[str, Any] = {
    "optimizer": "adamw",
    "learning_rate": 0.003,
    "lr_schedule": "wsd",
    "lr_cooldown": 0.5,
    "lr_by": "step",
    "warmup_epochs": 1,
    "clip_norm": 1.0,
    "ema": 0.9,
    "sam": 0.05,
    "gradient_accumulation": 2,
}
MIXED: dict[str, Any] = {
    "label_smoothing": 0.1,
    "mixup": 0.2,
    "cutmix": 1.0,
    "cutout": 3,
    "class_weights": "balanced",
}
HALF: dict[str, Any] = {"precision": "fp16", "linear_precision": "fp32"}
RECIPES: dict[str, dict[str, Any]] = {
    "adamw": {"optimizer": "adamw", "learning_rate": 0.003, "momentum_at_drops": "restart"},
    "classical momentum": {"nesterov": False},
    "onecycle by step": {"lr_schedule": "onecycle", "lr_by": "step"},
    "linear after a warm-up": {"lr_schedule": "linear", "warmup_epochs": 2},
    "clipped": {"clip_norm": 0.5},
    "averaged": {"ema": 0.9},
    "sharpness-aware": {"sam": 0.1},
    "accumulated": {"gradient_accumulation": 4, "last_batch": "keep"},
    "everything": EVERYTHING,
    "everything, mixed and smoothed": EVERYTHING | MIXED,
    "everything, mixed, in half precision": EVERYTHING | MIXED | HALF,
    "half precision, clipped": HALF | {"clip_norm": 0.5},
}


@pytest.mark.parametrize("changes", RECIPES.values(), ids=RECIPES)
def test_saving_and_restoring_changes_no_bit(changes: dict[str, Any], tmp_path: Path) -> None:
    config = config_of(**changes)
    training = new_training(config)
    run_to_the_end(training)
    end = state_of(training, tmp_path)
    interrupted = new_training(config)
    interrupted.run_epoch()
    interrupted.run_epoch()
    interrupted.save(tmp_path / "after-2.pt")
    another = new_training(config)
    another.restore(tmp_path / "after-2.pt")
    run_to_the_end(another)

    assert differences(state_of(another, tmp_path), end) == []
    plain = new_training(config_of())
    run_to_the_end(plain)
    assert training.history[-1].train_loss != plain.history[-1].train_loss or changes == {"ema": 0.9}


def test_a_new_process_goes_on_from_a_checkpoint_of_everything(tmp_path: Path) -> None:
    config = config_of(**EVERYTHING, **MIXED)
    here = new_training(config)
    here.run_epoch()
    here.save(tmp_path / "after-1.pt")
    run_to_the_end(here)
    here.save(tmp_path / "end.pt")

    continued = run_in_new_process(config, tmp_path / "run", restore=tmp_path / "after-1.pt")

    assert continued == [learned(metrics) for metrics in here.history[1:]]
    theirs = load_checkpoint(tmp_path / "run" / "after-4.pt")
    assert differences(theirs, load_checkpoint(tmp_path / "end.pt")) == []
    assert set(theirs["averaged"]) == {"steps", "values"}
    assert {"exp_avg", "exp_avg_sq", "step"} == set(theirs["optimiser"]["state"][0])


def test_it_learns_the_digits_with_everything() -> None:
    changes = EVERYTHING | {"batch_size": 64, "widen_factor": 1, "dropout": 0.0, "learning_rate": 0.01}
    training = new_training(config_of(**changes, dataset=DatasetSettings(name="digits")))
    epochs = run_to_the_end(training)

    assert epochs[-1].val_error < 20  # guessing: 90
    assert epochs[-1].ema_val_error is not None
    assert epochs[-1].ema_val_error < 30


def test_rates_by_step_are_those_of_the_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    """And an epoch tells that of its first step."""
    config = config_of(lr_schedule="cosine", lr_by="step", warmup_epochs=1, epochs=3)
    training = new_training(config)
    seen: list[float] = []
    take = training._step.take
    monkeypatch.setattr(
        training._step,
        "take",
        lambda *batch: seen.append(training.optimiser.param_groups[0]["lr"]) or take(*batch),
    )
    epochs = run_to_the_end(training)

    expected = [learning_rate_at(epoch, config, step, 6) for epoch in (1, 2, 3) for step in range(6)]
    assert seen == expected
    assert len(set(seen)) == 18
    assert [each.learning_rate for each in epochs] == expected[::6]
