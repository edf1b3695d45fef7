"""Rungs: at which epochs trials are compared. Pure functions of plain numbers.

`rungs: schedule` puts them right after the drops of the learning rate, because rankings before the first drop say
little about the end; where there are no drops they begin early. Which trials go on at a rung is the scheduler's matter
(`schedulers/`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wrn_search.decisions.image_facts import DataFacts
from wrn_search.schedulers.scheduler import Course
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.searchers.anchors import anchor_share
from wrn_search.searchers.by_curves.curves_searcher import doubled_levels, known_curves, known_effects
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.space import Space
from wrn_search.training.learning_rate import cooldown_epoch, drop_epochs

if TYPE_CHECKING:
    from wrn_search.curve_process.curves_of_search import CurvesOfSearch


def rungs_of(space: Space) -> tuple[int, ...]:
    """The rungs of a space in epochs, rising, all below `training.epochs`; empty without a scheduler."""
    search, training, kind = space.search, space.training, SCHEDULERS[space.search.scheduler]
    if not kind.stops_trials:
        return ()
    if isinstance(search.rungs, tuple):
        return _below(search.rungs, training.epochs)
    if SCHEDULERS[search.scheduler].by_curves and search.rungs == "schedule":
        return _after(space.longest_warm_up, curve_levels(drops_of(space), training.epochs))
    if search.rungs == "geometric":
        return geometric_rungs(search.grace_period, search.reduction_factor, training.epochs)
    rungs = schedule_rungs(training.lr_schedule, training.lr_drops, training.epochs, training.lr_cooldown)
    rungs = _after(space.longest_warm_up, rungs)
    return tuple(rung for rung in rungs if not kind.has_grace or rung >= search.grace_period)


def anchor_share_of(space: Space) -> float:
    """Which share of the configurations of a space are anchors; 0 where no trial is stopped."""
    search, epochs = space.search, space.training.epochs
    return anchor_share(
        search.anchors, search.anchor_epochs, rungs_of(space), search.reduction_factor, epochs
    )


def course_of(space: Space, facts: DataFacts, curves: CurvesOfSearch | None = None) -> Course:
    """What the scheduler must know of a search."""
    return Course(
        rungs_of(space),
        space.search.rungs == "schedule" and space.has_drops,
        space.search.reduction_factor,
        facts.chance_error,
        facts.validation_images,
        space.search.repeats,
        space.search.promote,
        space.brackets,
        space.search.grace_period,
        space.search.min_samples,
        space.training.epochs,
        drops_of(space),
        curves,
        space.objectives,
    )


def known_curves_of(space: Space, validation_images: int, chance_error: float) -> CurvesOfSearch | None:
    """What the searcher and the scheduler learn of the curves together; None where neither goes by them."""
    scheduler = SCHEDULERS[space.search.scheduler]
    if not (scheduler.by_curves or SEARCHERS[space.search.searcher].by_curves):
        return None
    levels = rungs_of(space) if scheduler.stops_trials else doubled_levels(1, space.training.epochs)
    if space.search.goal == "tradeoff":
        return known_effects(space.searched, levels, validation_images, chance_error)
    return known_curves(space.searched, levels, validation_images, drops_of(space))


def drops_of(space: Space) -> tuple[int, ...]:
    """The first epoch of each lower learning rate, and of wsd's cooldown; none where the rate falls all the way."""
    training = space.training
    if training.lr_schedule == "wsd":
        return _below([cooldown_epoch(training.epochs, training.lr_cooldown)], training.epochs)
    if training.lr_schedule != "step":
        return ()
    return _below(drop_epochs(tuple(training.lr_drops), training.epochs), training.epochs)


def schedule_rungs(
    lr_schedule: str, lr_drops: Sequence[float], epochs: int, lr_cooldown: float = 0.2
) -> tuple[int, ...]:
    """The first epoch of each lower learning rate; without drops 1/54, 1/18, 1/6 and 1/2 of the epochs.

    Where the rate falls evenly along a cosine, or stays, errors fall evenly too, and early ones say much of the end: on
    recorded curves a search with these rungs came as far in half of the epochs that it needed without the first
    (`benchmarks/README.md`, what made the default quick). So they are for linear and onecycle, too. The cooldown of wsd
    is like a long drop: what is compared in it is compared best before it, where all have the same rate and what
    it costs can still be saved.
    """
    if lr_schedule != "step" or not lr_drops:
        even = [max(1, round(epochs / part)) for part in (54, 18, 6, 2)]
        stable = cooldown_epoch(epochs, lr_cooldown) - 1
        if lr_schedule == "wsd" and stable:
            even = [min(rung, stable) for rung in even]
        return _below(even, epochs)
    return _below(drop_epochs(tuple(lr_drops), epochs), epochs)


def geometric_rungs(grace_period: int, reduction_factor: int, epochs: int) -> tuple[int, ...]:
    """grace_period * reduction_factor ** i below `epochs`, in integers: no logarithm loses a rung."""
    rungs = []
    rung = grace_period
    while rung < epochs:
        rungs.append(rung)
        rung *= reduction_factor
    return tuple(rungs)


def curve_levels(drops: Sequence[int], epochs: int) -> tuple[int, ...]:
    """Where a search by curves compares: right after each drop of the learning rate, and after 1, 2, 4, 8, ... epochs.

    Of these none that is near a drop or the end, a quarter more or less: so short a way would always look cheap.
    """
    doubled = [
        level
        for level in doubled_levels(1, epochs)
        if not any(level / 1.25 <= at <= level * 1.25 for at in (*drops, epochs))
    ]
    return _below([*doubled, *drops], epochs)


def _after(warm_up: int, rungs: Sequence[int]) -> tuple[int, ...]:
    """None within a warm-up: how a trial bears a low rate says nothing of the full one."""
    return tuple(rung for rung in rungs if rung > warm_up)


def _below(rungs: Sequence[int], epochs: int) -> tuple[int, ...]:
    return tuple(sorted({rung for rung in rungs if rung < epochs}))
