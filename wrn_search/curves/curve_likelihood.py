"""The likelihood of curves: a Gaussian mixed model of the log-odds of an error, coefficients integrated out.

    z_ij = m_j + x_i'b + phi_j x_i'd + u_i + phi_j v_i + w_ij + e_ij,        1 = phi_1 > phi_2 > ... > phi_J = 0

b is what counts at the end, d what shows only early (in the prior mean less of b than at the end); u and v (correlated)
are what hyperparameters leave of a trial's end and of its start, w wanders from rung to rung and is 0 at the end, e is
counting and the noise of epochs.
Given phi and the variances all coefficients are Gaussian: Lindley & Smith, J. R. Stat. Soc. B 34 (1972). Blocks of a
trial are J x J and joined by their sums alone, so the cost grows with the trials and never with their square.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wrn_search.curves.design_columns import GROUPS, Array, Design

_NEAR_CHANCE = 0.004  # of what guessing gets wrong: nearer to it log-odds would run away
NARROWER = 0.4  # of an effect at the end is not there early, in the prior mean: curves fan out from chance
START_SD, STEP_SD, STEP = 2.0, 1.0, 0.5  # of the prior of m_J, and of m_j - m_(j+1) with its mean


@dataclass(frozen=True)
class Observations:
    """Curves as arrays: N trials of C configurations at J rungs, P columns.

    Attributes:
        z: (N, J) log-odds of an error, 0 where not seen.
        seen: (N, J).
        count_variance: (N, J) of z, where images are counted independently.
        x: (C, P) a row a configuration.
        of: (N,) the configuration of each trial.
        design: of the P columns.
        epochs: (J,) of the rungs.
        centre: what the prior of m_1 is centred on.
        images: n.
        most: c n, what is wrong by chance; n where that is not known.
        spread: (N,) what a trial's own variances are multiplied with: above 1 for a strange curve.
    """

    z: Array
    seen: NDArray[np.bool_]
    count_variance: Array
    x: Array
    of: NDArray[np.intp]
    design: Design
    epochs: tuple[int, ...]
    centre: float
    images: float
    most: float
    spread: Array
    group: NDArray[np.intp] = field(init=False)  # (P,) index into GROUPS
    deviation: Array = field(init=False)  # (P,)
    early: Array = field(init=False)  # (P,)

    def __post_init__(self) -> None:
        columns = self.design.columns
        object.__setattr__(
            self, "group", np.array([GROUPS.index(each.group) for each in columns], dtype=np.intp)
        )
        object.__setattr__(self, "deviation", np.array([each.deviation for each in columns], dtype=float))
        object.__setattr__(self, "early", np.array([each.early for each in columns], dtype=float))

    @property
    def repeated(self) -> bool:
        """Whether any configuration was trained more than once."""
        return len(self.x) < len(self.of)

    @cached_property
    def early_columns(self) -> NDArray[np.intp]:
        """The columns with an effect that shows only early."""
        return np.flatnonzero(self.early > 0)

    def only(self, trials: NDArray[np.intp]) -> Observations:
        """Some trials, with their configurations; whether any is repeated is told from them alone."""
        rows, of = np.unique(self.of[trials], return_inverse=True)
        return replace(
            self,
            z=self.z[trials],
            seen=self.seen[trials],
            count_variance=self.count_variance[trials],
            x=self.x[rows],
            of=of,
            spread=self.spread[trials],
        )


@dataclass(frozen=True)
class Variances:
    """phi and all variances, one draw.

    Attributes:
        phi: (J,) from 1 to 0.
        effects: (2, 2) covariance of u and v.
        wander: (J, J) covariance of w, 0 in the last row and column.
        noise: (J,) deviation of the noise of epochs.
        kappa: share of the counting noise that a network trained again would show anew.
        share: of the variance of u and v that belongs to the configuration, the rest to the seed.
        groups: (len(GROUPS),) widths of the priors; 1 for `size`.
        early: (len(GROUPS),) the same of what shows only early, relative to `groups`.
    """

    phi: Array
    effects: Array
    wander: Array
    noise: Array
    kappa: float
    share: float
    groups: Array
    early: Array

    @cached_property
    def basis(self) -> Array:
        """(J, 2): what u and v do to a curve."""
        return np.column_stack([np.ones_like(self.phi), self.phi])

    def of_trial(self, seed_share: float) -> Array:
        """(J, J): covariance of a curve around its configuration's, without the noise of epochs."""
        basis = self.basis
        shared: Array = seed_share * basis @ self.effects @ basis.T + self.wander
        return shared

    def of_epochs(self, count_variance: Array, spread: Array) -> Array:
        """(N, J): variance of e; `spread` (N, 1)."""
        return self.kappa * count_variance + spread * self.noise**2


