"""The end of every trial, measured or predicted, and what the trials with the lowest ends have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from wrn_search.analysis.curve_model.model_values import CurveModel
from wrn_search.analysis.input_tables.shared_values import Trial

_SHARE = 0.1  # of the trials with an end: those called the best
_LEAST = 5  # of them


@dataclass(frozen=True)
class End:
    """The error at full epochs of one trial, percent."""

    error: float
    measured: bool  # else predicted, with its 95 % interval
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ValueRange:
    """The values of one numeric hyperparameter among the best trials, and among all."""

    name: str
    low: float
    high: float
    lowest_tried: float
    highest_tried: float


@dataclass(frozen=True)
class BestTrials:
    """The tenth of the trials with the lowest ends."""

    count: int
    of: int  # trials with an end, measured or predicted
    ranges: tuple[ValueRange, ...]  # of what varies, in the order of the space


def ends_of_all(trials: Sequence[Trial], model: CurveModel) -> tuple[End | None, ...]:
    """One of each trial; None where it was neither trained to its end nor can be predicted."""
    predicted = {each.trial: each for each in model.ends}
    found: list[End | None] = []
    for place, trial in enumerate(trials):
        told = predicted.get(place)
        if trial.status == "completed" and trial.val_error is not None:
            found.append(End(trial.val_error, measured=True))
        else:
            found.append(
                None if told is None else End(told.estimate, measured=False, low=told.low, high=told.high)
            )
    return tuple(found)


def best_trials(trials: Sequence[Trial], ends: Sequence[End | None]) -> BestTrials:
    """The best tenth, at least five of them, and the ranges of their numeric hyperparameters."""
    known = [(end.error, place) for place, end in enumerate(ends) if end is not None]
    count = min(len(known), max(_LEAST, math.ceil(_SHARE * len(known))))
    best = [trials[place] for _, place in sorted(known)[:count]]
    names = dict.fromkeys(name for trial in trials for name in trial.hparams)
    found = (_range(name, best, trials) for name in names)
    return BestTrials(count, len(known), tuple(each for each in found if each is not None))


def _range(name: str, best: Sequence[Trial], trials: Sequence[Trial]) -> ValueRange | None:
    """None for what is no number, does not vary, or none of the best has."""
    tried = [trial.hparams[name] for trial in trials if name in trial.hparams]
    own = [trial.hparams[name] for trial in best if name in trial.hparams]
    numbers = [float(value) for value in tried if not isinstance(value, str | bool)]
    chosen = [float(value) for value in own if not isinstance(value, str | bool)]
    if len(numbers) < len(tried) or not chosen or min(numbers) == max(numbers):
        return None
    return ValueRange(name, min(chosen), max(chosen), min(numbers), max(numbers))
