"""What other searches found beside what this one did: one list of Optuna's trials that its samplers may compare."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

import optuna
from optuna.trial import FrozenTrial, TrialState

from wrn_search.searchers.searcher import COMPARABLE


def together(own: Sequence[FrozenTrial], known: Mapping[str, Sequence[FrozenTrial]]) -> list[FrozenTrial]:
    """Trials of this search, and of others.

    Errors of another data set or another number of epochs cannot be compared with ours, but ranks can: so where there
    are such, each trial is told by its place, from 0 to 1, within its own search. Searches on our split with as many
    epochs count as ours, and while there are only such, values stay as they are.

    Args:
        own: trials of this search.
        known: source -> what was found there; `COMPARABLE` stands for all whose errors are ours.
    """
    ours = [*known.get(COMPARABLE, ()), *own]
    others = [trials for source, trials in known.items() if source != COMPARABLE]
    if not others:
        return ours
    return [trial for trials in (*others, ours) for trial in _by_rank(trials)]


def _by_rank(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The same trials with places instead of errors: full values among full ones, early ones among those of their step.

    Optuna keeps a PRUNED trial's last early value as its `value`, so only the state tells which values are full.
    """
    full = sorted(
        trial.value for trial in trials if trial.state == TrialState.COMPLETE and trial.value is not None
    )
    early: dict[int, list[float]] = {}  # step -> errors there
    for trial in trials:
        for step, error in trial.intermediate_values.items():
            early.setdefault(step, []).append(error)
    for errors in early.values():
        errors.sort()
    return [
        optuna.trial.create_trial(
            state=trial.state,
            value=_place(trial.value, full)
            if trial.state == TrialState.COMPLETE and trial.value is not None
            else None,
            params=trial.params,
            distributions=trial.distributions,
            intermediate_values={
                step: _place(error, early[step]) for step, error in trial.intermediate_values.items()
            },
        )
        for trial in trials
    ]


def _place(value: float, rising: Sequence[float]) -> float:
    """(Number of lower ones + half a place) / n."""
    return (bisect_left(rising, value) + 0.5) / len(rising)
