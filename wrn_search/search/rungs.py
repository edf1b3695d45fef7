"""Rungs: at which epochs trials are compared, and which of them go on. Pure functions of plain numbers.

Successive halving that stops, decided asynchronously (Li et al., ASHA, arXiv 1810.05934, algorithm 2, in the form
that never pauses a trial). What is ours is where the rungs stand: `rungs: schedule` puts them right after the
drops of the learning rate, because rankings before the first drop say little about the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from wrn_search.space.definition import Space
from wrn_search.training.schedule import drop_epochs


def rungs_of(space: Space) -> tuple[int, ...]:
    """The rungs of a space in epochs, rising, all below `training.epochs`; empty without a scheduler."""
    search, training = space.search, space.training
    if search.scheduler == "none":
        return ()
    if isinstance(search.rungs, tuple):
        return _below(search.rungs, training.epochs)
    if search.rungs == "geometric":
        return geometric_rungs(search.grace_period, search.reduction_factor, training.epochs)
    return schedule_rungs(training.lr_schedule, training.lr_drops, training.epochs)


def schedule_rungs(lr_schedule: str, lr_drops: Sequence[float], epochs: int) -> tuple[int, ...]:
    """The first epoch of each lower learning rate; for a cosine, half and three quarters of the epochs."""
    if lr_schedule == "cosine":
        return _below((max(1, round(epochs / 2)), max(1, round(3 * epochs / 4))), epochs)
    return _below(drop_epochs(tuple(lr_drops), epochs), epochs)


def geometric_rungs(grace_period: int, reduction_factor: int, epochs: int) -> tuple[int, ...]:
    """grace_period * reduction_factor ** i below `epochs`, in integers: no logarithm loses a rung."""
    rungs = []
    rung = grace_period
    while rung < epochs:
        rungs.append(rung)
        rung *= reduction_factor
    return tuple(rungs)


def goes_on(value: float, values: Sequence[float], reduction_factor: int) -> bool:
    """Whether a trial with `value` goes on, `values` being those of all trials that reached the rung, its own too.

    One in `reduction_factor` goes on, at least one; a tie with the last that goes on goes on too. Lower is better.
    """
    assert value in values, (value, values)
    places = max(1, len(values) // reduction_factor)
    return sum(other < value for other in values) < places


def at_chance(val_error: float, chance_error: float, validation_images: int) -> bool:
    """Whether an error cannot be told from guessing: within two binomial standard deviations of it, or worse.

    Args:
        val_error: percent.
        chance_error: percent; the error of always answering the most frequent class.
        validation_images: how many images `val_error` was counted on.
    """
    deviation = math.sqrt(chance_error * (100 - chance_error) / validation_images)
    return val_error >= chance_error - 2 * deviation


def _below(rungs: Sequence[int], epochs: int) -> tuple[int, ...]:
    return tuple(sorted({rung for rung in rungs if rung < epochs}))
