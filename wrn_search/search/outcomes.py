"""What a searcher is told of a configuration once all its repeats have ended (rule 2 of an honest search)."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from wrn_search.results.state import TrialState


@dataclass(frozen=True)
class Full:
    """A value at full epochs: the mean of the completed repeats.

    One that diverged or ran out of memory counts with the error of chance.
    """

    val_error: float  # percent


@dataclass(frozen=True)
class Pruned:
    """Stopped early: only what was seen on the way, never as if it were the result."""

    curve: dict[int, float]  # epoch -> validation error in percent, mean over the repeats that got there


@dataclass(frozen=True)
class Crashed:
    """No repeat gave a value."""


Outcome: TypeAlias = Full | Pruned | Crashed


@dataclass(frozen=True)
class EndedTrial:
    """How one repeat ended."""

    status: str  # completed | stopped | diverged | failed
    curve: dict[int, float]  # epoch -> validation error in percent
    out_of_memory: bool = False  # why it failed


def ended_trial(trial: TrialState) -> EndedTrial:
    """A trial of a record that has ended."""
    errors = {metrics.epoch: metrics.val_error for _, metrics in trial.reports}
    curve = {epoch: error for epoch, error in errors.items() if error is not None}
    return EndedTrial(trial.status, curve, trial.out_of_memory)


def outcome_of(repeats: Sequence[EndedTrial], chance_error: float) -> Outcome:
    """The one outcome of a configuration's repeats; `chance_error` in percent."""
    full = [trial.curve[max(trial.curve)] for trial in repeats if trial.status == "completed" and trial.curve]
    full += [chance_error for trial in repeats if trial.status == "diverged" or trial.out_of_memory]
    if full:
        return Full(statistics.fmean(full))
    curves = [trial.curve for trial in repeats if trial.status == "stopped"]
    if not curves:
        return Crashed()
    epochs = sorted(set.intersection(*(set(curve) for curve in curves)))
    return Pruned({epoch: statistics.fmean(curve[epoch] for curve in curves) for epoch in epochs})
