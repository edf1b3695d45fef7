"""Which of several outcomes is better where more than one value is to be low: the one place where that is decided.

Non-dominated sorting and crowding distance as NSGA-II has them (Deb, Pratap, Agarwal and Meyarivan, IEEE Transactions
on Evolutionary Computation 6(2), 2002, sections III-A and III-B). An outcome's rank is the number of its front: on
front 0 are those that no other dominates, on front 1 those that only front 0 does, and so on. Within a front those come
first that stand alone, so that all of the front goes on and not one end of it. Multi-objective successive halving
promotes by non-dominated rank too (Schmucker et al., "Multi-objective Asynchronous Successive Halving", arXiv
2106.12639).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

Values: TypeAlias = tuple[float, ...]  # of one outcome, an entry for each objective; lower is better
Key: TypeAlias = tuple[int, float]  # (front, -crowding distance): the lowest comes first

_SMALLEST = 1e-300  # of what a logarithm is taken


def comparable(val_error: float, costs: Sequence[float | None], chance_error: float) -> Values:
    """An outcome as values that can be ranked: the error, and the logarithms of the costs.

    Networks of 1 and 2 million parameters are as far apart as those of 10 and 20. Who is at the error of guessing, or
    diverged, is behind all others however small it is, and a cost that nobody knows is behind all that are known.

    Args:
        val_error: percent.
        costs: of the other objectives, above 0.
        chance_error: percent.
    """
    if not val_error < chance_error:  # NaN too
        return (math.inf,) * (1 + len(costs))
    known = (math.inf if cost is None or math.isnan(cost) else cost for cost in costs)
    return val_error, *(math.log(max(cost, _SMALLEST)) for cost in known)


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether `one` is nowhere worse and somewhere better."""
    return all(a <= b for a, b in zip(one, other, strict=True)) and any(
        a < b for a, b in zip(one, other, strict=True)
    )


def fronts_of(outcomes: Sequence[Sequence[float]]) -> list[int]:
    """The front of each outcome, from 0; equal ones are on the same. A NaN is worse than any number.

    Args:
        outcomes: (n, d), d at least 1.
    """
    clean = [_clean(each) for each in outcomes]
    distinct = sorted(set(clean))
    front = _two_by_two(distinct) if distinct and len(distinct[0]) == 2 else _one_by_one(distinct)
    return [front[each] for each in clean]


def is_on_front(outcomes: Sequence[Sequence[float]]) -> list[bool]:
    """Which outcomes no other dominates."""
    return [front == 0 for front in fronts_of(outcomes)]


def order_of_outcomes(outcomes: Sequence[Sequence[float]]) -> list[Key]:
    """A key for each outcome: whose is lower comes first; equal outcomes have equal keys.

    Args:
        outcomes: (n, d), d at least 1.
    """
    clean = [_clean(each) for each in outcomes]
    fronts = dict(zip(clean, fronts_of(clean), strict=True))
    members: dict[int, list[Values]] = {}
    for each, front in fronts.items():
        members.setdefault(front, []).append(each)
    alone = {each: distance for front in members.values() for each, distance in _crowding(front).items()}
    return [(fronts[each], -alone[each]) for each in clean]


def _clean(outcome: Sequence[float]) -> Values:
    return tuple(math.inf if math.isnan(value) else float(value) for value in outcome)


def _two_by_two(rising: Sequence[Values]) -> dict[Values, int]:
    """In O(n log n): by rising first value, an outcome is behind each front that has had a second one as low."""
    lowest: list[float] = []  # of the second values of each front so far; they rise from front to front
    found = {}
    for each in rising:
        front = bisect_right(lowest, each[1])
        lowest[front : front + 1] = [each[1]]
        found[each] = front
    return found


def _one_by_one(rising: Sequence[Values]) -> dict[Values, int]:
    """The first front without anyone that dominates it (Zhang et al., "ENS-BS", 2015: fronts are nested)."""
    fronts: list[list[Values]] = []
    found = {}
    for each in rising:  # those that dominate it stand before it
        low, high = 0, len(fronts)
        while low < high:
            middle = (low + high) // 2
            if any(dominates(other, each) for other in reversed(fronts[middle])):
                low = middle + 1
            else:
                high = middle
        if low == len(fronts):
            fronts.append([])
        fronts[low].append(each)
        found[each] = low
    return found


def _crowding(front: Sequence[Values]) -> dict[Values, float]:
    """Distance of the two neighbours on each objective, as a share of the front's range; infinite at the ends."""
    distance = dict.fromkeys(front, 0.0)
    for objective in range(len(front[0])):
        rising = sorted(front, key=lambda each: each[objective])
        distance[rising[0]] = distance[rising[-1]] = math.inf
        span = rising[-1][objective] - rising[0][objective]
        if not 0 < span < math.inf:
            continue
        for (before, _), (each, after) in pairwise(pairwise(rising)):
            distance[each] += (after[objective] - before[objective]) / span
    return distance
