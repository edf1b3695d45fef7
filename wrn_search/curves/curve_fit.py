"""fit: draws from the posterior of the curve model; every answer of this room follows from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from wrn_search.curves.curve_gradient import slope
from wrn_search.curves.curve_likelihood import (
    Coefficients,
    Observations,
    Variances,
    coefficients,
    log_odds,
)
from wrn_search.curves.curve_table import CurveTable, CurveTrial
from wrn_search.curves.design_columns import GROUPS, Array, design_of
from wrn_search.curves.shared_epochs import shared_epochs

_AT_CHANCE = 0.98  # of the error of chance: what has not fallen below has learned nothing
# Priors of the logarithms of deviations (median, deviation of the logarithm), of log(odds) of shares
_DEVIATIONS = {
    "end": (0.2, 0.8),
    "start": (0.4, 0.8),
    "walk": (0.1, 0.8),
    "noise": (0.08, 0.8),
}
_GROUP_DEVIATIONS = {"cell": (0.06, 0.7), "main": (0.3, 0.7), "curved": (0.12, 0.8), "crossed": (0.05, 0.8)}
_KAPPA = 1.5
_SHARE = 1.5
_CORRELATION = 0.8  # of its inverse hyperbolic tangent
_PHI = 1.0  # of the logarithms of the steps of phi
_WALK, _NOISE = 0.5, 0.5  # of the logarithms by which single rungs differ
_THIN = 3  # proposals a draw
_FAR, _DIFFERENCE = 8.0, 0.05  # prior deviations


@dataclass(frozen=True)
class CurveFit:
    """What the curves of a table say.

    Attributes:
        table: what was fitted.
        observations: its trials that learned, as arrays.
        trials: (N,) of `observations`, in their order.
        variances: one a draw.
        draws: (S, Q) of the coefficients (m, b, d).
        mode, at_mode: the most likely variances, and the coefficients given them.
        acceptance: share of proposals that the sampler took; near 1 where the Gaussian at the mode is right.
        seed: what the draws follow from.
    """

    table: CurveTable
    observations: Observations
    trials: tuple[CurveTrial, ...]
    variances: tuple[Variances, ...]
    draws: Array
    mode: Variances
    at_mode: Coefficients
    acceptance: float
    seed: int

    @property
    def rungs(self) -> int:
        """J."""
        return len(self.observations.epochs)

    @property
    def end_level(self) -> Array:
        """(S,) m_J."""
        return self.draws[:, self.rungs - 1]

    @property
    def late(self) -> Array:
        """(S, P) b."""
        return self.draws[:, self.rungs : self.rungs + len(self.observations.design.columns)]


def learned(trial: CurveTrial, table: CurveTable) -> bool:
    """Whether a trial belongs to the curves: it was seen, did not diverge and ended below the error of chance."""
    if not trial.epochs or trial.status == "diverged":
        return False
    if table.chance_error is None:
        return True
    return trial.wrong[-1] < _AT_CHANCE * table.chance_error / 100 * table.images


def fit(table: CurveTable, seed: int = 0, draws: int = 300) -> CurveFit:
    """Fits the curve model; deterministic from table and seed.

    The variances' posterior mode is found by BFGS; draws come by an independence Metropolis chain (Tierney, Ann.
    Statist. 22, 1994) whose proposals are Student's t around it. Coefficients are drawn exactly given each.

    Raises:
        ValueError: no trial that learned and was seen at one of the shared epochs.
    """
    observations, trials = observations_of(table)
    model = _Parameters(observations)
    mode, spread = _mode(model)
    generator = np.random.default_rng(seed)
    chain, acceptance = _chain(model, mode, spread, generator, draws)
    rows = np.array([_draw(each, generator) for _, each in chain])
    at_mode = model.variances(mode)
    return CurveFit(
        table,
        observations,
        trials,
        tuple(each for each, _ in chain),
        rows,
        at_mode,
        coefficients(observations, at_mode),
        acceptance,
        seed,
    )


def observations_of(table: CurveTable) -> tuple[Observations, tuple[CurveTrial, ...]]:
    """The curves at the shared epochs as arrays, and the trials that they belong to.

    Raises:
        ValueError: there is none.
    """
    epochs = shared_epochs(table)
    trials = tuple(each for each in table.trials if learned(each, table) and set(each.epochs) & set(epochs))
    if not trials:
        raise ValueError(
            f"a trial must have learned and been seen at one of the epochs {epochs}, but none was"
        )
    wrong = np.full((len(trials), len(epochs)), np.nan)
    for row, trial in enumerate(trials):
        values = dict(zip(trial.epochs, trial.wrong, strict=True))
        wrong[row] = [values.get(epoch, np.nan) for epoch in epochs]
    seen = ~np.isnan(wrong)
    wrong = np.where(seen, wrong, 0.0)
    z = log_odds(wrong, table.images)
    variance = 1 / (wrong + 0.5) + 1 / (table.images - wrong + 0.5)
    number: dict[tuple[object, ...], int] = {}
    settings, of = [], np.empty(len(trials), dtype=np.intp)
    for row, trial in enumerate(trials):
        key = (trial.configuration, *sorted(trial.hyperparameters.items()))
        if key not in number:
            number[key] = len(number)
            settings.append(trial.hyperparameters)
        of[row] = number[key]
    design = design_of(table)
    x = np.array([design.row(each) for each in settings]).reshape(len(settings), len(design.columns))
    first = float(np.mean(z[np.arange(len(z)), seen.argmax(1)]))
    return Observations(
        np.where(seen, z, 0.0),
        seen,
        np.where(seen, variance, 1.0),
        x,
        of,
        design,
        epochs,
        first,
        table.images,
    ), trials


class _Parameters:
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


def _mode(model: _Parameters) -> tuple[Array, Array]:
    """The mode of the posterior, and a root of its covariance there (lower triangular)."""

    def loss(standard: Array) -> tuple[float, Array]:
        if np.abs(standard).max(initial=0) > _FAR:  # a step of the search for the mode that went astray
            return 1e6 + float((standard**2).sum()), 2 * standard
        vector = model.centre + model.width * standard
        value, given = model.log_posterior(vector)
        return -value, -model.width * model.slope(vector, given)

    size = len(model.centre)
    found = minimize(loss, np.zeros(size), method="BFGS", jac=True, options={"gtol": 0.05, "maxiter": 80})
    curvature = np.empty((size, size))
    for index, move in enumerate(_DIFFERENCE * np.eye(size)):
        curvature[index] = (loss(found.x + move)[1] - loss(found.x - move)[1]) / (2 * _DIFFERENCE)
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    # the prior alone has curvature 1: where the likelihood is not concave a Gaussian may be wide, not endless
    covariance = (vectors / np.maximum(values, 0.5)) @ vectors.T
    return model.centre + model.width * found.x, model.width[:, None] * np.linalg.cholesky(covariance)


def _chain(
    model: _Parameters,
    mode: Array,
    spread: Array,
    generator: np.random.Generator,
    draws: int,
    freedom: float = 20.0,
) -> tuple[list[tuple[Variances, Coefficients]], float]:
    """An independence Metropolis chain from the mode on."""

    def log_proposal(standard: Array) -> float:
        return -0.5 * (freedom + len(mode)) * float(np.log1p(standard @ standard / freedom))

    def weigh(standard: Array) -> tuple[float, Variances, Coefficients]:
        vector = mode + spread @ standard
        share = float(generator.beta(2, 2))
        variances = model.variances(vector, share)
        found = coefficients(model.of, variances)
        prior = -0.5 * float((((vector - model.centre) / model.width) ** 2).sum())
        return prior + found.log_likelihood - log_proposal(standard), variances, found

    weight, variances, found = weigh(np.zeros(len(mode)))
    chain, taken = [], 0
    for number in range(1, _THIN * draws + 1):
        standard = generator.standard_normal(len(mode)) / np.sqrt(generator.chisquare(freedom) / freedom)
        candidate = weigh(standard)
        if np.log(generator.random()) < candidate[0] - weight:
            weight, variances, found = candidate
            taken += 1
        if number % _THIN == 0:
            chain.append((variances, found))
    return chain, taken / (_THIN * draws)


def _draw(given: Coefficients, generator: np.random.Generator) -> Array:
    noise: Array = np.linalg.solve(given.root.T, generator.standard_normal(len(given.mean)))
    return given.mean + noise
