"""Scheduler `hyperband`: several brackets, each an ASHA with a first rung of its own.

Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization" (JMLR 18, 2018): how long to wait
before the first comparison is a guess that may be wrong, so some configurations are compared late, and some not at all.
Brackets are asynchronous as in Li et al., "A System for Massively Parallel Hyperparameter Tuning" (arXiv 1810.05934,
section 3.3). Of a bracket with s rungs the share is that of the paper, eta^s / (s + 1), so that all cost alike.

Which bracket a configuration belongs to follows from its number alone: a record that is replayed decides alike, and an
extended search goes on with the same shares.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from wrn_search.schedulers.asha import asha_of
from wrn_search.schedulers.scheduler import Costs, Course, New, Scheduler, SchedulerKind, Stop, Wait

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Bracket:
    """One bracket."""

    rungs: tuple[int, ...]  # epochs; of the last bracket none: all of it trains to the end
    share: float  # of the configurations


def brackets_of(rungs: Sequence[int], reduction_factor: int, most: int | None = None) -> list[Bracket]:
    """The brackets of a search, those with the most rungs first.

    Args:
        rungs: of the search; each is the first one of a bracket, and one bracket has none.
        reduction_factor: eta.
        most: so many at most; None is all.
    """
    starts = range(len(rungs) + 1)[:most]
    weights = [reduction_factor ** float(-start) / (len(rungs) - start + 1) for start in starts]
    return [
        Bracket(tuple(rungs[start:]), weight / sum(weights))
        for start, weight in zip(starts, weights, strict=True)
    ]


def bracket_number(configuration: int, brackets: Sequence[Bracket]) -> int:
    """The place of a configuration's bracket.

    Multiples of the golden section fill an interval evenly, so after any number of configurations each bracket has its
    share but for one or two.
    """
    share = (configuration + 0.5) * _GOLDEN % 1
    ends = list(accumulate(bracket.share for bracket in brackets))
    return min(bisect_right(ends, share), len(brackets) - 1)


class Hyperband:
    """Asks of each configuration its own bracket.

    Args:
        course: of the search.
    """

    def __init__(self, course: Course):
        self._brackets = brackets_of(course.rungs, course.reduction_factor, course.brackets)
        self._schedulers = [
            asha_of(course, rungs=bracket.rungs, where=f" of bracket {number}")
            for number, bracket in enumerate(self._brackets, start=1)
        ]

    def observe(self, configuration: int, epoch: int, val_error: float, costs: Costs = ()) -> None:
        """Its bracket hears of it."""
        self._of(configuration).observe(configuration, epoch, val_error, costs)

    def decide(self, configuration: int, epoch: int) -> Stop | Wait | None:
        """By those of its bracket."""
        return self._of(configuration).decide(configuration, epoch)

    def goes_on(self, configuration: int, epoch: int) -> None:
        """It counts in its bracket."""
        self._of(configuration).goes_on(configuration, epoch)

    def next_to_take_up(
        self, waiting: Mapping[int, int], at_least: int, new: New | None = None
    ) -> int | None:
        """Of those that their brackets would take up, the one that has come the furthest; then by bracket."""
        found = [scheduler.next_to_take_up(waiting, at_least) for scheduler in self._schedulers]
        return max((each for each in found if each is not None), key=waiting.__getitem__, default=None)

    def left_behind(self, configuration: int, epoch: int) -> Stop:
        """By all of its bracket that had arrived when the search was over."""
        return self._of(configuration).left_behind(configuration, epoch)

    def _of(self, configuration: int) -> Scheduler:
        return self._schedulers[bracket_number(configuration, self._brackets)]


HYPERBAND = SchedulerKind(
    Hyperband, lets_wait=True, takes_several_objectives=True, own_keys=frozenset({"brackets"})
)
