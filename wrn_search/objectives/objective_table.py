"""What a search can minimise (`objectives`), a line each: the space file's names and rules come from here."""

from __future__ import annotations

from dataclasses import dataclass

VAL_ERROR = "val_error"


@dataclass(frozen=True)
class Objective:
    """One line of the table; lower is better."""

    unit: str
    title: str  # of an axis
    # A measured time: that of a trial which shares its device with others is not its own.
    timed: bool = False


OBJECTIVE_TABLE: dict[str, Objective] = {
    VAL_ERROR: Objective("%", "validation error (%)"),
    "num_params": Objective("parameters", "parameters"),
    "macs": Objective("multiply-adds", "multiply-adds an image"),
    "seconds_per_epoch": Objective("seconds", "measured seconds an epoch", timed=True),
}

# Names that somebody may expect, and why there is no such objective.
NOT_RECORDED: dict[str, str] = {
    "energy_kwh": "no trial's energy is recorded: it needs the counter of a GPU (NVML) that one trial has alone",
    "inference_ms": "the time of a forward pass alone is not recorded yet: write macs",
    "train_seconds": "a trial that was stopped early has trained for less: write seconds_per_epoch",
    "images_per_second": "more is better, and objectives are minimised: write seconds_per_epoch",
    "train_error": "a network that has learned its images by heart is none that is wanted: write val_error",
    "test_error": "a search never opens the test split: write val_error",
}
