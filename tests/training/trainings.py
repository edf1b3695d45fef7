"""Small real trainings for tests: a thin WRN-10 on some of the digits, here or in a process of its own.

    python -m tests.training.trainings JOB.json

runs one: JOB holds `config`, `restore` (a checkpoint or null) and `folder`, into which go `after-EPOCH.pt`
for every epoch run and `metrics.json`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.images.prepared_data import prepare
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.training_loop import Training

# Crops and flips too, so that every kind of draw takes part.
DIGITS = DatasetSettings(name="digits", train_images=200, validation=100, augmentation="flip_crop")
NAMES_OF_MEASUREMENTS = (
    *("seconds", "images_per_second", "memory_bytes"),
    *("inference_ms", "inference_ms_64", "energy_kwh"),
)


def config_of(**changes: Any) -> TrialConfig:
    """Four epochs of six steps, with dropout, augmentation and a lower learning rate in each later epoch."""
    values: dict[str, Any] = {
        "depth": 10,
        "widen_factor": 0.5,
        "deepening_factor": 2,
        "block": "B(3,3)",
        "dropout": 0.3,
        "init": "fan_in",
        "epochs": 4,
        "batch_size": 32,
        "learning_rate": 0.1,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "weight_decay_on": "all",
        "lr_schedule": "step",
        "lr_drops": (0.5, 0.75),
        "lr_drop_factor": 0.2,
        "precision": "fp32",
        "compile": "off",
        "dataset": DIGITS,
        "seed": 0,
    }
    return TrialConfig(**{**values, **changes})


def new_training(config: TrialConfig, **arguments: Any) -> Training:
    """A training on the data that its config names."""
    return Training(config, prepare(config.dataset), **arguments)


def run_to_the_end(training: Training) -> list[EpochMetrics]:
    """All epochs that are left."""
    return [training.run_epoch() for _ in range(training.epoch, training.config.epochs)]


def learned(metrics: EpochMetrics) -> dict[str, float]:
    """What an epoch measured of the network; times and memory are of the machine."""
    return {name: value for name, value in vars(metrics).items() if name not in NAMES_OF_MEASUREMENTS}


def state_of(training: Training, folder: Path) -> dict[str, Any]:
    """All that a checkpoint of it holds."""
    training.save(folder / "state.pt")
    content: dict[str, Any] = torch.load(folder / "state.pt", weights_only=True)
    return content


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Where two nested states differ in as much as a bit; what was measured of the machine may differ."""
    if isinstance(one, torch.Tensor):
        same = isinstance(other, torch.Tensor) and one.dtype == other.dtype and torch.equal(one, other)
        return [] if same else [where]
    if isinstance(one, dict):
        if not isinstance(other, dict) or one.keys() != other.keys():
            return [where]
        return [
            text
            for key in one.keys() - set(NAMES_OF_MEASUREMENTS)
            for text in differences(one[key], other[key], f"{where}/{key}")
        ]
    if isinstance(one, list):
        if not isinstance(other, list) or len(one) != len(other):
            return [where]
        return [text for i, item in enumerate(one) for text in differences(item, other[i], f"{where}/{i}")]
    return [] if type(one) is type(other) and one == other else [where]


def run_in_new_process(
    config: TrialConfig, folder: Path, restore: Path | None = None
) -> list[dict[str, float]]:
    """Runs a training to its end in a new process: checkpoints go to `folder`, what it learned comes back."""
    folder.mkdir()
    job = {"config": config.to_dict(), "restore": restore and str(restore), "folder": str(folder)}
    (folder / "job.json").write_text(json.dumps(job))
    subprocess.run(
        [sys.executable, "-m", "tests.training.trainings", str(folder / "job.json")],
        check=True,
        cwd=Path(__file__).parents[2],
    )
    learned_epochs: list[dict[str, float]] = json.loads((folder / "metrics.json").read_text())
    return learned_epochs


def main(job_file: str) -> None:
    """The process that `run_in_new_process` starts."""
    job = json.loads(Path(job_file).read_text())
    folder = Path(job["folder"])
    training = new_training(TrialConfig.from_dict(job["config"]))
    if job["restore"]:
        training.restore(Path(job["restore"]))
    epochs = []
    while training.epoch < training.config.epochs:
        epochs.append(learned(training.run_epoch()))
        training.save(folder / f"after-{training.epoch}.pt")
    (folder / "metrics.json").write_text(json.dumps(epochs))


if __name__ == "__main__":
    main(sys.argv[1])
