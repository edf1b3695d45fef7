"""How likely a trial that has learned falls back to chance before its end: at large learning rates some do, late.

No Gaussian of log-odds foresees it: a curve looks like its neighbours' until it breaks. What tells is who broke among
trials with similar hyperparameters. Falls are counted over the logarithm of epochs, in which curves are alike, and a
trial's rate is theirs, each counted by a product of Gaussian kernels over the hyperparameters (Nadaraya, Theory Probab.
Appl. 9, 1964), shrunk towards that of all trials. Where nobody fell, nobody is expected to.
"""

from __future__ import annotations

import math

import numpy as np

from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.design_columns import Array, Axis, Design
from wrn_search.curves.observed_curves import CurveTrial, ObservedCurves

_ALIKE = 0.35  # width of a kernel, in deviations of a hyperparameter (doublings of depth and width)
_OTHER_LEVEL = 0.1  # what counts a trial with another level of a categorical one
_EVERYBODY = 5.0  # logarithms of epochs that the rate of all trials counts for
_CALM = 50.0  # logarithms of epochs without a fall that are believed to have been seen


def chances_of_falling(fit: CurveFit, lost: float) -> dict[str, float]:
    """By trial that was seen: probability that it ends with `lost` wrong images or more, once it had fewer."""
    table = fit.table
    seen = [each for each in table.trials if each.epochs]
    fallen, exposed = np.array([_fall(each, lost) for each in seen]).reshape(-1, 2).T
    if not fallen.any():
        return {each.trial: 0.0 for each in seen}
    alike = _alike(seen, fit.observations.design)
    rate = fallen.sum() / (exposed.sum() + _CALM)
    rates = (alike @ fallen + _EVERYBODY * rate) / (alike @ exposed + _EVERYBODY)
    return {
        each.trial: _until_the_end(float(own), each, table) for each, own in zip(seen, rates, strict=True)
    }


def _until_the_end(rate: float, trial: CurveTrial, table: ObservedCurves) -> float:
    return 1 - math.exp(-rate * math.log(table.last_epoch / trial.epochs[-1]))


def _fall(trial: CurveTrial, lost: float) -> tuple[bool, float]:
    """Whether a trial fell and stayed down as far as it was seen; the logarithm of epochs for which it could have."""
    learned = [epoch for epoch, wrong in zip(trial.epochs, trial.wrong, strict=True) if wrong < lost]
    if not learned:
        return False, 0.0
    fell = trial.wrong[-1] >= lost
    until = trial.epochs[trial.epochs.index(learned[-1]) + 1] if fell else trial.epochs[-1]
    return fell, math.log(until / learned[0])


def _alike(trials: list[CurveTrial], design: Design) -> Array:
    """(N, N) how much each trial says of each other, 0 to 1."""
    alike = np.ones((len(trials), len(trials)))
    for axis in design.axes.values():
        alike *= _alike_along(axis, [each.hyperparameters[axis.name] for each in trials])
    return alike


def _alike_along(axis: Axis, values: list[float | str]) -> Array:
    if axis.levels:
        level = np.array([str(each) for each in values])
        return np.where(level[:, None] == level, 1.0, _OTHER_LEVEL)
    at = np.array([axis.value(each) for each in values])
    alike: Array = np.exp(-0.5 * ((at[:, None] - at) / _ALIKE) ** 2)
    return alike
