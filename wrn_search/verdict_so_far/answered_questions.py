"""Which of a search's questions are answered, at a level that withstands being asked again and again.

Whoever looks at a growing search until something is at 95 % finds something in more than one search in twenty: looks
are many tries. So a look asks for more (`LEVEL`), as Pocock's boundary does for ten looks (Biometrika 64, 1977: 2.555
deviations instead of 1.96), and a search is decided when `IN_A_ROW` looks in a row have answered every question.
`benchmarks/decided_searches.py` counts false decisions of planted searches.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from wrn_search.curves.anchor_audit import audit_by_anchors
from wrn_search.curves.curve_fit import CurveFit, fit
from wrn_search.curves.effects import DEPTH_VS_WIDTH, size_contrasts, verdict_of
from wrn_search.curves.ends.ends_of_cells import expected_errors
from wrn_search.curves.observed_curves import ObservedCurves
from wrn_search.curves.settings_of_cells import best_setting, cells_of, end_draws

LEVEL = 0.99
IN_A_ROW = 2
FIRST, STEP, GROWTH = 24, 8, 1.3  # configurations ended at the first look; from one to the next, the larger
DRAWS, SEED = 200, 0
# As in the report: relative change of the odds that makes no difference; within what a network is as good, the larger.
EFFECT_MARGIN, POINTS, SHARE = 0.1, 0.5, 0.1
WINNER, SMALLEST = "winner", "smallest_as_good"
Pair = tuple[float, float]


@dataclass(frozen=True)
class Answer:
    """What a look says of one question: a verdict, or the (depth, widening factor) of a network."""

    question: str
    verdict: str = ""
    network: Pair | None = None


def next_look(last: int | None) -> int:
    """At how many configurations that have ended the next look is due, the last one having been at so many."""
    return FIRST if last is None else max(last + STEP, math.ceil(GROWTH * last))


def is_decided(looks: Sequence[Mapping[str, object]]) -> bool:
    """Whether the last `IN_A_ROW` looks, question -> answer or None, leave nothing open and agree on every effect."""
    last = looks[-IN_A_ROW:]
    if len(last) < IN_A_ROW or any(not each or None in each.values() for each in last):
        return False
    effects = [{name: each[name] for name in each if name not in (WINNER, SMALLEST)} for each in last]
    return all(first == second for first, second in itertools.pairwise(effects))


def answers_of(
    table: ObservedCurves, size: Mapping[Pair, int], level: float = LEVEL
) -> dict[str, Answer | None]:
    """Question -> its answer, or None while it is open. All are open where anchors show that the model is wrong.

    Args:
        table: the trials so far.
        size: parameters of each network by (depth, widening factor); those without are no candidates.
        level: of each answer.
    """
    try:
        found = answers_of_fit(fit(table, SEED, DRAWS), size, level)
        if found and None not in found.values() and not audit_by_anchors(table, seed=SEED).passed:
            return dict.fromkeys(found)
    except (ValueError, ArithmeticError, np.linalg.LinAlgError):
        return {WINNER: None, SMALLEST: None}
    return found


def answers_of_fit(chosen: CurveFit, size: Mapping[Pair, int], level: float) -> dict[str, Answer | None]:
    """The same of a fit, without the audit.

    Depth against width (or the one of them that varies) by its interval and the margin of the report. The winner when
    the network that is most surely within the margin of the best is so with probability `level`; the smallest as good
    is the smallest that is so as surely, when with that probability all smaller ones are worse. The probabilities are
    those of all networks of the space together, each at its own best setting of everything else.
    """
    cells = [cell for cell in cells_of(chosen) if cell in size]
    found: dict[str, Answer | None] = _effect(chosen, cells, level)
    found[WINNER], found[SMALLEST] = _networks(chosen, cells, size, level)
    return found


def _effect(chosen: CurveFit, cells: Sequence[Pair], level: float) -> dict[str, Answer | None]:
    contrasts = size_contrasts(chosen, cells)
    if DEPTH_VS_WIDTH in contrasts:
        contrasts = {DEPTH_VS_WIDTH: contrasts[DEPTH_VS_WIDTH]}
    reach = float(ndtri((1 + level) / 2))
    found: dict[str, Answer | None] = {}
    for question, contrast in contrasts.items():
        values = chosen.late @ contrast
        middle, deviation = float(values.mean()), float(values.std(ddof=1))
        low, high = (math.exp(middle + sign * reach * deviation) for sign in (-1, 1))
        verdict = verdict_of(low, high, EFFECT_MARGIN)
        found[question] = None if verdict == "undecided" else Answer(question, verdict)
    return found


def _networks(
    chosen: CurveFit, cells: Sequence[Pair], size: Mapping[Pair, int], level: float
) -> tuple[Answer | None, Answer | None]:
    """(the winner, the smallest as good), each None while it is open."""
    if not cells:
        return None, None
    errors = expected_errors(chosen, end_draws(chosen, [best_setting(chosen, cell) for cell in cells]))
    above = errors - errors.min(1, keepdims=True)
    margin = max(POINTS, SHARE * float(errors.mean(0).min()))
    within = (above <= margin).mean(0)
    best = int(np.lexsort((errors.mean(0), -within))[0])
    sizes = np.array([size[cell] for cell in cells])
    good = [place for place in range(len(cells)) if within[place] >= level]
    if not good:
        return None, None
    smallest = min(good, key=lambda place: sizes[place])
    surely = float((above[:, sizes < sizes[smallest]] > 0).all(1).mean())
    answer = Answer(SMALLEST, network=cells[smallest]) if surely >= level else None
    return Answer(WINNER, network=cells[best]), answer
