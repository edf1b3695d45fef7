"""phi and the variances as a vector of unbounded numbers, their priors, and the posterior of that vector."""

from __future__ import annotations

import numpy as np

from wrn_search.curves.curve_gradient import slope
from wrn_search.curves.curve_likelihood import Coefficients, Observations, Variances, coefficients
from wrn_search.curves.design_columns import GROUPS, Array

# Priors of the logarithms of deviations (median, deviation of the logarithm), of log(odds) of shares
_DEVIATIONS = {
    "end": (0.25, 0.8),
    "start": (0.25, 0.8),
    "walk": (0.1, 0.8),
    "noise": (0.08, 0.8),
}
_GROUP_DEVIATIONS = {"cell": (0.06, 0.7), "main": (0.4, 0.7), "curved": (0.2, 0.8), "crossed": (0.1, 0.8)}
_KAPPA = 1.5
_SHARE = 1.5
_CORRELATION = 0.8  # of its inverse hyperbolic tangent
_PHI = 1.0  # of the logarithms of the steps of phi
_WALK, _NOISE = 1.0, 1.0  # of the logarithms by which single rungs differ


class Parameters:
    """phi and variances as a vector of unbounded numbers with Gaussian priors, and the posterior of it.

    The vector: logarithms of the four deviations and of the groups' widths, log odds of kappa, correlation of u and v,
    log odds of the configuration's share (with repeats), then of the rungs: steps of phi, of the walk, noise.
    """

    def __init__(self, observations: Observations):
        self.of = observations
        columns = {GROUPS[each] for each in observations.group}
        self.groups = [name for name in _GROUP_DEVIATIONS if name in columns]
        rungs = len(observations.epochs)
        log_steps = np.diff(np.log(np.array(observations.epochs, dtype=float)))
        self.steps = np.log(log_steps / log_steps.sum()) if rungs > 1 else log_steps
        priors = [*_DEVIATIONS.values(), *(_GROUP_DEVIATIONS[name] for name in self.groups)]
        self.sizes = [
            4,
            len(self.groups),
            2 + observations.repeated,
            max(0, rungs - 2),
            max(0, rungs - 1),
            rungs,
        ]
        medians = np.log([median for median, _ in priors])
        self.centre = np.concatenate([medians, np.zeros(sum(self.sizes[2:]))])
        widths = [[each for _, each in priors], [_KAPPA, _CORRELATION, _SHARE][: self.sizes[2]]]
        widths += [[width] * size for width, size in zip((_PHI, _WALK, _NOISE), self.sizes[3:], strict=True)]
        self.width = np.concatenate([np.array(each, dtype=float) for each in widths])

    def variances(self, vector: Array, share: float = 0.5) -> Variances:
        """What a vector stands for; `share` where no repeats tell it."""
        deviations, widths, others, steps, walks, noises = np.split(vector, np.cumsum(self.sizes)[:-1])
        end, start, walk, noise = np.exp(deviations)
        groups = np.ones(len(GROUPS))
        for name, value in zip(self.groups, widths, strict=True):
            groups[GROUPS.index(name)] = np.exp(value)
        phi = self._phi(steps)
        both = float(np.tanh(others[1])) * end * start
        effects = np.array([[end**2, both], [both, start**2]])
        pace = np.append(walk**2 * (phi[:-1] ** 2 - phi[1:] ** 2) * np.exp(2 * walks), 0.0)
        left = np.cumsum(pace[::-1])[::-1]  # what of the walk lies ahead
        wander = np.minimum.outer(left, left)
        if self.of.repeated:
            share = _logistic(others[2])
        epochs = noise * (0.3 + 0.7 * phi) * np.exp(noises)
        return Variances(phi, effects, wander, epochs, _logistic(others[0]), share, groups)

    def _phi(self, steps: Array) -> Array:
        if len(self.steps) == 0:
            return np.zeros(1)
        parts = np.exp(self.steps + np.append(0.0, steps))
        return np.append(1 - np.cumsum(np.append(0.0, parts / parts.sum()))[:-1], 0.0)

    def log_posterior(self, vector: Array) -> tuple[float, Coefficients]:
        """Up to a constant; and the coefficients."""
        given = coefficients(self.of, self.variances(vector))
        return given.log_likelihood - 0.5 * float((((vector - self.centre) / self.width) ** 2).sum()), given

    def slope(self, vector: Array, given: Coefficients) -> Array:
        """Of `log_posterior`."""
        prior: Array = (vector - self.centre) / self.width**2
        return slope(self.of, self.variances, vector, given) - prior


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))
