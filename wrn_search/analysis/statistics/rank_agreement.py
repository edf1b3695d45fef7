"""Rank agreement: Kendall's tau-b between our errors and published ones, with what our seeds leave open of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST = 3  # networks: of two the ranks agree or do not
DRAWS = 4000
SEED = 0


@dataclass(frozen=True)
class RankAgreement:
    """Kendall's tau-b over some networks.

    Attributes:
        tau: -1 to 1; None where a side has one value alone, or too few networks.
        low, high: 95 %, of the true errors of these networks under our recipe; None where it is not known.
        networks: how many.
        why_not: why there is no tau, or no interval.
    """

    tau: float | None
    low: float | None
    high: float | None
    networks: int
    why_not: str = ""


def rank_agreement(
    ours: Sequence[float], theirs: Sequence[float], draws: Floats | None, why_no_draws: str = ""
) -> RankAgreement:
    """Of errors `ours` and `theirs` (n,) of the same networks, and draws (S, n) of what ours estimate."""
    count = len(ours)
    if count < LEAST:
        told = "1 has" if count == 1 else f"{count or 'none'} {'have' if count else 'has'}"
        why = f"at least {LEAST} networks must have an error, but {told}"
        return RankAgreement(None, None, None, count, why)
    tau = tau_b(np.array([ours], dtype=float), np.array(theirs, dtype=float))[0]
    if np.isnan(tau):
        return RankAgreement(None, None, None, count, "all errors of a side are equal")
    if draws is None:
        return RankAgreement(float(tau), None, None, count, why_no_draws)
    drawn = tau_b(draws, np.array(theirs, dtype=float))
    # A quantile that is a value drawn: taus of few networks lie far apart, and between them there is none.
    low = np.quantile(drawn, 0.025, method="inverted_cdf")
    high = np.quantile(drawn, 0.975, method="inverted_cdf")
    return RankAgreement(float(tau), float(low), float(high), count)


def tau_b(ours: Floats, theirs: Floats) -> Floats:
    """(S,) of rows (S, n) against (n,); ties count half (Kendall, Biometrika 33, 1945); NaN where all are equal."""
    first, second = np.triu_indices(theirs.shape[0], 1)
    rows = np.sign(ours[:, first] - ours[:, second])
    fixed = np.sign(theirs[first] - theirs[second])
    size = np.sqrt(np.abs(rows).sum(1) * np.abs(fixed).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(size > 0, (rows @ fixed) / size, np.nan)
    return found
