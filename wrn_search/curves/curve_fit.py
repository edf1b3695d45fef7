"""fit: draws from the posterior of the curve model; every answer of this room follows from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from wrn_search.curves.curve_gradient import squared_distances
from wrn_search.curves.curve_likelihood import (
    Coefficients,
    Observations,
    Variances,
    coefficients,
    count_variance,
    log_odds,
)
from wrn_search.curves.curve_parameters import Parameters
from wrn_search.curves.design_columns import Array, Design, design_of
from wrn_search.curves.likeliest_variances import likeliest, loss
from wrn_search.curves.observed_curves import CurveTrial, ObservedCurves
from wrn_search.curves.shared_epochs import first_rung, shared_epochs
from wrn_search.one_thread import one_thread

FREEDOM = 3.0  # of Student's t of a trial's curve
_AT_CHANCE = 0.9  # of the error of chance: what has fallen below has learned something
_ROBUST = 1  # steps of the reweighting
_THIN = 3  # proposals a draw
_TAIL = 20.0  # degrees of freedom of proposals around the mode
_DIFFERENCE = 0.05  # prior deviations


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
        acceptance: share of proposals that the sampler took.
        seed: what the draws follow from.
    """

    table: ObservedCurves
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
    def ceiling(self) -> float:
        """Percent: the error whose log-odds are endless; that of chance, where it is known."""
        return 100 * self.observations.most / self.observations.images

    @property
    def end_level(self) -> Array:
        """(S,) m_J."""
        return self.draws[:, self.rungs - 1]

    @property
    def late(self) -> Array:
        """(S, P) b."""
        return self.draws[:, self.rungs : self.rungs + len(self.observations.design.columns)]


def learned(trial: CurveTrial, table: ObservedCurves) -> bool:
    """Whether a trial belongs to the curves: it was seen, did not diverge and ended below what guessing reaches."""
    if not trial.epochs or trial.status == "diverged":
        return False
    return trial.wrong[-1] < wrong_by_guessing(table)


def wrong_by_guessing(table: ObservedCurves) -> float:
    """So many wrong images or more are no sign of learning: three deviations below chance; endless if it is unknown.

    Where so few images were counted that no error could be a sign, what lies 10 % below chance is one.
    """
    if table.chance_error is None:
        return math.inf
    share = table.chance_error / 100
    deviation = math.sqrt(table.images * share * (1 - share))
    return max(table.images * share - 3 * deviation, _AT_CHANCE * table.images * share)


def most_wrong(table: ObservedCurves) -> float:
    """How many images are wrong by chance; all of them where chance is not known."""
    return table.images * (1.0 if table.chance_error is None else table.chance_error / 100)


def fit(table: ObservedCurves, seed: int = 0, draws: int = 300) -> CurveFit:
    """Fits the curve model; deterministic from table and seed, whatever the machine's cores.

    The variances' posterior mode is found by BFGS; draws come by a Metropolis chain (Tierney, Ann. Statist. 22, 1994)
    whose proposals lie around it or around where the chain is. Coefficients are drawn exactly given each.

    Raises:
        ValueError: no trial that learned and was seen at one of the shared epochs.
    """
    observations, trials = observations_of(table)
    with one_thread():
        model, mode, spread = _robust_mode(observations)
        observations = model.of
        generator = np.random.default_rng(seed)
        chain, acceptance = _chain(model, mode, spread, generator, draws)
        rows = np.array([coefficient_draw(each, generator) for _, each in chain])
        at_mode = model.variances(mode)
        best = coefficients(observations, at_mode)
    found = tuple(each for each, _ in chain)
    return CurveFit(table, observations, trials, found, rows, at_mode, best, acceptance, seed)


def fit_at_first_rung(table: ObservedCurves, seed: int = 0, draws: int = 300) -> CurveFit:
    """Step 1, without extrapolation: the same regression on the errors of all trials at the first rung alone.

    The fit's `table.last_epoch` is that rung. Every answer of the fit (cells, effects, standings) then holds after that
    epoch, and extrapolates nothing.

    Raises:
        ValueError: no trial that learned and reached it.
    """
    epoch = first_rung(table)
    trials = tuple(_only(each, epoch) for each in table.trials)
    return fit(replace(table, trials=trials, last_epoch=epoch, rungs=()), seed, draws)


def _only(trial: CurveTrial, epoch: int) -> CurveTrial:
    if epoch not in trial.epochs:
        return replace(trial, epochs=(), wrong=())
    status = "completed" if trial.status in ("stopped", "running") else trial.status
    return replace(trial, epochs=(epoch,), wrong=(trial.wrong[trial.epochs.index(epoch)],), status=status)


def observations_of(table: ObservedCurves) -> tuple[Observations, tuple[CurveTrial, ...]]:
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
    return arrays_of(trials, table, epochs, design_of(table)), trials


