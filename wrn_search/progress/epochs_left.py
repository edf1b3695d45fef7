"""How many epochs a search still has to train: at first what was forecast, more and more what its trials came to.

Trials that wait at a rung may go on, so early those that ended or wait tell too few epochs; the forecast has played the
scheduler to its end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def predicted_per_trial(details: Mapping[str, Any]) -> float | None:
    """Mean epochs of a trial by the forecast that a session put on record; None where there is none that can be."""
    told = details.get("predicted")
    if not isinstance(told, dict):
        return None
    epochs, trials = _count(told.get("epochs")), _count(told.get("trials"))
    return None if epochs is None or trials is None else epochs / trials


def _count(value: Any) -> float | None:
    is_one = (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
    )
    return float(value) if is_one else None


def epochs_left(
    rows: int, done: int, settled: int, epochs_of_settled: int, per_trial: float | None
) -> float | None:
    """Epochs still to be trained; None before anything tells it.

    Args:
        rows: trials in all.
        done: epochs trained so far.
        settled: trials that have ended or wait at a rung.
        epochs_of_settled: of these.
        per_trial: epochs of a trial by the forecast; None if there was none.
    """
    by_trials = None
    if epochs_of_settled:
        by_trials = max(0.0, (rows - settled) * epochs_of_settled / settled - (done - epochs_of_settled))
    if per_trial is None:
        return by_trials
    by_forecast = max(0.0, rows * per_trial - done)
    if by_trials is None:
        return by_forecast
    share = min(1.0, settled / rows)
    return share * by_trials + (1 - share) * by_forecast
