"""What to train next, and how many trainings a question still needs.

A training to the end with row F and noise S changes the covariance V of the coefficients to
V - V F'(S + F V F')^-1 F V; the one that narrows the contrast most for its cost comes next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.design_columns import Array
from wrn_search.curves.effects import Effect
from wrn_search.curves.settings_of_cells import Setting, best_setting, cells_of

MOST = 60  # trainings; a question that needs more is not decided by a plan
_NORMAL = 1.959964


@dataclass(frozen=True)
class Training:
    """One training to the end.

    Attributes:
        hyperparameters: all that vary, and those that do not.
        cost: in the unit of the caller's `cost`.
        low, high: the interval of the question's factor after it and those before it, its middle as it is now.
    """

    hyperparameters: Setting
    cost: float
    low: float
    high: float


def next_trainings(
    fit: CurveFit,
    effect: Effect,
    count: int = 12,
    settings: Sequence[Setting] | None = None,
    cost: Callable[[Setting], float] = lambda _: 1.0,
) -> tuple[Training, ...]:
    """The trainings that narrow the interval of a question most for their cost, the best first.

    Args:
        settings: to choose from, again and again; each cell at its own best regularisation if None.
        cost: of a training, such as its hours.
    """
    if settings is None:
        settings = [best_setting(fit, cell) for cell in cells_of(fit)]
    costs = np.array([cost(each) for each in settings])
    plan = []
    for chosen, deviation in _plan(fit, np.array(effect.contrast), settings, costs, count):
        middle = math.log(effect.effect)
        low, high = (math.exp(middle + sign * _NORMAL * deviation) for sign in (-1, 1))
        plan.append(Training(settings[chosen], float(costs[chosen]), low, high))
    return tuple(plan)


def trainings_to_decide(
    fit: CurveFit, effect: Effect, margin: float = 0.1, settings: Sequence[Setting] | None = None
) -> int | None:
    """How many further trainings would decide an undecided effect, if it is what it now seems; None beyond `MOST`.

    0 where it is decided. A question is decided when its interval leaves 1 or lies within the margin.
    """
    if effect.verdict != "undecided":
        return 0
    if settings is None:
        settings = [best_setting(fit, cell) for cell in cells_of(fit)]
    middle, bound = abs(math.log(effect.effect)), math.log1p(margin)
    steps = _plan(fit, np.array(effect.contrast), settings, np.ones(len(settings)), MOST)
    for number, (_, deviation) in enumerate(steps, start=1):
        reach = _NORMAL * deviation
        if reach < middle or middle + reach < bound:
            return number
    return None


def _plan(
    fit: CurveFit, contrast: Array, settings: Sequence[Setting], costs: Array, count: int
) -> list[tuple[int, float]]:
    """(index of the setting, deviation of the contrast after it) of each training, chosen greedily."""
    design, rungs = fit.observations.design, fit.rungs
    columns = len(design.columns)
    if not columns or not settings:
        return []
    rows = np.array([[1.0, *design.row(each)] for each in settings])
    precision = fit.at_mode.root @ fit.at_mode.root.T
    chosen = [rungs - 1, *range(rungs, rungs + columns)]
    covariance = np.linalg.inv(precision)[np.ix_(chosen, chosen)]
    aim = np.concatenate([[0.0], contrast])
    # draws know more of the variances than the mode does
    scale = float((fit.late @ contrast).var() / max(aim @ covariance @ aim, 1e-300))
    covariance = covariance * scale
    noise = _noise_of_an_end(fit, rows)
    noise = noise + np.array([design.new_cell(each) for each in settings]) * fit.mode.groups[1] ** 2
    plan = []
    for _ in range(count):
        reach = covariance @ rows.T
        before = float(aim @ covariance @ aim)
        gain = (aim @ reach) ** 2 / (noise + (rows.T * reach).sum(0))
        fall = -np.log1p(-np.minimum(gain / before, 1 - 1e-12)) / costs
        pick = int(fall.argmax())
        moved = reach[:, pick]
        covariance = covariance - np.outer(moved, moved) / (noise[pick] + rows[pick] @ moved)
        plan.append((pick, math.sqrt(max(float(aim @ covariance @ aim), 0.0))))
    return plan


def _noise_of_an_end(fit: CurveFit, rows: Array) -> Array:
    """(M,) variance of a measured end around its expectation."""
    at, images = fit.mode, fit.table.images
    coefficients = np.concatenate([[fit.end_level.mean()], fit.late.mean(0)])
    share = 1 / (1 + np.exp(-rows @ coefficients))
    counted = 1 / (images * share + 0.5) + 1 / (images * (1 - share) + 0.5)
    noise: Array = at.effects[0, 0] + at.kappa * counted + at.noise[-1] ** 2
    return noise