def arrays_of(
    trials: Sequence[CurveTrial],
    table: ObservedCurves,
    epochs: tuple[int, ...],
    design: Design,
    centre: float | None = None,
) -> Observations:
    """The curves of trials of a table, each seen at one of the epochs at least, as arrays of a design.

    Args:
        centre: what the prior of m_1 is centred on; the mean of the first log-odds seen if None.
    """
    wrong = np.full((len(trials), len(epochs)), np.nan)
    for row, trial in enumerate(trials):
        values = dict(zip(trial.epochs, trial.wrong, strict=True))
        wrong[row] = [values.get(epoch, np.nan) for epoch in epochs]
    seen = ~np.isnan(wrong)
    wrong = np.where(seen, wrong, 0.0)
    most = most_wrong(table)
    z = log_odds(wrong, table.images, most)
    variance = count_variance(wrong, table.images, most)
    number: dict[tuple[object, ...], int] = {}
    settings, of = [], np.empty(len(trials), dtype=np.intp)
    for row, trial in enumerate(trials):
        key = (trial.configuration, *sorted(trial.hyperparameters.items()))
        if key not in number:
            number[key] = len(number)
            settings.append(trial.hyperparameters)
        of[row] = number[key]
    x = np.array([design.row(each) for each in settings]).reshape(len(settings), len(design.columns))
    first = float(np.mean(z[np.arange(len(z)), seen.argmax(1)])) if centre is None else centre
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
        most,
        np.ones(len(z)),
    )


def _robust_mode(observations: Observations) -> tuple[Parameters, Array, Array]:
    """The mode where every trial's curve is Student's t: an ECM step (Liu & Rubin, Statist. Sinica 5, 1995) or two."""
    model = Parameters(observations)
    mode, spread = _mode(model, np.zeros(len(model.centre)))
    for _ in range(_ROBUST):
        at = model.variances(mode)
        distances = squared_distances(model.of, at, coefficients(model.of, at))
        seen = model.of.seen.sum(1)
        spread = np.maximum(
            1.0, (FREEDOM + distances) / (FREEDOM + seen)
        )  # a smooth start promises no smooth end
        model = Parameters(replace(observations, spread=spread))
        mode, spread = _mode(model, (mode - model.centre) / model.width)
    return model, mode, spread


def _mode(model: Parameters, start: Array) -> tuple[Array, Array]:
    """The mode of the posterior, and a root of its covariance there (lower triangular)."""
    size = len(model.centre)
    found = likeliest(model, start, 80)

    def slope(standard: Array) -> Array:
        return loss(model, standard)[1]

    curvature = np.empty((size, size))
    for index, move in enumerate(_DIFFERENCE * np.eye(size)):
        curvature[index] = (slope(found + move) - slope(found - move)) / (2 * _DIFFERENCE)
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    # the prior alone has curvature 1: where the likelihood is not concave a Gaussian may be wide, not endless
    covariance = (vectors / np.maximum(values, 0.5)) @ vectors.T
    return model.centre + model.width * found, model.width[:, None] * np.linalg.cholesky(covariance)


def _chain(
    model: Parameters, mode: Array, spread: Array, generator: np.random.Generator, draws: int
) -> tuple[list[tuple[Variances, Coefficients]], float]:
    """A Metropolis chain from the mode on: proposals around the mode (Student's t), and steps from where it is."""
    size = len(mode)

    def at(standard: Array, share: float) -> _State:
        vector = mode + spread @ standard
        variances = model.variances(vector, share)
        found = coefficients(model.of, variances)
        prior = -0.5 * float((((vector - model.centre) / model.width) ** 2).sum())
        tail = -0.5 * (_TAIL + size) * float(np.log1p(standard @ standard / _TAIL))
        return _State(standard, prior + found.log_likelihood, tail, variances, found)

    here = at(np.zeros(size), 0.5)
    chain, taken = [], 0
    for number in range(1, _THIN * draws + 1):
        anew = number % 2 == 0
        step = generator.standard_normal(size)
        share = float(generator.beta(2, 2))
        if anew:
            there = at(step / np.sqrt(generator.chisquare(_TAIL) / _TAIL), share)
            ratio = there.log_posterior - there.log_proposal - here.log_posterior + here.log_proposal
        else:  # the step of Roberts, Gelman & Gilks (Ann. Appl. Probab. 7, 1997), halved
            there = at(here.standard + 1.2 / np.sqrt(size) * step, share)
            ratio = there.log_posterior - here.log_posterior
        if np.log(generator.random()) < ratio:
            here, taken = there, taken + 1
        if number % _THIN == 0:
            chain.append((here.variances, here.coefficients))
    return chain, taken / (_THIN * draws)


@dataclass(frozen=True)
class _State:
    """Where the chain is, in deviations of the Gaussian at the mode."""

    standard: Array
    log_posterior: float
    log_proposal: float
    variances: Variances
    coefficients: Coefficients


def coefficient_draw(given: Coefficients, generator: np.random.Generator) -> Array:
    """(Q,) of (m, b, d)."""
    noise: Array = np.linalg.solve(given.root.T, generator.standard_normal(len(given.mean)))
    return given.mean + noise
