"""What a search can minimise (`objectives`), a line each: the space file's names and rules come from here."""

from __future__ import annotations

from dataclasses import dataclass

VAL_ERROR = "val_error"


@dataclass(frozen=True)
class Objective:
    """One line of the table; lower is better."""

    unit: str
    title: str  # of an axis
    # Measured while a trial trains, so nobody knows it before.
    measured: bool = False
    # Of the training itself: that of a trial which shares its device with others is not its own.
    needs_device: bool = False


OBJECTIVE_TABLE: dict[str, Objective] = {
    VAL_ERROR: Objective("%", "validation error (%)"),
    "num_params": Objective("parameters", "parameters"),
    "macs": Objective("multiply-adds", "multiply-adds an image"),
    "seconds_per_epoch": Objective("seconds", "measured seconds an epoch", measured=True, needs_device=True),
    "inference_ms": Objective("ms", "milliseconds of a forward pass of 1 image", measured=True),
    "inference_ms_64": Objective("ms", "milliseconds of a forward pass of 64 images", measured=True),
    "energy_kwh": Objective("kWh", "energy of a full training (kWh)", measured=True, needs_device=True),
}

# The objectives that are a time of forward passes: images of each.
INFERENCE_IMAGES: dict[str, int] = {"inference_ms": 1, "inference_ms_64": 64}
# Those that a trial's process measures because a search asks for them: no other record brings them.
MEASURED_APART = frozenset({*INFERENCE_IMAGES, "energy_kwh"})

# Names that somebody may expect, and why there is no such objective.
NOT_RECORDED: dict[str, str] = {
    "inference_seconds": "forward passes are measured in milliseconds: write inference_ms or inference_ms_64",
    "latency": "it goes by another name: write inference_ms, of 1 image, or inference_ms_64",
    "energy": "it goes by another name: write energy_kwh",
    "train_seconds": "a trial that was stopped early has trained for less: write seconds_per_epoch",
    "images_per_second": "more is better, and objectives are minimised: write seconds_per_epoch",
    "train_error": "a network that has learned its images by heart is none that is wanted: write val_error",
    "test_error": "a search never opens the test split: write val_error",
}
