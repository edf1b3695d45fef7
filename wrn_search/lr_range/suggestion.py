"""What the losses of a range test say of the learning rate, in plain numbers.

Smith, "Cyclical Learning Rates for Training Neural Networks" (arXiv 1506.01186), section 3.3: let the rate rise during
one short run, and see from where on the network learns and where it stops to.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_STEPS, MOST_STEPS = 20, 1_000_000  # of a test
_MIDDLE_SHARE = 0.02  # of all steps: the deviation of the window that smooths
_LEVEL_STEPS = 5  # whose median is a level: the start's, and the latest
_LEAST_FALL = 0.05  # of the loss at the start, to call it a fall
_BELOW_THE_STEEPEST = 3.0  # an interval begins at the steepest fall's rate over this
_BLOWN_UP = 2.0  # times the loss at the start


@dataclass(frozen=True)
class Suggestion:
    """What there is to suggest; None where the run does not show it.

    Attributes:
        steepest: the rate at which the smoothed loss falls fastest over the logarithm of the rate.
        lowest: the rate at which it is lowest.
        edge: of divergence, the first rate after that at which half of what had been gained is lost again, or the loss
            is not finite.
        interval: (low, high) of learning rates to search.
        reason: why there is nothing to suggest, or what is missing from it; empty if nothing is.
    """

    steepest: float | None
    lowest: float | None
    edge: float | None
    interval: tuple[float, float] | None
    reason: str = ""


def rates_of(low: float, high: float, steps: int) -> list[float]:
    """The rate of each step, rising exponentially: the first is `low`, the last is `high`."""
    return [low * (high / low) ** (step / (steps - 1)) for step in range(steps)]


def smoothed(losses: Sequence[float], steps: int) -> list[float]:
    """Means around each step, weighted by a Gaussian; a window on both sides shifts nothing to later rates.

    Args:
        losses: of each step, finite.
        steps: that were planned: the window is 2 % of them, at least a step.
    """
    deviation = max(1.0, _MIDDLE_SHARE * steps)
    reach = math.ceil(3 * deviation)
    weights = [math.exp(-0.5 * (offset / deviation) ** 2) for offset in range(reach + 1)]
    found = []
    for middle in range(len(losses)):
        around = range(max(0, middle - reach), min(len(losses), middle + reach + 1))
        total = sum(weights[abs(place - middle)] for place in around)
        found.append(sum(weights[abs(place - middle)] * losses[place] for place in around) / total)
    return found


def has_diverged(losses: Sequence[float]) -> bool:
    """Whether a run that is under way shows all that it can: the loss is not finite, twice what it was at the start, or
    has lost again all that it had gained.
    """
    if not math.isfinite(losses[-1]):
        return True
    if len(losses) < 3 * _LEVEL_STEPS:
        return False
    start = statistics.median(losses[:_LEVEL_STEPS])
    levels = [
        statistics.median(losses[end - _LEVEL_STEPS : end]) for end in range(_LEVEL_STEPS, len(losses) + 1)
    ]
    gained = start - min(levels) > _LEAST_FALL * start
    return levels[-1] > _BLOWN_UP * start or (gained and levels[-1] >= start)


def suggestion(rates: Sequence[float], losses: Sequence[float], steps: int) -> Suggestion:
    """What the losses at these rates suggest.

    Args:
        rates: of each step that was run, rising.
        losses: of each, in nats; the last one may not be finite.
        steps: that were planned.
    """
    blown = not math.isfinite(losses[-1])
    count = len(losses) - blown
    if count < 2 * _LEVEL_STEPS:
        text = f"the loss was finite in {count} steps only: begin with a lower --from"
        return Suggestion(None, None, rates[count] if blown else None, None, text)
    curve = smoothed(losses[:count], steps)
    start = statistics.median(losses[:_LEVEL_STEPS])
    place = min(range(count), key=curve.__getitem__)
    fall = start - curve[place]
    if fall < _LEAST_FALL * start:
        text = "the loss did not fall: rates too high from the start (a lower --from), or too low (a higher --to)"
        return Suggestion(None, None, rates[-1] if has_diverged(losses) else None, None, text)
    steepest = rates[_steepest(rates, curve, place)]
    lost = (rates[each] for each in range(place, count) if curve[each] >= curve[place] + fall / 2)
    edge = next(lost, rates[-1] if has_diverged(losses) else None)
    high = rates[-1] if edge is None else edge
    missing = "" if edge is not None else "no rate diverged: the interval may go on above --to"
    return Suggestion(
        steepest,
        rates[place],
        edge,
        (_two_digits(steepest / _BELOW_THE_STEEPEST), _two_digits(high)),
        missing,
    )


def _steepest(rates: Sequence[float], curve: Sequence[float], lowest: int) -> int:
    """The step before the lowest loss at which it falls fastest over the logarithm of the rate."""
    inner = range(1, max(2, min(lowest, len(curve) - 1)))
    return min(
        inner,
        key=lambda step: (curve[step + 1] - curve[step - 1]) / math.log(rates[step + 1] / rates[step - 1]),
    )


def _two_digits(value: float) -> float:
    return float(f"{value:.1e}")
