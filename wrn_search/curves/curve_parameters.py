"""phi and the variances as a vector of unbounded numbers, their priors, and the posterior of that vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wrn_search.curves.curve_gradient import slope
from wrn_search.curves.curve_likelihood import Coefficients, Observations, Variances, coefficients
from wrn_search.curves.design_columns import GROUPS, Array

# Priors of the logarithms of deviations (median, deviation of the logarithm), of log(odds) of shares. Their medians are
# about those of whole curves of tables that the model may be tuned on: what differs early differs at the end too, by
# and large, and phi falls as the logarithm of the epochs that are left. Where only survivors were seen later, priors
# decide what is expected of the others: without them a trial near the bottom was held for an early accident.
_DEVIATIONS = {
    "end": (0.25, 0.8),
    "start": (0.8, 0.7),  # of the end's
    "walk": (0.5, 0.7),  # of the end's
    "noise": (0.08, 0.8),
}
_GROUP_DEVIATIONS = {"cell": (0.06, 0.7), "main": (0.4, 0.7), "curved": (0.2, 0.8), "crossed": (0.1, 0.8)}
_EARLY = (0.5, 0.6)  # width of what shows only early, of the late one, whatever the group
_EARLY_SIZE = (1.0, 0.6)  # the same of depth and width, of what their columns say
_KAPPA = 1.5
_SHARE = 1.5
_MIDDLE_CORRELATION, _CORRELATION = -0.4, 0.6  # of its inverse hyperbolic tangent: who starts late falls more
_PHI = 1.0  # of the logarithms of the steps of phi
_WALK, _NOISE = 1.0, 1.0  # of the logarithms by which single rungs differ


@dataclass(frozen=True)
class _Batch:
    """`Variances` of V vectors, each field with V rows."""

    phi: Array
    effects: Array
    wander: Array
    noise: Array
    kappa: Array
    share: Array
    groups: Array
    early: Array


class Parameters:
    """phi and variances as a vector of unbounded numbers with Gaussian priors, and the posterior of it.

    The vector: logarithms of the four deviations, of the groups' widths and of how wide the early ones are; log odds of
    kappa, correlation of u and v, log odds of the configuration's share (with repeats); then of the rungs: steps of
    phi, of the walk, noise.
    """

    def __init__(self, observations: Observations):
        self.of = observations
        columns = {GROUPS[each] for each in observations.group}
        self.groups = [name for name in _GROUP_DEVIATIONS if name in columns]
        self.sized = "size" in columns
        rungs = len(observations.epochs)
        log_steps = np.diff(np.log(np.array(observations.epochs, dtype=float)))
        self.steps = np.log(log_steps / log_steps.sum()) if rungs > 1 else log_steps
        priors = [*_DEVIATIONS.values(), *(_GROUP_DEVIATIONS[name] for name in self.groups), _EARLY]
        priors += [_EARLY_SIZE] * self.sized
        self.sizes = [
            4,
            len(self.groups) + 1 + self.sized,
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
        of = self._of_vectors(vector[None])
        own_share = float(of.share[0]) if self.of.repeated else share
        parts = of.phi[0], of.effects[0], of.wander[0], of.noise[0]
        return Variances(*parts, float(of.kappa[0]), own_share, of.groups[0], of.early[0])

    def flats(self, vectors: Array) -> Array:
        """(V, F): a row of `slope_in_flat`'s entries for each of V vectors."""
        of, count = self._of_vectors(vectors), len(vectors)
        basis = np.stack([np.ones_like(of.phi), of.phi], axis=-1)
        shared = basis @ of.effects @ np.swapaxes(basis, 1, 2)
        seed_share = 1 - of.share if self.of.repeated else np.ones(count)
        own = seed_share[:, None, None] * shared + of.wander
        covariances = [each.reshape(count, -1) for each in (own, of.share[:, None, None] * shared)]
        logs = [np.log(of.groups), np.log(of.early)]
        return np.concatenate([*covariances, of.noise**2, of.kappa[:, None], of.phi, *logs], axis=1)

    def _of_vectors(self, vectors: Array) -> _Batch:
        parts = np.split(vectors, np.cumsum(self.sizes)[:-1], axis=1)
        deviations, widths, others, steps, walks, noises = parts
        end, start, walk, noise = np.exp(deviations).T
        start, walk = end * start, end * walk
        groups, early = np.ones((2, len(vectors), len(GROUPS)))
        for place, name in enumerate(self.groups):
            groups[:, GROUPS.index(name)] = np.exp(widths[:, place])
            early[:, GROUPS.index(name)] = np.exp(widths[:, len(self.groups)])
        if self.sized:
            early[:, GROUPS.index("size")] = np.exp(widths[:, -1])
        phi = self._phi(steps)
        both = np.tanh(others[:, 1] + _MIDDLE_CORRELATION) * end * start
        effects = np.stack([end**2, both, both, start**2], axis=-1).reshape(-1, 2, 2)
        pace = walk[:, None] ** 2 * (phi[:, :-1] - phi[:, 1:]) * np.exp(2 * walks)
        left = np.zeros_like(phi)  # what of the walk lies ahead
        left[:, :-1] = np.cumsum(pace[:, ::-1], axis=1)[:, ::-1]
        wander = np.minimum(left[:, :, None], left[:, None, :])
        share = _logistic(others[:, 2]) if self.of.repeated else np.full(len(vectors), 0.5)
        epochs = noise[:, None] * (0.3 + 0.7 * phi) * np.exp(noises)
        return _Batch(phi, effects, wander, epochs, _logistic(others[:, 0]), share, groups, early)

    def _phi(self, steps: Array) -> Array:
        phi = np.zeros((len(steps), len(self.steps) + 1))
        if len(self.steps):
            parts = np.exp(self.steps + np.pad(steps, ((0, 0), (1, 0))))
            fallen = np.cumsum(parts / parts.sum(1, keepdims=True), axis=1)
            phi[:, 0], phi[:, 1:-1] = 1.0, 1 - fallen[:, :-1]
        return phi

    def log_posterior(self, vector: Array) -> tuple[float, Coefficients]:
        """Up to a constant; and the coefficients."""
        given = coefficients(self.of, self.variances(vector))
        return given.log_likelihood - 0.5 * float((((vector - self.centre) / self.width) ** 2).sum()), given

    def slope(self, vector: Array, given: Coefficients) -> Array:
        """Of `log_posterior`."""
        prior: Array = (vector - self.centre) / self.width**2
        return slope(self.of, self.variances(vector), self.flats, vector, given) - prior


def _logistic(values: Array) -> Array:
    odds: Array = np.exp(np.clip(values, -30, 30))
    return odds / (1 + odds)
