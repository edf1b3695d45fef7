"""Rungs: at which epochs trials are compared. Pure functions of plain numbers.

`rungs: schedule` puts them right after the drops of the learning rate, because rankings before the first drop say
little about the end. Which trials go on at a rung is the scheduler's matter (`schedulers/`).
"""

from __future__ import annotations

from collections.abc import Sequence

from wrn_search.decisions.image_facts import DataFacts
from wrn_search.schedulers.scheduler import Course
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.space.space import Space
from wrn_search.training.learning_rate import drop_epochs


def rungs_of(space: Space) -> tuple[int, ...]:
    """The rungs of a space in epochs, rising, all below `training.epochs`; empty without a scheduler."""
    search, training, kind = space.search, space.training, SCHEDULERS[space.search.scheduler]
    if not kind.stops_trials:
        return ()
    if isinstance(search.rungs, tuple):
        return _below(search.rungs, training.epochs)
    if search.rungs == "geometric":
        return geometric_rungs(search.grace_period, search.reduction_factor, training.epochs)
    rungs = schedule_rungs(training.lr_schedule, training.lr_drops, training.epochs)
    return tuple(rung for rung in rungs if not kind.has_grace or rung >= search.grace_period)


def course_of(space: Space, facts: DataFacts) -> Course:
    """What the scheduler must know of a search."""
    return Course(
        rungs_of(space),
        space.search.rungs == "schedule",
        space.search.reduction_factor,
        facts.chance_error,
        facts.validation_images,
        space.search.repeats,
        space.search.promote,
        space.search.brackets,
        space.search.grace_period,
        space.search.min_samples,
    )


def schedule_rungs(lr_schedule: str, lr_drops: Sequence[float], epochs: int) -> tuple[int, ...]:
    """The first epoch of each lower learning rate; for a cosine an eighteenth, a sixth and half of the epochs.

    Errors fall evenly along a cosine, and early ones say much of the end: on recorded curves these rungs had a lower
    regret than half and three quarters, which stood here before (`benchmarks/README.md`, early rungs for a cosine).
    """
    if lr_schedule == "cosine":
        return _below([max(1, round(epochs / part)) for part in (18, 6, 2)], epochs)
    return _below(drop_epochs(tuple(lr_drops), epochs), epochs)


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
