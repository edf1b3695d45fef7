"""More parts of an answer as frozen plain values (see `quantities`): hyperparameters, curves, rungs, distributions."""

from __future__ import annotations

from dataclasses import dataclass

from wrn_search.analysis.quantities import Value


@dataclass(frozen=True)
class SlicePoint:
    """One trial at one value."""

    trial: int
    value: Value
    val_error: float  # percent, at `epochs` epochs
    epochs: int
    completed: bool


@dataclass(frozen=True)
class Slice:
    """Error against one searched hyperparameter."""

    name: str
    log: bool  # a logarithmic axis
    categorical: bool
    points: tuple[SlicePoint, ...]
    summary: tuple[
        tuple[Value, float, float, int], ...
    ]  # (middle or value, lowest, median, n) of completed ones
    left_out: int  # trials without any epoch


@dataclass(frozen=True)
class Importance:
    """Shares of the variance of the error at full epochs that each hyperparameter explains alone (fANOVA)."""

    shares: dict[str, float]  # sums to 1; highest first; empty if it cannot be told
    n: int  # completed trials behind it
    warning: str  # empty if there is nothing to warn of
    others: int  # ended trials that could not be counted


@dataclass(frozen=True)
class Curve:
    """The learning curve of one trial, perhaps thinned."""

    trial: int
    epochs: tuple[int, ...]
    val_error: tuple[float, ...]
    train_error: tuple[float, ...]


@dataclass(frozen=True)
class Curves:
    """Learning curves: at most `MAX_CURVES` of them with at most `MAX_CURVE_POINTS` points each."""

    curves: tuple[Curve, ...]  # the best first
    drops: tuple[int, ...]  # first epochs at a lower learning rate, of a step schedule; every trial's
    total: int  # trials with at least one epoch
    thinned: bool


@dataclass(frozen=True)
class Rung:
    """What one rung did and how well its ranking foretold the end."""

    epoch: int
    reached: int
    stopped: int
    tau: float | None  # Kendall's tau-b of the ranking at the rung with that at the end
    n: int  # trials that `tau` was taken from: those that got to the end


@dataclass(frozen=True)
class Rungs:
    """Early stopping: what it saved and what it may have cost."""

    rungs: tuple[Rung, ...]
    epochs_done: int
    epochs_planned: int  # if every trial had run to its last epoch
    epochs_saved: int  # of trials that the scheduler stopped
    tau_by_epoch: tuple[tuple[int, float], ...]  # (epoch, tau) at every epoch, at most 200 of them
    n: int  # trials behind `tau_by_epoch`
    note: str  # that only survivors are compared; or why there is nothing


@dataclass(frozen=True)
class EdfCurve:
    """Share of trials with an error of at most e: a step function."""

    label: str
    errors: tuple[float, ...]  # rising
    shares: tuple[float, ...]  # of all trials that ended, so the last may be below 1
    n: int  # trials that ended
    reached: int  # of them with a full-epoch error


@dataclass(frozen=True)
class Edf:
    """Error distribution of all ended trials, and at equal complexity.

    `halves`: in each band of parameters the deeper and the wider half, weighted so that both have the same share of
    each band (Radosavovic et al., "On Network Design Spaces", arXiv 1905.13214, section 3.3).
    """

    all: EdfCurve
    bands: tuple[EdfCurve, ...]  # by parameters, equally many trials each
    halves: tuple[EdfCurve, ...]  # deeper and wider; empty if they cannot be told apart
    note: str
