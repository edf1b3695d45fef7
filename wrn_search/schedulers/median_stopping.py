"""Scheduler `median`: a configuration ends whose best error is above the median of the others' averages.

Golovin et al., "Google Vizier: A Service for Black-Box Optimization" (KDD 2017), section 3.2.2: a trial ends at a step
where its best value up to there is worse than the median of the running averages, up to the same step, of the trials
that have been there. No curve is fitted, and as a best value is set against averages, only what is clearly worse ends.

Here it is asked at rungs, and those that have been there are all that arrived before, whether they have ended since or
still train. Averages begin with `grace_period`, as Ray Tune's do; with 1 they are those of the paper. A configuration
that ends is over: nothing waits.

With several objectives its best error and its costs are set against the others' averages and costs by non-dominated
sorting: it ends where more than half of the others lie on better fronts. With one objective that is the same rule.
"""

from __future__ import annotations

import statistics
from bisect import insort
from dataclasses import dataclass, field

from wrn_search.objectives.dominance import Values, comparable, fronts_of
from wrn_search.schedulers.error_of_guessing import at_chance, end_of_guessing
from wrn_search.schedulers.scheduler import Costs, Course, NothingWaits, Scheduler, SchedulerKind, Stop


@dataclass
class _Course:
    """What a configuration has reported since the grace period."""

    last: int = 0  # epoch
    reports: int = 0
    total: float = 0.0  # of the errors, percent
    best: float = float("inf")


@dataclass(frozen=True)
class _Standing:
    """How a configuration stood when it arrived at a rung."""

    val_error: float  # percent, there
    best: float  # up to there
    others: int  # that had been there
    median: float  # of their averages; NaN without any
    ahead: int = 0  # with several objectives: of the others those on better fronts


@dataclass
class MedianStopping(NothingWaits):
    """Its memory: the averages of all that have arrived at each rung."""

    rungs: tuple[int, ...]
    grace_period: int
    min_samples: int
    chance_error: float | None  # percent; None lets those at chance go on
    validation_images: int
    compared: str = "trials"
    objectives: tuple[str, ...] = ("val_error",)
    worst: float = 100.0  # percent: with several objectives an error from here on is behind all others
    _courses: dict[int, _Course] = field(default_factory=dict)  # by configuration
    _averages: dict[int, list[float]] = field(default_factory=dict)  # rung -> rising
    _outcomes: dict[int, list[Values]] = field(default_factory=dict)  # rung -> averages and costs
    _standings: dict[tuple[int, int], _Standing] = field(default_factory=dict)  # (configuration, rung)

    def observe(self, configuration: int, epoch: int, val_error: float, costs: Costs = ()) -> None:
        """The first report of an epoch counts; those before the grace period do not."""
        course = self._courses.setdefault(configuration, _Course())
        if epoch < self.grace_period or epoch <= course.last:
            return
        course.last, course.reports = epoch, course.reports + 1
        course.total += val_error
        course.best = min(course.best, val_error)
        if epoch in self.rungs:
            averages = self._averages.setdefault(epoch, [])
            median = statistics.median(averages) if averages else float("nan")
            ahead = self._ahead(epoch, course, costs) if len(self.objectives) > 1 else 0
            self._standings[configuration, epoch] = _Standing(
                val_error, course.best, len(averages), median, ahead
            )
            insort(averages, course.total / course.reports)

    def decide(self, configuration: int, epoch: int) -> Stop | None:
        """By those that had been at the rung when this one arrived, so that a replay decides alike."""
        standing = self._standings.get((configuration, epoch))
        if standing is None:
            return None
        guessing = self.chance_error is not None and at_chance(
            standing.val_error, self.chance_error, self.validation_images
        )
        if guessing:
            return end_of_guessing(epoch, standing.val_error)
        if standing.others < self.min_samples:
            return None
        if len(self.objectives) > 1:
            return self._by_fronts(epoch, standing)
        if standing.best <= standing.median:
            return None
        what = f"the median of the averages of the {standing.others} {self.compared} before it at this rung"
        return Stop(epoch, f"lowest error {standing.best:.2f} % is above {standing.median:.2f} %, {what}")

    def _ahead(self, epoch: int, course: _Course, costs: Costs) -> int:
        """How many of those that were there before are on better fronts; it is one of them from now on."""
        others = self._outcomes.setdefault(epoch, [])
        *theirs, own = fronts_of([*others, comparable(course.best, costs, self.worst)])
        others.append(comparable(course.total / course.reports, costs, self.worst))
        return sum(front < own for front in theirs)

    def _by_fronts(self, epoch: int, standing: _Standing) -> Stop | None:
        if 2 * standing.ahead <= standing.others:
            return None
        where = f"on better fronts of {' and '.join(self.objectives)}"
        text = (
            f"{standing.ahead} of the {standing.others} {self.compared} before it at this rung were {where}"
        )
        return Stop(epoch, text)


def _make(course: Course) -> Scheduler:
    chance = course.chance_error if course.rungs_follow_schedule else None
    images, compared = course.validation_images, course.compared
    return MedianStopping(
        course.rungs,
        course.grace_period,
        course.min_samples,
        chance,
        images,
        compared,
        course.objectives,
        course.chance_error,
    )


MEDIAN = SchedulerKind(
    _make,
    hears_every_epoch=True,
    has_grace=True,
    takes_several_objectives=True,
    own_keys=frozenset({"min_samples"}),
)
