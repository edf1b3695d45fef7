"""The hypervolume of a front: how much of the space up to a reference point it dominates (Zitzler and Thiele, 1999)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from wrn_search.objectives.dominance import Values, is_on_front


def hypervolume(outcomes: Sequence[Sequence[float]], reference: Sequence[float]) -> float:
    """The volume that outcomes dominate up to the reference point, all values to be low.

    Outcomes that are not better than the reference point in everything dominate nothing of it. By slices along the last
    objective (While et al., "A Faster Algorithm for Calculating Hypervolume", 2006): for fronts of some hundred.

    Args:
        outcomes: (n, d).
        reference: (d,) the worst corner.
    """
    inside = [tuple(each) for each in outcomes if all(v < r for v, r in zip(each, reference, strict=True))]
    return _volume(inside, tuple(reference))


def _volume(inside: list[Values], reference: Values) -> float:
    if not inside:
        return 0.0
    *others, last = reference
    if not others:
        return last - min(each[0] for each in inside)
    front = sorted({each for each, kept in zip(inside, is_on_front(inside), strict=True) if kept})
    front.sort(key=lambda each: each[-1])
    ends = [each[-1] for each in front[1:]] + [last]
    if len(others) == 1:  # the first values fall as the last ones rise
        return math.fsum(
            (end - each[-1]) * (reference[0] - each[0]) for each, end in zip(front, ends, strict=True)
        )
    return math.fsum(
        (end - each[-1]) * _volume([other[:-1] for other in front[: count + 1]], tuple(others))
        for count, (each, end) in enumerate(zip(front, ends, strict=True))
        if end > each[-1]
    )


@dataclass(frozen=True)
class Box:
    """The part of the space of objectives in which a search's front is measured, every axis by its logarithm.

    A half of the error counts as much as a half of the network, wherever that is.
    """

    ideal: tuple[float, ...]  # of each objective the lowest value that counts as better; above 0
    reference: tuple[float, ...]  # the worst corner, above `ideal`

    def share(self, outcomes: Sequence[Sequence[float]]) -> float:
        """The share of the box that outcomes dominate, from 0 to 1.

        Args:
            outcomes: (n, d) as measured; a value below the ideal one counts as that.
        """
        corner = [math.log(worst / best) for best, worst in zip(self.ideal, self.reference, strict=True)]
        points = [
            [math.log(max(value, best) / best) for value, best in zip(each, self.ideal, strict=True)]
            for each in outcomes
        ]
        return hypervolume(points, corner) / math.prod(corner)
