"""The curve model's table from the state of a search: what it knows at a moment, at its rungs and at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wrn_search.curves.curve_fit import learned
from wrn_search.curves.observed_curves import DEPTH, SCALES, WIDTH, CurveTrial, ObservedCurves, Scale, Status
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import TrialState
from wrn_search.space.domains import Domain, LogUniform

MOST = 400  # trials of one fit; of more a simple random sample is fitted, as a choice by results would not be ignorable
LEAST, LEAST_ENDS = 6, 2  # trials that learned, and of them those with an end: fewer say nothing of the end
_STATUS: dict[str, Status] = {
    **{"completed": "completed", "stopped": "stopped", "failed": "failed", "diverged": "diverged"},
    **{"running": "running", "interrupted": "running"},
}


def curves_of_state(
    state: SearchState, domains: Mapping[str, Domain], rungs: Sequence[int], images: int, seed: int = 0
) -> ObservedCurves | None:
    """The trials at the rungs and at the end; None where too few have got anywhere.

    Epochs between are left out: a search that is played again from its rungs must come to the same table.

    Args:
        state: of the search; a trial is named by its number.
        domains: what is searched.
        rungs: epochs at which trials are compared.
        images: that validate.
        seed: of the sample, where there are more than `MOST` trials.
    """
    told = {*rungs, state.max_epochs}
    trials = [
        each
        for each in state.trials.values()
        if each.status == "diverged" or any(metrics.epoch in told for _, metrics in each.reports)
    ]
    if len(trials) > MOST:
        chosen = np.random.default_rng(seed).choice(len(trials), MOST, replace=False)
        trials = [trials[place] for place in np.sort(chosen)]
    scales = _scales(trials, domains)
    found = tuple(_trial(each, scales, told, images) for each in trials)
    if not found or images < 1:
        return None
    try:
        table = ObservedCurves(found, images, state.max_epochs, scales, tuple(rungs), state.chance_error)
    except ValueError:  # such as a depth that has no place on the model's scale
        return None
    useful = [each for each in table.trials if learned(each, table)]
    ends = [each for each in useful if each.status == "completed" and each.epochs[-1] == table.last_epoch]
    return table if len(useful) >= LEAST and len(ends) >= LEAST_ENDS else None


def _scales(trials: Sequence[TrialState], domains: Mapping[str, Domain]) -> dict[str, Scale]:
    """Depth, width and all else that takes several values and is known of every trial, each with its scale."""
    scales: dict[str, Scale] = {}
    for name in dict.fromkeys([DEPTH, WIDTH, *domains]):
        values = [each.value_of(name) for each in trials]
        if any(value is None for value in values) or (
            name not in (DEPTH, WIDTH) and len({repr(value) for value in values}) < 2
        ):
            continue
        if not all(isinstance(value, int | float) for value in values):
            scales[name] = "categorical"
            continue
        logarithmic = isinstance(domains.get(name), LogUniform)
        scale = SCALES.get(name, "log10" if logarithmic else "linear")
        scales[name] = "linear" if scale in ("log2", "log10") and min(values) <= 0 else scale
    return scales


def _trial(trial: TrialState, scales: Mapping[str, Scale], told: set[int], images: int) -> CurveTrial:
    errors = {
        metrics.epoch: metrics.val_error
        for _, metrics in trial.reports
        if metrics.epoch in told and metrics.val_error is not None
    }
    epochs = tuple(sorted(errors))
    return CurveTrial(
        trial=str(trial.number),
        configuration=str(trial.configuration),
        hyperparameters={name: _value(trial.value_of(name), scale) for name, scale in scales.items()},
        epochs=epochs,
        wrong=tuple((errors[epoch] or 0.0) * images / 100 for epoch in epochs),
        status=_STATUS[trial.status],
        repeat=trial.repeat,
        anchor=trial.anchor,
    )


def _value(value: Any, scale: Scale) -> float | str:
    return str(value) if scale == "categorical" else float(value)
