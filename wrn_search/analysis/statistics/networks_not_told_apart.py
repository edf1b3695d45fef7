"""Which network is best, and which smaller ones cannot be told from it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

from wrn_search.analysis.input_tables.configurations import (
    Configuration,
    binomial_variance,
    pooled_seed_deviation,
)

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Comparison:
    """The best configuration and all that cannot be told from it."""

    best: Configuration
    equivalents: tuple[
        Configuration, ...
    ]  # of each network the best one, smallest first, the best itself among them
    candidates: int  # configurations among which the best was chosen
    chosen_by_repeats: bool  # only configurations with repeats were candidates
    seed_deviation: float | None
    seed_freedom: int
    tested: (
        bool  # False if neither the number of images nor repeats are known: then only ties are equivalents
    )


def compare(
    configurations: Sequence[Configuration], images: int | None, chance_error: float | None
) -> Comparison | None:
    """The best by the median over its repeats, and the others against it; None if there is no configuration.

    Where some have repeats, only those are candidates: one lucky seed of many wins against any mean. Of those, the ones
    come first whose repeats have all ended.
    """
    repeated = [c for c in configurations if len(c.completed) > 1]
    candidates = repeated or list(configurations)
    if not candidates:
        return None
    whole = [c for c in candidates if c.ended == c.trials]
    best = min(whole or candidates, key=lambda c: _rank(c, chance_error))
    deviation, freedom = pooled_seed_deviation(configurations)
    equal = [
        c
        for c in candidates
        if c is best
        or statistics.median(c.values(chance_error)) - statistics.median(best.values(chance_error))
        <= margin(best, c, images, deviation, freedom)
    ]
    networks: dict[str, Configuration] = {}
    for c in sorted(equal, key=lambda c: (c is not best, _rank(c, chance_error))):
        networks.setdefault(c.network, c)
    return Comparison(
        best=best,
        equivalents=tuple(sorted(networks.values(), key=lambda c: (c.num_params, _rank(c, chance_error)))),
        candidates=len(candidates),
        chosen_by_repeats=bool(repeated),
        seed_deviation=deviation,
        seed_freedom=freedom,
        tested=bool(images) or deviation is not None,
    )


def margin(
    best: Configuration,
    other: Configuration,
    images: int | None,
    deviation: float | None,
    freedom: int,
) -> float:
    """How many points two errors must differ to be told apart at 95 %.

    t * sqrt(V), V = p1 (100 - p1) / n + p2 (100 - p2) / n + s^2 (1/r1 + 1/r2): each error counted on n images, as if
    on other images (the same images make differences more certain, so this errs on the side of "cannot be told"), and
    s the pooled deviation over seeds. t has Satterthwaite's degrees of freedom (Biometrics Bulletin 2, 1946): those of
    s, raised by the share of V that needs no estimate of s.
    """
    counted = [binomial_variance(c.mean, images) or 0.0 for c in (best, other)]
    seeds = 0.0
    if deviation is not None:
        seeds = deviation**2 * (1 / len(best.completed) + 1 / len(other.completed))
    variance = sum(counted) + seeds
    if variance == 0:
        return 0.0
    effective = freedom * (variance / seeds) ** 2 if seeds else math.inf
    return quantile(effective) * math.sqrt(variance)


def quantile(freedom: float) -> float:
    """Student's t at 97.5 %, two-sided 95 %; the normal one for infinite degrees of freedom."""
    probability = 1 - (1 - CONFIDENCE) / 2
    return float(stdtrit(min(freedom, 1e9), probability))


def _rank(c: Configuration, chance_error: float | None) -> tuple[float, float, int, int]:
    """Lowest median first; of equals the lower mean, the smaller network, the earlier one."""
    return statistics.median(c.values(chance_error)), c.mean, c.num_params, c.number
