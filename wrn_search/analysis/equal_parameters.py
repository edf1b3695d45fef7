"""Depth against width at equal parameters: bands of networks, the trend they share, and what each dimension bought."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wrn_search.analysis.input_tables.configurations import Configuration, pooled_seed_deviation, reach_of
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.analysis.input_tables.shared_values import Interval
from wrn_search.analysis.statistics.equal_size_trend import (
    Floats,
    RepeatedTrend,
    Trend,
    fit,
    intervals,
    repeated_trend,
)
from wrn_search.analysis.statistics.pure_error import LackOfFit

BAND = 1.3  # the largest network of a band has at most so many times the parameters of the smallest
MAX_BANDS = 12


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
    by_repeats: bool = False  # see `IsoParams`
    lack_of_fit: LackOfFit | None = None


@dataclass(frozen=True)
class IsoPoint:
    """One configuration (of an adaptive search: the lowest of one network) in a band."""

    trial: int
    network: str
    ratio: float  # depth : widening factor
    num_params: int
    val_error: float  # percent; with repeats their mean
    n: int  # trials behind it
    reach: float | None = None  # half of the error's 95 % interval, points: counting and seeds


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
    )  # only of repeated, grid or random designs (rule 5): from the spread of repeats, else over configurations
    found: bool | None  # whether the interval excludes 0; None without an interval
    n: int  # points in the fit
    searches: tuple[str, ...]  # whose trials are in the fit
    why_no_slope: str
    why_no_interval: str
    by_repeats: bool = False  # whether the interval is that of the repeats' spread
    lack_of_fit: LackOfFit | None = (
        None  # of the curve against the repeats; where it fails they give no interval
    )


@dataclass(frozen=True)
class Evidence:
    """The points that the trend is taken from, and whether they may have an interval."""

    points: tuple[IsoPoint, ...]
    depths: tuple[int, ...]  # of the points
    searches: tuple[str, ...]
    why_no_interval: str  # empty if there may be one
    repeats: tuple[tuple[float, ...], ...] = ()  # the errors behind each point, percent


def evidence_of(material: Material, configurations: Sequence[Configuration]) -> Evidence:
    """Repeated, grid and random designs where there are any; else the lowest of each network (rule 5)."""
    chance, images = material.dataset.chance_error, material.dataset.validation_images
    deviation = pooled_seed_deviation(configurations)[0]
    designed = [c for c in configurations if not c.adaptive]
    chosen = designed or _lowest_of_each_network(configurations, chance)
    why = "" if designed else _why_adaptive(material)
    searches = dict.fromkeys(_name(material, source) for source in sorted({c.source for c in chosen}))
    return Evidence(
        points=tuple(_point(c, chance, reach_of(c, images, deviation)) for c in chosen),
        depths=tuple(c.depth for c in chosen),
        searches=tuple(searches),
        why_no_interval=why,
        repeats=tuple(c.values(chance) for c in chosen),
    )


@dataclass(frozen=True)
class _Told:
    """The trend, and where its intervals come from."""

    evidence: Evidence
    trend: Trend | str  # or why there is none
    repeated: RepeatedTrend | None  # where there are repeats enough

    @property
    def by_repeats(self) -> bool:
        """Whether the curve is laid through repeats, and fits them."""
        return self.repeated is not None and not (self.lack_of_fit and self.lack_of_fit.fails)

    @property
    def lack_of_fit(self) -> LackOfFit | None:
        """Of the curve through the repeats."""
        return self.repeated.fit.lack_of_fit if self.repeated else None

    def interval(self, weights: Floats) -> Interval | None:
        """95 % of `weights @ (slope, per_doubling)`; None where there may be none."""
        if self.evidence.why_no_interval or isinstance(self.trend, str):
            return None
        if self.repeated is not None and self.by_repeats:
            return self.repeated.interval(weights)
        return intervals(*_arrays(self.evidence), weights)


def _told(evidence: Evidence) -> _Told:
    log_params, log_ratio, error = _arrays(evidence)
    repeated = None if evidence.why_no_interval else repeated_trend(log_params, log_ratio, evidence.repeats)
    told = _Told(evidence, fit(log_params, log_ratio, error), repeated)
    return _Told(evidence, repeated.trend, repeated) if repeated and told.by_repeats else told


def iso_params_of(evidence: Evidence) -> IsoParams:
    """The bands with the fitted trend drawn into each."""
    told = _told(evidence)
    trend, why = told.trend, evidence.why_no_interval
    interval = told.interval(np.array([1.0, 0.0]))
    if isinstance(trend, Trend) and not why and interval is None:
        why = "one configuration alone decides the fit"
    no_slope = trend if isinstance(trend, str) else ""
    return IsoParams(
        bands=tuple(
            _band(points, trend if isinstance(trend, Trend) else None) for points in bands(evidence.points)
        ),
        slope=trend.slope if isinstance(trend, Trend) else None,
        interval=interval,
        found=None if interval is None else not interval[0] <= 0 <= interval[1],
        n=len(evidence.points),
        searches=evidence.searches,
        why_no_slope=no_slope,
        why_no_interval=why or no_slope,
        by_repeats=interval is not None and told.by_repeats,
        lack_of_fit=told.lack_of_fit,
    )


def bought_of(evidence: Evidence) -> Bought:
    """What a doubling of the parameters bought when spent on depth, and when spent on width.

    Parameters grow as (depth - 4) k^2. Doubling them by depth doubles depth - 4, so log2(depth:k) rises by the mean of
    (depth - 4) / depth; by width, k grows by sqrt 2 and log2(depth:k) falls by a half.
    """
    told = _told(evidence)
    trend, n = told.trend, len(evidence.points)
    if isinstance(trend, str):
        return Bought(None, None, None, None, n, trend, trend)
    rise = float(np.mean([(depth - 4) / depth for depth in evidence.depths]))
    by_depth, by_width = np.array([rise, 1.0]), np.array([-0.5, 1.0])
    effects = np.array([trend.slope, trend.per_doubling])
    depth_interval, width_interval = told.interval(by_depth), told.interval(by_width)
    return Bought(
        depth_per_doubling=float(by_depth @ effects),
        width_per_doubling=float(by_width @ effects),
        depth_interval=depth_interval,
        width_interval=width_interval,
        n=n,
        why_no_fit="",
        why_no_interval=evidence.why_no_interval
        or ("" if depth_interval and width_interval else "one configuration alone decides the fit"),
        by_repeats=depth_interval is not None and told.by_repeats,
        lack_of_fit=told.lack_of_fit,
    )


def bands(points: Sequence[IsoPoint]) -> list[list[IsoPoint]]:
    """Points by bands of nearly equal parameters: those with two ratios or more, at most `MAX_BANDS` of them.

    From the smallest network on, a band takes in all that have at most `BAND` times the parameters of its smallest.
    Where there are too many bands, those with the most points stay.
    """
    found: list[list[IsoPoint]] = []
    for point in sorted(points, key=lambda point: (point.num_params, point.ratio, point.trial)):
        if found and point.num_params <= BAND * found[-1][0].num_params:
            found[-1].append(point)
        else:
            found.append([point])
    shown = [band for band in found if len({point.ratio for point in band}) > 1]
    most = sorted(shown, key=lambda band: (-len(band), band[0].num_params))[:MAX_BANDS]
    return sorted(most, key=lambda band: band[0].num_params)


def _band(points: list[IsoPoint], trend: Trend | None) -> Band:
    points = sorted(points, key=lambda point: (point.ratio, point.trial))
    line: tuple[tuple[float, float], ...] = ()
    if trend is not None:
        middle = float(np.mean([math.log2(point.num_params) for point in points]))
        ends = (points[0].ratio, points[-1].ratio)
        line = tuple((ratio, trend.error_at(middle, math.log2(ratio))) for ratio in ends)
    weights = [point.num_params for point in points]
    return Band(min(weights), max(weights), tuple(points), line)


def _arrays(evidence: Evidence) -> tuple[Floats, Floats, Floats]:
    """(log2 num_params, log2 ratio, error), (n,) each."""
    points = evidence.points
    log_params = np.log2([float(point.num_params) for point in points])
    log_ratio = np.log2([point.ratio for point in points])
    return log_params, log_ratio, np.array([point.val_error for point in points])


def _lowest_of_each_network(
    configurations: Sequence[Configuration], chance: float | None
) -> list[Configuration]:
    lowest: dict[str, Configuration] = {}
    for c in configurations:
        if c.network not in lowest or c.order(chance) < lowest[c.network].order(chance):
            lowest[c.network] = c
    return list(lowest.values())


def _point(c: Configuration, chance: float | None, reach: float | None) -> IsoPoint:
    ratio, error = c.depth / c.widen_factor, c.mean_error(chance)
    return IsoPoint(c.trial, c.network, ratio, c.num_params, error, len(c.completed), reach)


def _name(material: Material, source: int) -> str:
    rows = material.trials[material.trials["source"] == source]
    return str(rows["search"].iloc[0])


def _why_adaptive(material: Material) -> str:
    known = {source.adaptive for source in material.sources}
    if None in known and True not in known:
        return "how the trials were chosen is not known: resolved.yaml cannot be read"
    kinds = sorted({name for source in material.sources for name in source.adaptive_parts})
    return (
        f"an adaptive search ({' and '.join(kinds)}) gives no intervals: what it tried depends on what it saw"
    )
