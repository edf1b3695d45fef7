"""A search of digits for these tests: its trials really trained, some of them stopped after their first epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.training.trainings import config_of
from tests.winner.searches import train_search
from wrn_search.space.dataset_section import DatasetSettings

EPOCHS = 3
DIGITS = DatasetSettings(name="digits", validation=300, augmentation="none")
# Twelve settings in three cells; the others go on to the end.
STOPPED = (1, 3, 5, 7, 9)


def _changes(number: int) -> dict[str, Any]:
    return {
        "depth": (10, 10, 16)[number % 3],
        "widen_factor": (0.25, 0.5, 0.25)[number % 3],
        "dropout": round(0.03 * number, 2),
        "epochs": EPOCHS,
        "lr_drops": (0.7,),
        "dataset": DIGITS,
        "seed": number,
    }


def audited_search(path: Path, trials: int = 12) -> Path:
    """Its results directory; of the trials at `STOPPED` no checkpoint is kept."""
    ends = [
        (config_of(**_changes(number)), 1 if number in STOPPED else EPOCHS, number in STOPPED)
        for number in range(trials)
    ]
    return train_search(
        path,
        trials=[(config, epochs, "stopped" if early else "completed") for config, epochs, early in ends],
    )
