"""The one value that a training hands out: what an epoch measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EpochMetrics:
    """What one epoch of one trial measured; errors in percent, times in seconds, memory in bytes."""

    epoch: int  # completed epochs, from 1
    learning_rate: float  # of its first step
    train_loss: float  # mean cross-entropy over the epoch's augmented batches
    train_error: float
    val_loss: float | None  # both None where no image is held out: a confirmation trains on all of them
    val_error: float | None
    seconds: float  # wall seconds of training, data path included, validation not
    images_per_second: float  # training images over `seconds`
    memory_bytes: int  # high-water mark of the trial so far: CUDA reserved, else resident
    # of the moving average of the weights, percent; None without one, or where no image is held out
    ema_val_error: float | None = None
    # what objectives ask for, else None. Milliseconds of a forward pass of 1 image and of 64, with the first epoch
    inference_ms: float | None = None
    inference_ms_64: float | None = None
    energy_kwh: float | None = None  # of training and validating, idle power included
