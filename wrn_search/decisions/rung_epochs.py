"""Rungs: at which epochs trials are compared. Pure functions of plain numbers.

`rungs: schedule` puts them right after the drops of the learning rate, because rankings before the first drop say
little about the end; where there are no drops they begin early. Which trials go on at a rung is the scheduler's matter (`schedulers/`).
"""

from __future__ import annotations

from collections.abc import Sequence

from wrn_search.decisions.image_facts import DataFacts
from wrn_search.schedulers.scheduler import Course
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.searchers.anchors import anchor_share
from wrn_search.space.space import Space
from wrn_search.training.learning_rate import drop_epochs


def rungs_of(space: Space) -> tuple[int, ...]:
    """The rungs of a space in epochs, rising, all below `training.epochs`; empty without a scheduler."""
    search, training = space.search, space.training
    if not SCHEDULERS[search.scheduler].stops_trials:
        return ()
    if isinstance(search.rungs, tuple):
        return _below(search.rungs, training.epochs)
    if search.rungs == "geometric":
        return geometric_rungs(search.grace_period, search.reduction_factor, training.epochs)
    return schedule_rungs(training.lr_schedule, training.lr_drops, training.epochs)


def anchor_share_of(space: Space) -> float:
    """Which share of the configurations of a space are anchors; 0 where no trial is stopped."""
    search = space.search
    return anchor_share(search.anchors, rungs_of(space), search.reduction_factor, space.training.epochs)


def course_of(space: Space, facts: DataFacts) -> Course:
    """What the scheduler must know of a search."""
    return Course(
        rungs_of(space),
        space.search.rungs == "schedule" and _has_drops(space.training.lr_schedule, space.training.lr_drops),
        space.search.reduction_factor,
        facts.chance_error,
        facts.validation_images,
        space.search.repeats,
        space.search.promote,
    )


def schedule_rungs(lr_schedule: str, lr_drops: Sequence[float], epochs: int) -> tuple[int, ...]:
    """The first epoch of each lower learning rate; without drops 1/54, 1/18, 1/6 and 1/2 of the epochs.

    Where the rate falls evenly along a cosine, or stays, errors fall evenly too, and early ones say much of the end: on
    recorded curves a search with these rungs came as far in half of the epochs that it needed without the first
    (`benchmarks/README.md`, what made the default quick).
    """
    if not _has_drops(lr_schedule, lr_drops):
        return _below([max(1, round(epochs / part)) for part in (54, 18, 6, 2)], epochs)
    return _below(drop_epochs(tuple(lr_drops), epochs), epochs)


def _has_drops(lr_schedule: str, lr_drops: Sequence[float]) -> bool:
    return lr_schedule == "step" and len(lr_drops) > 0


def geometric_rungs(grace_period: int, reduction_factor: int, epochs: int) -> tuple[int, ...]:
    """grace_period * reduction_factor ** i below `epochs`, in integers: no logarithm loses a rung."""
    rungs = []
    rung = grace_period
    while rung < epochs:
        rungs.append(rung)
        rung *= reduction_factor
    return tuple(rungs)


def _below(rungs: Sequence[int], epochs: int) -> tuple[int, ...]:
    return tuple(sorted({rung for rung in rungs if rung < epochs}))
