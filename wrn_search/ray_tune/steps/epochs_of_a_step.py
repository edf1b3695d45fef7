"""How many epochs a step of Ray is: short ones share what a step costs the driver, some tens of milliseconds.

Nothing is decided between rungs, so that a step may go on to the next one, or to the last epoch; only what it takes
counts, since the display, and whoever ends a search, wait for it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection

SECONDS = "WRN_SEARCH_STEP_SECONDS"
_DEFAULT_SECONDS = 1.0


def seconds_of_a_step() -> float:
    """That a step of several epochs may take: $WRN_SEARCH_STEP_SECONDS, else one; with 0 each epoch is a step."""
    try:
        seconds = float(os.environ.get(SECONDS) or _DEFAULT_SECONDS)
    except ValueError:
        return _DEFAULT_SECONDS
    return seconds if math.isfinite(seconds) and seconds >= 0 else _DEFAULT_SECONDS


def told_of_steps(limit: float | None, *, paid: bool) -> dict[str, float | None]:
    """What a trial's process must know of steps: an epoch's limit in seconds, and what a step of several may take.

    Args:
        limit: of an epoch, `search.trial_timeout`.
        paid: whether the budget pays for the way to the next rung; else each epoch is looked at.
    """
    return {
        "epoch_seconds": limit,
        "step_seconds": min(seconds_of_a_step(), limit or math.inf) if paid else 0.0,
    }


def goes_on(epoch: int, ends: Collection[int], *, passed: float, took: float, most: float) -> bool:
    """Whether the next epoch belongs to the same step. Pure.

    Args:
        epoch: that was completed.
        ends: epochs that end a step: the rungs and the last one.
        passed: seconds since the step began.
        took: seconds of that epoch, validation included; the next one will take as long.
        most: seconds of a step; 0: each epoch is one.
    """
    return most > 0 and epoch < max(ends, default=0) and epoch not in ends and passed + took <= most
