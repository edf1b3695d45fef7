"""Configurations: the repeats of each set of hyperparameters as one, since seeds are no designs of their own."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.analysis.input_tables.shared_values import Estimate
from wrn_search.results.trial_selection import Order, order_of
from wrn_search.results.trial_state import COUNTS_AS_CHANCE, FINAL

if TYPE_CHECKING:
    import pandas as pd

_NORMAL = 1.959964
_ROUNDING = 1e-9  # of a sum of seconds
_WHERE_ASKED_FOR = ("inference_ms", "inference_ms_64", "energy_kwh")


@dataclass(frozen=True)
class Configuration:
    """One set of hyperparameters with at least one error at full epochs."""

    number: int  # `configuration` of its trials
    source: int
    adaptive: bool
    network: str
    depth: int
    widen_factor: float
    num_params: int
    macs: int
    completed: tuple[float, ...]  # errors at full epochs, percent
    diverged: int  # or out of memory: these count with the error of chance
    ended: int  # trials that will not go on, whatever became of them
    trials: int
    trial: int  # the completed one nearest the median, of an even number the lower middle one
    seconds_per_epoch: float | None  # median over its completed trials, of what `seconds_per_epoch` tells
    # medians over its completed trials, where the search's objectives asked for them
    inference_ms: float | None = None
    inference_ms_64: float | None = None
    energy_kwh: float | None = None
    repeats: int = 1  # that configurations of its search have, at most

    @property
    def mean(self) -> float:
        """Mean of the completed repeats, percent."""
        return statistics.fmean(self.completed)

    def values(self, chance_error: float | None) -> tuple[float, ...]:
        """The errors, one that diverged counting with the error of chance (rule 2), where that is known."""
        return self.completed + (() if chance_error is None else (chance_error,) * self.diverged)

    def order(self, chance_error: float | None, value: float | None = None) -> Order:
        """Where it ranks among others, by the one rule (`order_of`); `value` instead of its median."""
        middle = statistics.median(self.values(chance_error)) if value is None else value
        return order_of(
            self.completed,
            middle,
            self.num_params,
            self.number,
            is_alone=len(self.completed) < 2 <= self.repeats,
            is_open=self.ended < self.trials,
        )

    def mean_error(self, chance_error: float | None) -> float:
        """Mean of `values`, percent: what a searcher was told."""
        return statistics.fmean(self.values(chance_error))


def configurations_of(material: Material, seconds: Mapping[int, float]) -> tuple[Configuration, ...]:
    """All configurations with an error at full epochs, by number; `seconds` is what `seconds_per_epoch` gives.

    One of which a scheduler stopped some repeats and not others, as earlier versions did, has none: those that
    went on were chosen by their luck.
    """
    columns = ["configuration", "source", "adaptive", "status", "network", "depth", "widen_factor"]
    columns += ["num_params", "macs", "val_error", "number", "error", *_WHERE_ASKED_FOR]
    grouped: dict[int, list[Any]] = {}
    # Row by row: a group of pandas takes a thousand times as long as a row.
    for row in material.trials[columns].itertuples(name="Row"):
        grouped.setdefault(row.configuration, []).append(row)
    most: dict[int, int] = {}
    for rows in grouped.values():
        most[rows[0].source] = max(most.get(rows[0].source, 1), len(rows))
    return tuple(
        replace(_configuration(rows, seconds), repeats=most[rows[0].source])
        for _, rows in sorted(grouped.items())
        if (statuses := {row.status for row in rows}) >= {"completed"} and "stopped" not in statuses
    )


def _configuration(rows: Sequence[Any], seconds: Mapping[int, float]) -> Configuration:
    full = sorted(
        (row for row in rows if row.status == "completed"), key=lambda row: (row.val_error, row.number)
    )
    lost = sum(row.status == "diverged" or COUNTS_AS_CHANCE in str(row.error) for row in rows)
    middle = full[min((len(full) + lost - 1) // 2, len(full) - 1)]  # as `trial_selection.standing_of`
    times = [seconds[row.Index] for row in full if row.Index in seconds]
    measured: dict[str, Any] = {
        name: _median_known([getattr(row, name) for row in full]) for name in _WHERE_ASKED_FOR
    }
    return Configuration(
        number=int(middle.configuration),
        source=int(middle.source),
        adaptive=bool(middle.adaptive),
        network=str(middle.network),
        depth=int(middle.depth),
        widen_factor=float(middle.widen_factor),
        num_params=int(middle.num_params),
        macs=int(middle.macs),
        completed=tuple(float(row.val_error) for row in full),
        diverged=lost,
        ended=sum(row.status in FINAL for row in rows),
        trials=len(rows),
        trial=int(middle.Index),
        seconds_per_epoch=statistics.median(times) if times else None,
        **measured,
    )


def _median_known(values: Sequence[float | None]) -> float | None:
    """Of those that are not null."""
    known = [value for value in values if value is not None and not math.isnan(value)]
    return statistics.median(known) if known else None


def seconds_per_epoch(material: Material) -> dict[int, float]:
    """Trial -> median seconds of its epochs that were alone; of all its epochs, if none of all trials was.

    The mean of its training time where the epochs are not there. Tables of before `alone` do not tell: there all
    epochs count but those on a part of a GPU.
    """
    alone, shared = _seconds(material)
    return alone or shared


def are_all_shared(material: Material) -> bool:
    """Whether epochs were timed and none had its device alone: what `seconds_per_epoch` gives are no costs."""
    alone, shared = _seconds(material)
    return bool(shared) and not alone


def _seconds(material: Material) -> tuple[dict[int, float], dict[int, float]]:
    """(of epochs that were alone, of all): trial -> seconds of an epoch."""
    trials, epochs = material.trials, material.epochs
    part_of_a_gpu = trials["gpu_fraction"].gt(0) & trials["gpu_fraction"].lt(1)
    untold = ~epochs["trial"].map(part_of_a_gpu).astype(bool)
    alone = epochs["alone"].astype("boolean").fillna(untold.astype("boolean")).astype(bool)
    rows = trials[(trials["epochs_done"] > 0) & (trials["train_seconds"] > 0)]
    mean = rows["train_seconds"] / rows["epochs_done"]
    whole = rows["seconds_alone"].ge(rows["train_seconds"] * (1 - _ROUNDING))
    whole |= rows["seconds_alone"].isna() & ~part_of_a_gpu[rows.index]
    lacking = ~rows.index.isin(epochs["trial"])
    return (
        _merged(mean[whole & lacking], epochs[alone]),
        _merged(mean, epochs),
    )


def _merged(means: pd.Series, epochs: pd.DataFrame) -> dict[int, float]:
    medians = epochs.groupby("trial")["seconds"].median().dropna().to_dict()
    return {int(trial): float(value) for trial, value in {**means.to_dict(), **medians}.items()}


def pooled_seed_deviation(configurations: Sequence[Configuration]) -> tuple[float | None, int]:
    """(standard deviation over seeds in percent, its degrees of freedom): s^2 = sum (x - mean)^2 / sum (r - 1).

    Pooled over all configurations with two completed repeats or more; (None, 0) if there is none.
    """
    repeated = [c.completed for c in configurations if len(c.completed) > 1]
    freedom = sum(len(values) - 1 for values in repeated)
    if not freedom:
        return None, 0
    squares = sum(statistics.variance(values) * (len(values) - 1) for values in repeated)
    return math.sqrt(squares / freedom), freedom


def binomial_variance(error: float, images: int | None) -> float | None:
    """Variance of an error counted on n images, percent squared: 100^2 p (1 - p) / (n + 2), p = (x + 1) / (n + 2).

    An error of 0 is not certain: for differences of two shares one more of each kind covers as promised (Agresti &
    Caffo, Am. Stat. 54, 2000).
    """
    if not images:
        return None
    share = (error / 100 * images + 1) / (images + 2)
    return 1e4 * share * (1 - share) / (images + 2)


def reach_of(configuration: Configuration, images: int | None, seed_deviation: float | None) -> float | None:
    """Half of the 95 % interval of its error, points: counting, and seeds where any were repeated; None if unknown."""
    error = _standard_error(configuration, images, seed_deviation)
    return None if error is None else _NORMAL * error


def _standard_error(
    configuration: Configuration, images: int | None, seed_deviation: float | None
) -> float | None:
    """Of the mean of its repeats, percent."""
    binomial = binomial_variance(configuration.mean, images)
    seeds = None if seed_deviation is None else seed_deviation**2 / len(configuration.completed)
    parts = [part for part in (binomial, seeds) if part is not None]
    return math.sqrt(sum(parts)) if parts else None


def estimate_of(configuration: Configuration, material: Material, seed_deviation: float | None) -> Estimate:
    """The configuration as the page shows it: median, range, n, and the standard error of its mean."""
    values = configuration.values(material.dataset.chance_error)
    return Estimate(
        trial=configuration.trial,
        network=configuration.network,
        val_error=statistics.median(values),
        lowest=min(values),
        highest=max(values),
        n=len(configuration.completed),
        ended=configuration.ended,
        standard_error=_standard_error(configuration, material.dataset.validation_images, seed_deviation),
        num_params=configuration.num_params,
        macs=configuration.macs,
        seconds_per_epoch=configuration.seconds_per_epoch,
    )
