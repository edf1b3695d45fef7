"""What each hyperparameter does to the error at the end: an effect, an interval and a verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.design_columns import Array, Axis, Design
from wrn_search.curves.observed_curves import DEPTH, WIDTH
from wrn_search.curves.settings_of_cells import Setting, back_on_scale, cells_of, in_cell

Verdict = Literal["helps", "hurts", "no difference", "undecided"]
DEPTH_VS_WIDTH = "depth_vs_width"
_GRID = 41


@dataclass(frozen=True)
class Effect:
    """What one step of a hyperparameter multiplies the odds of an error by, at the end.

    Attributes:
        question: `depth`, `width`, `depth_vs_width`, else the hyperparameter; `name=level` where categorical.
        unit: the step in words.
        effect, low, high: factor on the odds, its posterior median and 95 % interval; below 1 is better.
        contrast: (P,) what of the coefficients b it is, so that plans can aim at it.
        verdict: by the interval and the margin, see `verdict_of`.
        best, best_low, best_high: the value with the lowest expected error among those seen, and a 95 % range; None
            where the effect may not bend or the hyperparameter is one of the network.
    """

    question: str
    unit: str
    effect: float
    low: float
    high: float
    contrast: tuple[float, ...]
    verdict: Verdict
    best: float | None = None
    best_low: float | None = None
    best_high: float | None = None


def verdict_of(low: float, high: float, margin: float) -> Verdict:
    """`no difference` if the interval of a factor lies within 1 / (1 + margin) to 1 + margin, else its side of 1."""
    bound = math.log1p(margin)
    if -bound <= math.log(low) and math.log(high) <= bound:
        return "no difference"
    if high < 1:
        return "helps"
    return "hurts" if low > 1 else "undecided"


def effects(
    fit: CurveFit, margin: float = 0.1, cells: Sequence[tuple[float, float]] | None = None
) -> tuple[Effect, ...]:
    """Depth, width, depth against width at equal parameters, then every other hyperparameter that varies.

    The effect of depth is that of a doubling of its blocks, of width of a doubling of k: the cells' ends projected
    on log2(depth - 4) and log2(k). Parameters grow as (depth - 4) k^2, so `depth_vs_width` is what a doubling of
    parameters does by depth, over what it does by width: a factor below 1 speaks for depth (`helps`), above 1 for
    width (`hurts`).

    Args:
        margin: relative change of the odds that makes no difference.
        cells: (depth, widen_factor) that are projected; those of `cells_of` if None.
    """
    design = fit.observations.design
    found = []
    by_size = size_contrasts(fit, cells_of(fit) if cells is None else cells)
    for question, unit in (
        ("depth", "a doubling of the blocks"),
        ("width", "a doubling of the widening factor"),
        (DEPTH_VS_WIDTH, "a doubling of the parameters by depth rather than by width"),
    ):
        if question in by_size:
            found.append(_effect(fit, question, unit, by_size[question], margin))
    for axis in design.axes.values():
        if axis.name in (DEPTH, WIDTH):
            continue
        for name, unit, contrast in contrasts_along(design, fit.observations.x, axis):
            found.append(_effect(fit, name, unit, contrast, margin, axis))
    return tuple(found)


def effect_in_cell(fit: CurveFit, name: str, cell: tuple[float, float], margin: float = 0.1) -> Effect:
    """What a step of a numeric hyperparameter does in one cell: larger networks may want more of it.

    Raises:
        ValueError: not a numeric hyperparameter that varies, or that of depth or width itself.
    """
    design = fit.observations.design
    axis = design.axes.get(name)
    if axis is None or axis.levels or name in (DEPTH, WIDTH):
        raise ValueError(f"`{name}` must be a numeric hyperparameter that varies, beside depth and width")
    step, unit = unit_of(axis)
    contrast = _mean_slope(design, fit.observations.x, axis)
    for other, value in zip((DEPTH, WIDTH), cell, strict=True):
        pair = {(name, "1"), (other, "1")}
        if other in design.axes:
            crossed = [set(column.factors) == pair for column in design.columns]
            contrast = contrast + np.where(crossed, design.axes[other].value(value), 0.0)
    return _effect(fit, name, unit, contrast * step / axis.unit, margin, axis)


def size_contrasts(fit: CurveFit, cells: Sequence[tuple[float, float]]) -> dict[str, Array]:
    """(P,) of b for each of `depth`, `width` and `depth_vs_width` that varies."""
    return slopes_of_size(fit.observations.design, [in_cell(fit, cell, {}) for cell in cells])


def slopes_of_size(design: Design, settings: Sequence[Setting]) -> dict[str, Array]:
    """The same for settings, one a cell."""
    axes = [design.axes[name] for name in (DEPTH, WIDTH) if name in design.axes]
    places = np.array([[1.0, *(axis.value(setting[axis.name]) for axis in axes)] for setting in settings])
    rows = np.array([design.row(setting) for setting in settings])
    slopes = np.linalg.pinv(places) @ rows
    names = {DEPTH: "depth", WIDTH: "width"}
    found = {names[axis.name]: slopes[1 + index] for index, axis in enumerate(axes)}
    if len(found) == 2:
        found[DEPTH_VS_WIDTH] = found["depth"] - found["width"] / 2
    return found


def unit_of(axis: Axis) -> tuple[float, str]:
    """One step on the scale of a numeric hyperparameter, and its words."""
    if axis.scale == "log10":
        return 1.0, "a factor of 10"
    if axis.scale in ("log2", "blocks"):
        return 1.0, "a doubling"
    width = axis.high - axis.low
    step = 10.0 ** math.floor(math.log10(width)) if width >= 1 else 0.1 if width > 0.1 else 0.01
    return step, f"+{step:g}"


def contrasts_along(design: Design, x: Array, axis: Axis) -> list[tuple[str, str, Array]]:
    """(question, unit, contrast): the slope of a numeric axis through rows x, or each level against their mean."""
    columns = design.columns
    if axis.levels:
        names = [f"{axis.name}={level}" for level in axis.levels]
        own = np.array([[column.name == name for column in columns] for name in names], dtype=float)
        # levels are told against their mean, whatever the prior left between
        centred = own - own.mean(0)
        unit = "against the mean of the levels"
        return [(name, unit, contrast) for name, contrast in zip(names, centred, strict=True)]
    step, unit = unit_of(axis)
    slope = _mean_slope(design, x, axis)
    return [(axis.name, unit, slope * step / axis.unit)]


def _mean_slope(design: Design, x: Array, axis: Axis) -> Array:
    """(P,) the line through settings with rows x along an axis, of all that depends on that axis alone, a unit."""
    own = [
        each.factors == ((axis.name, "1"),) or each.name.startswith(f"{axis.name}~")
        for each in design.columns
    ]
    line = x[:, [each.factors == ((axis.name, "1"),) for each in design.columns]]
    line = line - line.mean(0)
    slope: Array = np.where(own, (line * x).sum(0) / max(float((line**2).sum()), 1e-300), 0.0)
    return slope


def _effect(
    fit: CurveFit, question: str, unit: str, contrast: Array, margin: float, axis: Axis | None = None
) -> Effect:
    effect, low, high = np.exp(np.quantile(fit.late @ contrast, [0.5, 0.025, 0.975]))
    best: tuple[float, ...] = ()
    if axis is not None and not axis.levels and axis.distinct >= 3:
        best = _best_value(fit, axis)
    return Effect(
        question,
        unit,
        float(effect),
        float(low),
        float(high),
        tuple(float(each) for each in contrast),
        verdict_of(low, high, margin),
        *best,
    )


def _best_value(fit: CurveFit, axis: Axis) -> tuple[float, float, float]:
    """Median and 95 % range of where the draws' curves along an axis are lowest."""
    positions = np.linspace(axis.low, axis.high, _GRID)
    settings = [{axis.name: back_on_scale(axis, (each - axis.centre) / axis.unit)} for each in positions]
    rows = np.array([fit.observations.design.row(each) for each in settings])
    own = [
        each.factors == ((axis.name, "1"),) or each.name.startswith(f"{axis.name}~")
        for each in fit.observations.design.columns
    ]
    positions = (positions - axis.centre) / axis.unit
    ends = fit.late[:, own] @ rows[:, own].T
    lowest = positions[ends.argmin(1)]
    middle, low, high = (
        back_on_scale(axis, float(each)) for each in np.quantile(lowest, [0.5, 0.025, 0.975])
    )
    return middle, low, high
