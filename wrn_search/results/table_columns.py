"""The columns of the result tables: name, type, unit and meaning of each, one type for ever."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

SCHEMA_VERSION = 5
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
    Column("widen_factor", _REAL, "", "k of WRN-n-k; 1 for a thin ResNet"),
    Column("deepening_factor", _COUNT, "convolutions", "l, the convolutions of one block; null but for wrn"),
    Column("block", _TEXT, "", "kernel sizes of one block, such as B(3,3); basic or bottleneck"),
    Column("dropout", _REAL, "probability", "dropout between the convolutions of a block"),
    Column("init", _TEXT, "", "fan_in or fan_out"),
    Column("epochs", _COUNT, "epochs", "length of the full schedule"),
    Column("batch_size", _COUNT, "images", "images of one optimiser step"),
    Column("learning_rate", _REAL, "", "at the start of the schedule"),
    Column("momentum", _REAL, "", "of sgd; Nesterov's unless nesterov is false"),
    Column("weight_decay", _REAL, "", "L2 penalty; with adamw decoupled"),
    Column("weight_decay_on", _TEXT, "", "all parameters, or weights without biases and batch norms"),
    Column("lr_schedule", _TEXT, "", "step, cosine, onecycle, linear or wsd"),
    Column("lr_drops", pa.list_(_REAL), "fraction of epochs", "where the step schedule drops"),
    Column("lr_drop_factor", _REAL, "", "what a drop multiplies the learning rate by"),
    Column("precision", _TEXT, "", "fp32, tf32, bf16 or fp16, as resolved"),
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
    Column(
        "test_error",
        _REAL,
        "percent",
        "test error; null in a search, where protocol test_each alone opens the test split",
    ),
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
    # since version 3
    Column("bn_weight", _TEXT, "", "how batch norm weights begin: one, or uniform in (0, 1)"),
    Column("linear_init", _TEXT, "", "how the linear layer begins: kaiming or uniform"),
    Column("momentum_at_drops", _TEXT, "", "keep or restart, where the learning rate drops"),
    Column("last_batch", _TEXT, "", "drop or keep what is left behind the last whole batch of an epoch"),
    Column("family", _TEXT, "", "wrn, preact_resnet or imagenet_resnet"),
    Column("stochastic_depth", _REAL, "probability", "of leaving out the last block for a batch"),
    # since version 4
    Column("lr_x_wd", _REAL, "", "learning_rate * weight_decay; null where one of them does not apply"),
    Column(
        "init_from", _TEXT, "", "random, or the file whose weights the network began with, and its SHA-256"
    ),
    Column("freeze", _TEXT, "", "groups that stayed as they began, such as stem, group1; or none"),
    Column(
        "test_images_by_class",
        pa.list_(_COUNT),
        "images",
        "of test_error, the images of each class, by label; class names are in manifest.json",
    ),
    Column("test_wrong_by_class", pa.list_(_COUNT), "images", "how many of those got a wrong answer"),
    Column("label_smoothing", _REAL, "share", "of each label, spread over all classes; 0 is off"),
    Column("mixup", _REAL, "", "alpha of the shares in which images are mixed; 0 is off"),
    Column("cutmix", _REAL, "", "alpha of the areas that are another image's; 0 is off"),
    Column("cutout", _COUNT, "pixels", "side of the square that is cut out of an image; 0 is off"),
    Column("class_weights", _TEXT, "", "none, balanced, or [weight, ...] of the classes in their order"),
    Column("optimizer", _TEXT, "", "sgd or adamw"),
    Column("nesterov", _FLAG, "", "whether the momentum of sgd is Nesterov's"),
    Column("beta1", _REAL, "", "of adamw: decay of its mean of gradients"),
    Column("beta2", _REAL, "", "of adamw: decay of its mean of squared gradients"),
    Column("lr_by", _TEXT, "", "epoch or step: when the learning rate changes"),
    Column("lr_cooldown", _REAL, "fraction of epochs", "the last part of the schedule wsd"),
    Column("warmup_epochs", _COUNT, "epochs", "in which the learning rate rises"),
    Column("clip_norm", _REAL, "", "what gradients of a larger norm are scaled down to; null or 0 for none"),
    Column("ema", _REAL, "", "decay a step of the moving average of the weights; 0 for none"),
    Column("sam", _REAL, "", "rho of sharpness-aware minimisation; 0 for none"),
    Column("gradient_accumulation", _COUNT, "micro-batches", "of a batch, one after the other"),
    Column(
        "ema_val_error",
        _REAL,
        "percent",
        "validation error of the moving average of the weights at the last completed epoch; null without one",
    ),
    Column("linear_precision", _TEXT, "", "of the last layer: same as precision, or fp32"),
    Column("cuda_graph", _TEXT, "", "on or off: whether a step was captured on the GPU"),
    Column("epochs_alone", _COUNT, "epochs", "how many epochs seconds_alone are of"),
    # since version 5: null where the search's objectives do not ask for them
    Column(
        "inference_ms", _REAL, "milliseconds", "of a forward pass of 1 image, measured alone on the device"
    ),
    Column(
        "inference_ms_64",
        _REAL,
        "milliseconds",
        "of a forward pass of 64 images, measured alone on the device",
    ),
    Column(
        "energy_kwh",
        _REAL,
        "kilowatt-hours",
        "of a full training on GPUs: the mean of the trial's epochs times the epochs of its schedule",
    ),
)

# Columns that follow from two others: their product.
PRODUCTS = {"lr_x_wd": ("learning_rate", "weight_decay")}

EPOCHS_COLUMNS = (
    Column("search", _TEXT, "", "name of the search"),
    Column("trial_id", _TEXT, "", "the trial's key, shared with the trials table"),
    Column("epoch", _COUNT, "epochs", "completed epochs, from 1"),
    Column("learning_rate", _REAL, "", "of this epoch's first step"),
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
    # since version 4
    Column(
        "ema_val_error", _REAL, "percent", "over the validation split, of the moving average of the weights"
    ),
    Column(
        "alone",
        _FLAG,
        "",
        "whether no other trial shared the trial's device meanwhile: only then seconds are a cost",
    ),
    # since version 5: null where the search's objectives do not ask for them
    Column("inference_ms", _REAL, "milliseconds", "of a forward pass of 1 image, with a trial's first epoch"),
    Column("inference_ms_64", _REAL, "milliseconds", "of a forward pass of 64 images, likewise"),
    Column(
        "energy_kwh", _REAL, "kilowatt-hours", "of training and validating, idle power of the GPUs included"
    ),
)


def _schema(columns: tuple[Column, ...]) -> pa.Schema:
    fields = [
        pa.field(column.name, column.type, metadata={"unit": column.unit, "description": column.meaning})
        for column in columns
    ]
    return pa.schema(fields, metadata={VERSION_KEY: str(SCHEMA_VERSION).encode()})


TRIALS_SCHEMA = _schema(TRIALS_COLUMNS)
EPOCHS_SCHEMA = _schema(EPOCHS_COLUMNS)