@dataclass(frozen=True)
class Coefficients:
    """The Gaussian of all coefficients (m, b, d), given variances and curves.

    Attributes:
        mean: (Q,), Q = J + P + number of early columns.
        root: (Q, Q) lower Cholesky factor of the precision.
        log_likelihood: of the curves, coefficients integrated out.
    """

    mean: Array
    root: Array
    log_likelihood: float


def log_odds(wrong: Array, images: float, most: float) -> Array:
    """log((m + 1/2) / (c n - m + 1/2)): the empirical logit (Anscombe, Biometrika 43, 1956) below chance c.

    Near chance odds against all n would call a network that has learned nothing half as good as one that is right on
    every second image; and at small errors nothing changes. What is within `_NEAR_CHANCE` of chance counts as so far
    below.
    """
    ratio: Array = np.log((wrong + 0.5) / (_below(wrong, images, most) + 0.5))
    return ratio


def count_variance(wrong: Array, images: float, most: float) -> Array:
    """Of `log_odds`, for images counted independently: n p (1 - p) times its squared slope."""
    slope = 1 / (wrong + 0.5) + 1 / (_below(wrong, images, most) + 0.5)
    variance: Array = (wrong + 0.5) * (images - wrong + 0.5) / images * slope**2
    return variance


def _below(wrong: Array, images: float, most: float) -> Array:
    lowest = _NEAR_CHANCE * most if most < images else 0.0
    below: Array = np.maximum(most - wrong, lowest)
    return below


def precisions(of: Observations, at: Variances, seed_share: float) -> tuple[Array, float]:
    """(N, J, J) inverse covariances of the trials around their configurations, 0 where not seen; sum of log|.|."""
    seen_by_seen = of.seen[:, :, None] & of.seen[:, None, :]
    spread = of.spread[:, None]
    covariance = np.where(seen_by_seen, spread[:, :, None] * at.of_trial(seed_share), 0.0)
    diagonal = np.where(of.seen, at.of_epochs(of.count_variance, spread), 1.0)
    index = np.arange(of.z.shape[1])
    covariance[:, index, index] += diagonal
    root = np.linalg.cholesky(covariance)
    half = np.linalg.inv(root) * of.seen[:, None, :]
    log_determinant = 2 * float(np.log(root[:, index, index]).sum())
    return np.swapaxes(half, 1, 2) @ (half * of.seen[:, :, None]), log_determinant


@dataclass(frozen=True)
class Joined:
    """The trials' blocks and what they make of the configurations'.

    Attributes:
        weights: (N, J, J) of the trials; pulled: (N, J) times their residuals.
        joined: (C, J, J) of the configurations; pull: (C, J). The trials' own without repeats.
        correction: (C, 2, 2) of the effects that repeats share; None without repeats.
        constant: log|.| + square, over all curves.
    """

    weights: Array
    pulled: Array
    joined: Array
    pull: Array
    correction: Array | None
    constant: float


