"""Scheduler `curves`: what goes on is what is worth most to the goal of the search, for what it costs.

Freeze-thaw search (Swersky, Snoek and Adams, arXiv 1406.3896): each configuration waits at each level. It is compared
with all others that wait, and with what the searcher would begin next, by what the epochs are worth: by the expected
improvement of the end (`search.goal: best`, `curve_process/known_curves.py`), or by how much they narrow depth against
width (`tradeoff`, `searchers/by_curves/known_effects.py`).

When nothing new will come, those go on that still matter: that may be the best, or while the question is open. When
there is none left the search is over.
"""

from __future__ import annotations

from collections.abc import Mapping

from wrn_search.schedulers.scheduler import Costs, Course, New, Scheduler, SchedulerKind, Stop, Wait


class CurvesScheduler:
    """Lets every configuration wait at every level.

    Args:
        course: of the search; its `curves`, if it has them, are told of proposals and ends by somebody else.
    """

    def __init__(self, course: Course):
        import numpy as np

        from wrn_search.curve_process.known_curves import KnownCurves

        self._rungs = frozenset(course.rungs)
        self._gone_on: dict[int, int] = {}  # configuration -> the last level that it has left
        self._tells = course.curves is None
        # Without hyperparameters all are alike but for what was seen of them.
        self._curves = course.curves or KnownCurves(
            lambda hparams: np.zeros(0),
            np.zeros((1, 0)),
            course.rungs,
            course.epochs,
            course.validation_images,
            course.drops,
        )

    def observe(self, configuration: int, epoch: int, val_error: float, costs: Costs = ()) -> None:
        """A value at a level, or at the end."""
        if self._tells:
            self._curves.begins(configuration, {})
        if epoch in self._rungs or epoch == self._curves.epochs:
            self._curves.reaches(configuration, epoch, val_error)
            self._curves.rests(configuration)

    def decide(self, configuration: int, epoch: int) -> Wait | None:
        """It waits at every level that it has not left."""
        if epoch not in self._rungs or epoch <= self._gone_on.get(configuration, 0):
            return None
        return Wait(epoch, "goes on when that is the best use of the next epochs")

    def goes_on(self, configuration: int, epoch: int) -> None:
        """It trains."""
        self._gone_on[configuration] = max(epoch, self._gone_on.get(configuration, 0))
        self._curves.trains(configuration)

    def next_to_take_up(
        self, waiting: Mapping[int, int], at_least: int, new: New | None = None
    ) -> int | None:
        """The one that is worth most, if that is more than something new is, or may be best when nothing new comes."""
        if new is not None and new.due:
            return None
        known = [each for each in self._curves.considered() if each in waiting]
        if not known:
            return min(waiting) if waiting and self._must_end(at_least) else None
        curves, hparams = self._curves, new.hparams() if new is not None else None
        worth = dict(zip(known, map(float, curves.worth_of(known)), strict=True))
        best = max(known, key=lambda each: worth[each])
        if hparams is not None:
            beginning = max(float(curves.worth_by([hparams])[0]), curves.typical_worth())
            return best if worth[best] >= beginning else None
        if candidates := curves.still_open(known):
            return max(candidates, key=lambda each: worth[each])
        return best if self._must_end(at_least) else None

    def _must_end(self, at_least: int) -> bool:
        """Whether one must come to its end: none has, or those that did have all diverged."""
        return at_least > 1 or (at_least == 1 and not self._curves.anyone_at_the_end)

    def left_behind(self, configuration: int, epoch: int) -> Stop:
        """By what was expected of it."""
        if not self._curves.knows(configuration):
            return Stop(epoch, "another space of this search had proposed it")
        return Stop(epoch, self._curves.why_left(configuration))


def _make(course: Course) -> Scheduler:
    return CurvesScheduler(course)


CURVES = SchedulerKind(_make, by_curves=True)
