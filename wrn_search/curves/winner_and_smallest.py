"""The winner without its luck, and the smallest network that is as good."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.design_columns import Array
from wrn_search.curves.ends.ends_of_cells import expected_errors
from wrn_search.curves.ends.moments_of_ends import effects_of_configurations, expected_curves
from wrn_search.curves.settings_of_cells import best_setting, cells_of, end_draws, mean_error, spreads

Standing = Literal["as good", "worse", "undecided"]


@dataclass(frozen=True)
class Retrained:
    """A configuration that was trained, and what another training of it would reach.

    Attributes:
        trial: whose configuration it is.
        measured: percent at the end; None where the trial has no end.
        expected, low, high: percent, the mean over fresh seeds with its 95 % interval.
    """

    trial: str
    measured: float | None
    expected: float
    low: float
    high: float


@dataclass(frozen=True)
class CellStanding:
    """A cell at its own best regularisation against the best cell.

    Attributes:
        depth, widen_factor: of the cell.
        difference, low, high: points of error above the best, with the bounds of Hsu's comparison.
        standing: `as good` if `high` is within the margin, else `worse` if `low` is above 0, else `undecided`.
    """

    depth: float
    widen_factor: float
    difference: float
    low: float
    high: float
    standing: Standing


def retrained(fit: CurveFit, trial: str) -> Retrained:
    """What the configuration of a trial would reach when trained again: its measured value had luck, this has none.

    Raises:
        ValueError: a trial that is not among those of the fit.
    """
    names = [each.trial for each in fit.trials]
    if trial not in names:
        raise ValueError(f"the trial must be one of those whose curves were fitted, but got {trial}")
    row, of = names.index(trial), fit.observations
    errors = retrained_draws(fit)[:, of.of[row]]
    low, high = np.quantile(errors, [0.025, 0.975])
    measured = 100 * fit.trials[row].wrong[-1] / fit.table.images if of.seen[row, -1] else None
    return Retrained(trial, measured, float(errors.mean()), float(low), float(high))


def retrained_draws(fit: CurveFit) -> Array:
    """(S, C) percent: draws of the mean error over fresh seeds, for each configuration of the fit."""
    of = fit.observations
    generator = np.random.default_rng([fit.seed, 3])
    log_odds = np.empty((len(fit.draws), len(of.x)))
    for index, (at, draw) in enumerate(zip(fit.variances, fit.draws, strict=True)):
        effect, covariance = effects_of_configurations(of, at, draw)
        spread = np.sqrt(np.maximum(0.0, covariance[:, 0, 0]))
        noise = generator.standard_normal(len(spread))
        log_odds[index] = expected_curves(of, at, draw)[:, -1] + effect[:, 0] + spread * noise
    return mean_error(fit, log_odds, np.broadcast_to(spreads(fit)[1][:, None], log_odds.shape))


def hsu_constant(candidates: int, confidence: float = 0.95) -> float:
    """c_m: the largest of m - 1 differences to one of m equal means stays below c_m sqrt(2) sigma.

    The root of P(max_i (Z_i - Z_0) <= sqrt(2) c) = confidence, Z standard normal (Hsu, Ann. Statist. 9, 1981; Dunnett's
    one-sided constant at correlation 1/2). 0 for a single candidate.
    """
    if candidates < 2:
        return 0.0
    nodes, weights = np.polynomial.hermite_e.hermegauss(99)
    weights = weights / weights.sum()

    def excess(constant: float) -> float:
        return float(weights @ ndtr(nodes + np.sqrt(2) * constant) ** (candidates - 1)) - confidence

    return float(brentq(excess, 0.0, 10.0))


def standings(
    fit: CurveFit,
    points: float = 0.5,
    share: float = 0.1,
    cells: Sequence[tuple[float, float]] | None = None,
) -> tuple[CellStanding, ...]:
    """Every cell against the best one (Hsu's comparison with the best), in the order of `cells_of`.

    Args:
        points: margin in points of error; `share` of the best cell's error counts where that is more.
    """
    cells = cells_of(fit) if cells is None else cells
    ends = end_draws(fit, [best_setting(fit, cell) for cell in cells])
    errors = expected_errors(fit, ends)
    means = errors.mean(0)
    best = int(means.argmin())
    margin = max(points, share * means[best])
    constant = hsu_constant(len(cells))
    told = []
    for column, cell in enumerate(cells):
        difference = float(means[column] - means[best])
        reach = constant * float((errors[:, column] - errors[:, best]).std())
        low, high = difference - reach, difference + reach
        standing: Standing = "as good" if high <= margin else "worse" if low > 0 else "undecided"
        told.append(CellStanding(*cell, difference, low, high, standing))
    return tuple(told)


def smallest_as_good(
    told: Sequence[CellStanding], size: Callable[[float, float], float]
) -> CellStanding | None:
    """The smallest cell that is as good as the best, by `size(depth, widen_factor)`; None where there is none told."""
    return min(
        (each for each in told if each.standing == "as good"),
        key=lambda each: size(each.depth, each.widen_factor),
        default=None,
    )
