"""Frozen plain values that several sections share: a trial, a search, the images, an estimate.

Errors are validation errors in percent unless a name says otherwise. `trial` fields are places in `Findings.trials`. A
value that cannot be had is None, and a text field beside it says why. Nothing here is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from wrn_search.results.table_columns import PRODUCTS

Interval: TypeAlias = tuple[float, float]  # 95 %, low and high
Value: TypeAlias = int | float | str  # of a hyperparameter


@dataclass(frozen=True)
class Trial:
    """One row of the trials tables, with the names that the page shows."""

    search: str
    number: int
    trial_id: str
    name: str  # `007_WRN-16-4_p0.30_wd5e-4`
    network: str  # `WRN-16-4`, other blocks than B(3,3) named too
    status: str  # running | completed | stopped | diverged | failed | interrupted
    configuration: int  # trials that differ only in their seed share it; from 0 over all searches
    repeat: int
    depth: int
    widen_factor: float
    num_params: int
    macs: int  # multiply-adds of one image
    epochs_done: int
    epochs: int  # of the full schedule
    val_error: float | None  # at the last completed epoch, whatever the status; a result only if completed
    seconds_per_epoch: float | None  # median over its epochs, training only
    hparams: dict[str, Value]  # the searched leaves, by name in the order of the space
    device: str | None
    error: str | None  # why it diverged, failed or was interrupted: text of whoever raised it, to be escaped
    seed: int | None = None
    rung: int | None = None  # epoch at which the scheduler stopped it; None if it did not
    anchor: bool | None = None  # drawn before any result and never stopped; None in tables that do not tell

    @property
    def products(self) -> dict[str, float]:
        """Products of two hyperparameters that were both searched, by the names of `PRODUCTS`."""
        return {
            name: float(self.hparams[one]) * float(self.hparams[other])
            for name, (one, other) in PRODUCTS.items()
            if one in self.hparams and other in self.hparams
        }


@dataclass(frozen=True)
class Change:
    """What a resumed search had otherwise from then on."""

    at: str  # ISO 8601, UTC; empty where it is not told
    key: str  # of the space file
    was: str  # as the space file writes it
    now: str


@dataclass(frozen=True)
class Search:
    """One results directory: how it searched and how it stands."""

    name: str
    path: str
    searcher: str | None  # `tpe then random` of one that was changed; None where resolved.yaml cannot be read
    scheduler: str | None
    repeats: int
    adaptive: (
        bool | None
    )  # searcher tpe or scheduler asha (rule 5); None is not known and treated as adaptive
    state: (
        str  # finished | running | interrupted | failed | max_hours | budget | decided | exhausted | unknown
    )
    trials: int  # rows
    trials_planned: int | None  # rows that the space asks for
    searched: tuple[str, ...]  # names of the hyperparameters
    rungs: tuple[int, ...]  # epochs
    spending: str = ""  # of `search.budget`, in words; empty without one
    changes: tuple[Change, ...] = ()  # by later sessions, the first one first


@dataclass(frozen=True)
class Dataset:
    """The images on which all trials of the findings were compared."""

    name: str
    validation_images: int | None
    train_images: int | None
    num_classes: int | None
    image_shape: tuple[int, int, int] | None  # height, width, channels
    chance_error: float | None  # percent: always answering the most frequent class
    split_hash: str | None
    preprocessing: str | None
    augmentation: str | None
    sampling: str | None = None  # uniform | balanced
    crop_padding: int | None = None  # pixels; None where nothing is cropped, or nobody knows


@dataclass(frozen=True)
class Estimate:
    """The error of one configuration at full epochs, over its completed repeats."""

    trial: int  # the repeat that stands for it: the one at the (lower) median
    network: str
    val_error: float  # median of the completed repeats, percent
    lowest: float
    highest: float
    n: int  # completed repeats
    ended: int  # all repeats that ended; those that diverged count with the error of chance
    standard_error: (
        float | None
    )  # percent; of the mean: binomial, and pooled over seeds where there are repeats
    num_params: int
    macs: int
    seconds_per_epoch: float | None
