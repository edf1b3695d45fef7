"""The columns of the result tables: name, type, unit and meaning of each, one type for ever."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

SCHEMA_VERSION = 2
VERSION_KEY = b"wrn_search.schema_version"

_TEXT = pa.string()
_COUNT = pa.int64()
_REAL = pa.float64()
_FLAG = pa.bool_()
_TIME = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Column:
    """One column; `type` is its pyarrow type. Any column may hold nulls."""

    name: str
    type: pa.DataType
    unit: str  # empty where there is none
    meaning: str


TRIALS_COLUMNS = (
    Column("search", _TEXT, "", "name of the search"),
    Column("trial_id", _TEXT, "", "the trial's key, shared with the epochs table"),
    Column("number", _COUNT, "", "row number of the trial, from 0"),
    Column(
        "status", _TEXT, "", "running, completed, stopped (by the scheduler), diverged, failed or interrupted"
    ),
    Column("depth", _COUNT, "convolutional layers", "n of WRN-n-k"),
    Column("widen_factor", _REAL, "", "k of WRN-n-k"),
    Column("deepening_factor", _COUNT, "convolutions", "l, the convolutions of one block"),
    Column("block", _TEXT, "", "kernel sizes of one block, such as B(3,3)"),
    Column("dropout", _REAL, "probability", "dropout between the convolutions of a block"),
    Column("init", _TEXT, "", "fan_in or fan_out"),
    Column("epochs", _COUNT, "epochs", "length of the full schedule"),
    Column("batch_size", _COUNT, "images", "images of one optimiser step"),
    Column("learning_rate", _REAL, "", "at the start of the schedule"),
    Column("momentum", _REAL, "", "Nesterov momentum"),
    Column("weight_decay", _REAL, "", "L2 penalty"),
    Column("weight_decay_on", _TEXT, "", "all parameters, or weights without biases and batch norms"),
    Column("lr_schedule", _TEXT, "", "step or cosine"),
    Column("lr_drops", pa.list_(_REAL), "fraction of epochs", "where the step schedule drops"),
    Column("lr_drop_factor", _REAL, "", "what a drop multiplies the learning rate by"),
    Column("precision", _TEXT, "", "fp32 or bf16, as resolved"),
    Column("compile", _TEXT, "", "on or off, as resolved"),
    Column("dataset", _TEXT, "", "name of the data set"),
    Column("seed", _COUNT, "", "seed of the trial"),
    Column("repeat", _COUNT, "", "index of the seed within its configuration, from 0"),
    Column("num_params", _COUNT, "parameters", "trainable parameters of the network"),
    Column("macs", _COUNT, "multiply-adds", "of one image's forward pass"),
    Column("epochs_done", _COUNT, "epochs", "completed epochs = rows of the trial in the epochs table"),
    Column("val_error", _REAL, "percent", "validation error at the last completed epoch"),
    Column("best_val_error", _REAL, "percent", "lowest validation error of any completed epoch"),
    Column("val_loss", _REAL, "nats", "validation cross-entropy at the last completed epoch"),
    Column("train_error", _REAL, "percent", "training error of the last completed epoch, augmented images"),
    Column("train_loss", _REAL, "nats", "training cross-entropy of the last completed epoch"),
    Column("test_error", _REAL, "percent", "test error; null in a search, which opens no test split"),
    Column("train_seconds", _REAL, "seconds", "wall time of training, data path included, validation not"),
    Column("images_per_second", _REAL, "images/second", "training images over train_seconds"),
    Column("peak_memory_bytes", _COUNT, "bytes", "high-water mark: CUDA reserved, CPU resident"),
    Column("gpu_fraction", _REAL, "GPUs", "share of a GPU that the trial was given"),
    Column("threads", _COUNT, "threads", "CPU threads that the trial was given"),
    Column("device", _TEXT, "", "device that the trial ran on"),
    Column("node", _TEXT, "", "machine that the trial ran on"),
    Column("error", _TEXT, "", "why the trial diverged, failed or was interrupted"),
    Column("started_at", _TIME, "", "first start of the trial"),
    Column("finished_at", _TIME, "", "end of the trial; null while it runs"),
    # since version 2
    Column(
        "configuration", _COUNT, "", "index of the hyperparameters in their search, shared by their repeats"
    ),
    Column("retries", _COUNT, "", "tries after the first, on faults that passed"),
    Column("rung", _COUNT, "epochs", "epoch at which the scheduler stopped the trial; null if it did not"),
    Column("anchor", _FLAG, "", "drawn at random before any result, and never stopped"),
    Column(
        "seconds_alone",
        _REAL,
        "seconds",
        "of train_seconds, those of epochs during which no other trial shared the trial's device",
    ),
)

EPOCHS_COLUMNS = (
    Column("search", _TEXT, "", "name of the search"),
    Column("trial_id", _TEXT, "", "the trial's key, shared with the trials table"),
    Column("epoch", _COUNT, "epochs", "completed epochs, from 1"),
    Column("learning_rate", _REAL, "", "of this epoch"),
    Column("train_loss", _REAL, "nats", "mean cross-entropy over the epoch's augmented batches"),
    Column("train_error", _REAL, "percent", "over the epoch's augmented batches"),
    Column("val_loss", _REAL, "nats", "mean cross-entropy over the validation split"),
    Column("val_error", _REAL, "percent", "over the validation split"),
    Column("seconds", _REAL, "seconds", "wall time of training, data path included, validation not"),
    Column("images_per_second", _REAL, "images/second", "training images over seconds"),
    Column(
        "memory_bytes", _COUNT, "bytes", "high-water mark of the trial so far: CUDA reserved, CPU resident"
    ),
    Column("reported_at", _TIME, "", "when the epoch was recorded"),
)


def _schema(columns: tuple[Column, ...]) -> pa.Schema:
    fields = [
        pa.field(column.name, column.type, metadata={"unit": column.unit, "description": column.meaning})
        for column in columns
    ]
    return pa.schema(fields, metadata={VERSION_KEY: str(SCHEMA_VERSION).encode()})


TRIALS_SCHEMA = _schema(TRIALS_COLUMNS)
EPOCHS_SCHEMA = _schema(EPOCHS_COLUMNS)
