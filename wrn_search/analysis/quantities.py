"""The parts of an answer as frozen plain values: what was tried, what it showed, and how sure that is.

Errors are validation errors in percent unless a name says otherwise. `trial` fields are places in `Findings.trials`. A
value that cannot be had is None, and a text field beside it says why. Nothing here is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

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


@dataclass(frozen=True)
class Search:
    """One results directory: how it searched and how it stands."""

    name: str
    path: str
    searcher: str | None  # None where neither resolved.yaml nor search.yaml can be read
    scheduler: str | None
    repeats: int
    adaptive: (
        bool | None
    )  # searcher tpe or scheduler asha (rule 5); None is not known and treated as adaptive
    state: str  # finished | running | interrupted | failed | max_hours | exhausted | unknown
    trials: int  # rows
    trials_planned: int | None  # rows that the space asks for
    searched: tuple[str, ...]  # names of the hyperparameters
    rungs: tuple[int, ...]  # epochs


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


@dataclass(frozen=True)
class Bought:
    """What depth and width each bought for the same parameters.

    By the fit of `IsoParams`: each slope is in points of error per doubling of the parameters, which grow as
    (depth - 4) k^2, when only depth grows or only the widening factor; negative = better.
    """

    depth_per_doubling: float | None
    width_per_doubling: float | None
    depth_interval: Interval | None
    width_interval: Interval | None
    n: int  # configurations (of an adaptive search: networks, each with its lowest error)
    why_no_fit: str  # empty if there is a fit
    why_no_interval: str  # empty if there is one


@dataclass(frozen=True)
class Answer:
    """The answer in words and the values behind it."""

    sentences: tuple[
        str, ...
    ]  # three: the best; the smallest that cannot be told from it; depth against width
    best: Estimate | None
    smallest_equivalent: Estimate | None
    equivalents: tuple[
        Estimate, ...
    ]  # best of each network that cannot be told from the best, smallest first
    seed_deviation: float | None  # percent: pooled standard deviation over seeds; None without repeats
    seed_freedom: int  # degrees of freedom of it
    bought: Bought
    limits: tuple[str, ...]  # what the design of this search cannot tell, a sentence each


@dataclass(frozen=True)
class Cell:
    """All trials of one depth and widening factor."""

    depth: int
    widen_factor: float
    value: float | None  # error map: lowest at full epochs, percent; time map: median seconds an epoch
    trial: int | None  # the one with the lowest error; None if none got there
    n: int  # trials that `value` was taken from
    stopped: int
    failed: int
    diverged: int
    other: int  # running or interrupted
    median: float | None  # with repeats: of the repeats of the cell's best configuration, else None
    low: float | None  # their range
    high: float | None
    repeats: int  # how many they are

    @property
    def total(self) -> int:
        """All trials of the cell, whatever became of them (of an error map; a time map counts the same trials)."""
        return self.n + self.stopped + self.failed + self.diverged + self.other


@dataclass(frozen=True)
class CellMap:
    """Depth x widening factor; pairs that were never tried have no cell, and are gaps."""

    depths: tuple[int, ...]  # rising
    widen_factors: tuple[float, ...]  # rising; binned where k is continuous, see `binned`
    cells: tuple[Cell, ...]
    unit: str  # percent | seconds
    repeated: bool  # whether medians are shown
    binned: bool  # widening factors are the middles of bins, since there are too many for a table


@dataclass(frozen=True)
class IsoPoint:
    """One configuration (of an adaptive search: the lowest of one network) in a band."""

    trial: int
    network: str
    ratio: float  # depth : widening factor
    num_params: int
    val_error: float  # percent; with repeats their mean
    n: int  # trials behind it


@dataclass(frozen=True)
class Band:
    """Networks of nearly equal parameters: the largest has at most 1.3 times those of the smallest."""

    low: int  # parameters of the smallest
    high: int  # of the largest
    points: tuple[IsoPoint, ...]  # by rising ratio
    line: tuple[tuple[float, float], ...]  # (ratio, fitted error) at both ends; empty without a trend


@dataclass(frozen=True)
class IsoParams:
    """Error against depth:width ratio at equal parameters, and the trend that all bands share.

    Fit over all points, in a band or not: error = f(log2 num_params) + slope * log2(ratio), f a polynomial. What size
    alone explains is taken by f, so the slope compares networks of equal size.
    """

    bands: tuple[Band, ...]  # those with at least two ratios, by rising parameters
    slope: (
        float | None
    )  # points of error for each doubling of depth:width at equal parameters; positive: wide wins
    interval: (
        Interval | None
    )  # bootstrap over configurations, only of repeated, grid or random designs (rule 5)
    found: bool | None  # whether the interval excludes 0; None without an interval
    n: int  # points in the fit
    searches: tuple[str, ...]  # whose trials are in the fit
    why_no_slope: str
    why_no_interval: str


@dataclass(frozen=True)
class FrontPoint:
    """One trial at full epochs on the plane of cost and error."""

    trial: int
    network: str
    cost: float
    val_error: float  # percent; with repeats their median
    on_front: bool


@dataclass(frozen=True)
class Front:
    """Error against one cost, both to be low."""

    cost: str  # num_params | macs | seconds_per_epoch
    unit: str  # parameters | multiply-adds | seconds
    points: tuple[FrontPoint, ...]  # one a configuration, by rising cost
    note: str  # such as that several devices are mixed in the times; empty if there is nothing to say

    @property
    def front(self) -> tuple[FrontPoint, ...]:
        """Points that no other dominates."""
        return tuple(point for point in self.points if point.on_front)


@dataclass(frozen=True)
class Pareto:
    """The fronts, and how the first of them grew."""

    fronts: tuple[Front, ...]  # by num_params, macs, seconds_per_epoch
    hypervolume: tuple[
        tuple[float, int, float], ...
    ]  # (hours of search, trials ended, share of the reference box)
    reference: tuple[float, float] | None  # (parameters of the largest network of the space, error of chance)
    reference_network: str
    why_no_hypervolume: str
