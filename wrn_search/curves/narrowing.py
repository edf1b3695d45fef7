"""What further epochs would tell: how far they narrow a question, known before anybody trains.

A training further with rows F and noise S changes the covariance V of the coefficients to V - V F'(S + F V F')^-1 F V,
whatever it measures. So the fall of log c'Vc for a contrast c of them follows from who was seen at which rungs alone:
what a trial has shown already says part of what comes (its u, v and w), and F and S are what is left of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from wrn_search.curves.curve_likelihood import Observations, Variances, prior_precision
from wrn_search.curves.design_columns import Array

Seen: TypeAlias = tuple[int, ...]  # places of the rungs at which a curve was seen, rising


@dataclass(frozen=True)
class Alike:
    """Curves that were seen at the same rungs: how many, and their rows x summed, (P,), and with each other, (P, P)."""

    count: int
    sum: Array
    squares: Array

    @classmethod
    def nobody(cls, columns: int) -> Alike:
        """None of P columns."""
        return cls(0, np.zeros(columns), np.zeros((columns, columns)))

    def and_also(self, x: Array, times: int = 1) -> Alike:
        """With one more, or with `times` -1 without it."""
        return Alike(self.count + times, self.sum + times * x, self.squares + times * np.outer(x, x))


class Narrowing:
    """The coefficients given who was seen where.

    Args:
        of: the model; its curves do not count.
        at: variances.
        counting: (J,) variance of log-odds by counting at each rung.
        alike: the curves that count.
        contrasts: (C, P) of b.
    """

    def __init__(
        self,
        of: Observations,
        at: Variances,
        counting: Array,
        alike: Mapping[Seen, Alike],
        contrasts: Array,
    ):
        self._phi, self._early, self._rungs = at.phi, of.early_columns, len(of.epochs)
        self._curve = at.of_trial(1.0) + np.diag(at.of_epochs(counting, np.ones((1, 1)))[0])
        precision = prior_precision(of, at)[0]
        for seen, each in alike.items():
            precision += self._told_by(seen, each)
        self.covariance = np.linalg.inv(precision)
        columns = contrasts.shape[1]
        self._late = slice(self._rungs, self._rungs + columns)
        self._contrasts = contrasts
        self._aimed = contrasts @ self.covariance[self._late]  # (C, Q)
        self.variances = np.einsum("cq,cq->c", self._aimed[:, self._late], contrasts)  # (C,)

    def falls(self, x: Array, seen: Seen) -> Array:
        """(M, C, R) by how much log c'Vc falls when curves with rows x, (M, P), go on to the 1st ... R-th further rung.

        Args:
            x: of curves that were seen at the same rungs.
            seen: those rungs; further ones are all beyond the last of them.
        """
        m, a, d, noise = self._what_is_left(seen)
        spread, reach = self._forms(x, m, a, d)
        # (M, R, C): of each rung what those before had not told
        told = np.linalg.solve(np.linalg.cholesky(spread + noise), reach)
        shares = np.cumsum(told**2, axis=1).transpose(0, 2, 1) / self.variances[None, :, None]
        falls: Array = -np.log1p(-np.minimum(shares, 1 - 1e-9))
        return falls

    def _forms(self, x: Array, m: Array, a: Array, d: Array) -> tuple[Array, Array]:
        """F V F', (M, R, R), and F V c, (M, R, C), of rows F = (m, a x, d x), (R, Q), for each of M rows x."""
        v, late, early = self.covariance, self._late, slice(self._late.stop, None)
        x_early = x[:, self._early]
        of_late, of_early = x @ v[late], x_early @ v[early]  # (M, Q): rows of x, times V
        of_rungs = m @ v[: self._rungs]  # (R, Q)
        to_late, to_early = of_rungs[:, late] @ x.T, of_rungs[:, early] @ x_early.T  # (R, M)
        crossed = to_late.T[:, :, None] * a + to_early.T[:, :, None] * d  # (M, R, R)
        bb, dd = (of_late[:, late] * x).sum(1), (of_early[:, early] * x_early).sum(1)
        bd, ad = (of_late[:, early] * x_early).sum(1), np.outer(a, d)
        spread = (of_rungs[:, : self._rungs] @ m.T)[None] + crossed + crossed.transpose(0, 2, 1)
        spread = spread + bb[:, None, None] * np.outer(a, a) + dd[:, None, None] * np.outer(d, d)
        spread = spread + bd[:, None, None] * (ad + ad.T)
        aimed = self._aimed
        reach = (m @ aimed[:, : self._rungs].T)[None] + a[None, :, None] * (x @ aimed[:, late].T)[:, None]
        reach = reach + d[None, :, None] * (x_early @ aimed[:, early].T)[:, None]
        return spread, reach

    def _told_by(self, seen: Seen, alike: Alike) -> Array:
        """(Q, Q) of the precision."""
        at = list(seen)
        blocks = np.zeros((self._rungs, self._rungs))
        blocks[np.ix_(at, at)] = np.linalg.inv(self._curve[np.ix_(at, at)])
        one, shown, early = blocks.sum(0), blocks @ self._phi, self._early
        cross_b, cross_d = np.outer(one, alike.sum), np.outer(shown, alike.sum[early])
        squares = alike.squares
        bd = shown.sum() * squares[:, early]
        dd = float(shown @ self._phi) * squares[np.ix_(early, early)]
        told: Array = np.block(
            [
                [alike.count * blocks, cross_b, cross_d],
                [cross_b.T, one.sum() * squares, bd],
                [cross_d.T, bd.T, dd],
            ]
        )
        return told

    def _what_is_left(self, seen: Seen) -> tuple[Array, Array, Array, Array]:
        """What further rungs tell beyond those seen: weights (R, J) of m, (R,) of x b and of x d; noise (R, R)."""
        rest = list(range(seen[-1] + 1 if seen else 0, self._rungs))
        at, each = list(seen), np.eye(self._rungs)
        noise = self._curve[np.ix_(rest, rest)]
        if not seen:
            return each[rest], np.ones(len(rest)), self._phi[rest], noise
        across = self._curve[np.ix_(rest, at)]
        follows = np.linalg.solve(self._curve[np.ix_(at, at)], across.T).T
        m, a = each[rest] - follows @ each[at], 1 - follows.sum(1)
        return m, a, self._phi[rest] - follows @ self._phi[at], noise - follows @ across.T