def joined_blocks(of: Observations, at: Variances, expected: Array) -> Joined:
    """Blocks of the trials and configurations for residuals around `expected`, (C, J) or (J,)."""
    weights, log_determinant = precisions(of, at, 1 - at.share if of.repeated else 1.0)
    around = expected[of.of] if expected.ndim == 2 else expected
    residual = np.where(of.seen, of.z - around, 0.0)
    pulled = np.einsum("ijk,ik->ij", weights, residual)
    square = float((residual * pulled).sum())
    if not of.repeated:
        order = np.argsort(of.of)
        return Joined(weights, pulled, weights[order], pulled[order], None, log_determinant + square)
    count, rungs = len(of.x), of.z.shape[1]
    joined, pull = np.zeros((count, rungs, rungs)), np.zeros((count, rungs))
    np.add.at(joined, of.of, weights)
    np.add.at(pull, of.of, pulled)
    shown = joined @ at.basis  # (C, J, 2)
    effects = at.share * at.effects
    inner = np.eye(2) + effects @ (at.basis.T @ shown)
    correction = np.linalg.solve(inner, np.broadcast_to(effects, inner.shape))
    seen = pull @ at.basis
    square -= float(np.einsum("ci,cij,cj->", seen, correction, seen))
    joined = joined - shown @ correction @ np.swapaxes(shown, 1, 2)
    pull = pull - np.einsum("cja,cab,cb->cj", shown, correction, seen)
    log_determinant += float(np.linalg.slogdet(inner)[1].sum())
    return Joined(weights, pulled, joined, pull, correction, log_determinant + square)


def coefficients(of: Observations, at: Variances) -> Coefficients:
    """Posterior of (m, b, d) and the marginal likelihood (Rasmussen & Williams 2006, equation 2.43 with a mean)."""
    before = prior_mean(of)
    blocks = joined_blocks(of, at, before)
    precision, right = _normal_equations(of, at, blocks.joined, blocks.pull)
    prior, log_prior = prior_precision(of, at)
    root = np.linalg.cholesky(precision + prior)
    half = np.linalg.solve(root, right)
    mean = np.linalg.solve(root.T, half)
    log_posterior = 2 * float(np.log(np.diag(root)).sum())
    value = blocks.constant - float(half @ half) + log_posterior - log_prior
    mean[: len(before)] += before
    return Coefficients(mean, root, -0.5 * (value + int(of.seen.sum()) * float(np.log(2 * np.pi))))


def prior_mean(of: Observations) -> Array:
    """(J,) of m: falling by `STEP` from rung to rung."""
    rungs = len(of.epochs)
    mean: Array = of.centre - STEP * np.arange(rungs)
    return mean


def _normal_equations(of: Observations, at: Variances, weights: Array, pulled: Array) -> tuple[Array, Array]:
    """A'KA (Q, Q) and A'Kz (Q,), A = [1 | x | phi x], from the (C, J, J) blocks K of the configurations."""
    x = of.x
    early = x[:, of.early_columns]
    one, phi = weights.sum(2), weights @ at.phi
    cross_b, cross_d = one.T @ x, phi.T @ early
    bb = x.T @ (one.sum(1)[:, None] * x)
    bd = x.T @ (phi.sum(1)[:, None] * early)
    dd = early.T @ ((phi @ at.phi)[:, None] * early)
    precision = np.block([[weights.sum(0), cross_b, cross_d], [cross_b.T, bb, bd], [cross_d.T, bd.T, dd]])
    right = np.concatenate([pulled.sum(0), x.T @ pulled.sum(1), early.T @ (pulled @ at.phi)])
    return precision, right


def prior_deviations(of: Observations, at: Variances) -> tuple[Array, Array]:
    """(P,) of b, and of d + `NARROWER` b where d is."""
    late = of.deviation * at.groups[of.group]
    early = of.early * (at.groups * at.early)[of.group]
    return late, early[of.early_columns]


def prior_precision(of: Observations, at: Variances) -> tuple[Array, float]:
    """(Q, Q) of the coefficients, and its log-determinant."""
    rungs = of.z.shape[1]
    steps = (np.eye(rungs) - np.eye(rungs, k=1)) / STEP_SD
    steps[-1] = 0
    steps[-1, -1] = 1 / START_SD
    late, early = prior_deviations(of, at)
    diagonal = np.concatenate([np.ones(rungs), late**-2.0, early**-2.0])
    precision = np.diag(diagonal)
    b = rungs + of.early_columns
    d = rungs + len(late) + np.arange(len(b))
    precision[b, d] = precision[d, b] = NARROWER * early**-2.0
    precision[b, b] += NARROWER**2 * early**-2.0
    precision[:rungs, :rungs] = steps.T @ steps
    log_steps = 2 * float(np.log(np.abs(np.diag(steps))).sum())
    return precision, log_steps + float(np.log(diagonal[rungs:]).sum())
