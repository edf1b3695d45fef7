"""Which network is best, and which smaller ones cannot be told from it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtr, stdtrit

from wrn_search.analysis.input_tables.configurations import (
    Configuration,
    binomial_variance,
    pooled_seed_deviation,
)
from wrn_search.curves.winner_and_smallest import hsu_constant

CONFIDENCE = 0.95
_OF_TWO = 1.959964  # never surer than a two-sided test of two networks


@dataclass(frozen=True)
class Comparison:
    """The best configuration and all that cannot be told from it."""

    best: Configuration
    equivalents: tuple[
        Configuration, ...
    ]  # of each network the best one, smallest first, the best itself among them
    candidates: int  # configurations among which the best was chosen
    seed_deviation: float | None
    seed_freedom: int
    tested: (
        bool  # False if neither the number of images nor repeats are known: then only ties are equivalents
    )


def compare(
    configurations: Sequence[Configuration],
    best: Configuration | None,
    images: int | None,
    chance_error: float | None,
) -> Comparison | None:
    """All configurations against the best one, with and without repeats; None if there is no configuration."""
    if best is None:
        return None
    deviation, freedom = pooled_seed_deviation(configurations)
    constant = max(_OF_TWO, hsu_constant(len(configurations), CONFIDENCE))
    equal = [
        c
        for c in configurations
        if c is best
        or statistics.median(c.values(chance_error)) - statistics.median(best.values(chance_error))
        <= margin(best, c, images, deviation, freedom, constant)
    ]
    networks: dict[str, Configuration] = {}
    for c in sorted(equal, key=lambda c: (c is not best, c.order(chance_error))):
        networks.setdefault(c.network, c)
    return Comparison(
        best=best,
        equivalents=tuple(sorted(networks.values(), key=lambda c: (c.num_params, c.order(chance_error)))),
        candidates=len(configurations),
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
    constant: float,
) -> float:
    """How many points an error may lie above the best of all and still not be told from it at 95 %.

    Hsu's comparison with the best (Ann. Statist. 9, 1981), as the best was chosen among all: c_m sqrt(V) with
    V = v1 + v2 + s^2 (1/r1 + 1/r2): each error counted on n images, as if on other images (the same images make
    differences more certain, so this errs on the side of "cannot be told"), and s the pooled deviation over seeds.
    c_m is that of infinitely many degrees of freedom, taken to Student's t at the same probability with
    Satterthwaite's (Biometrics Bulletin 2, 1946): those of s, raised by the share of V that needs no estimate of s.
    """
    counted = [binomial_variance(c.mean, images) or 0.0 for c in (best, other)]
    seeds = 0.0
    if deviation is not None:
        seeds = deviation**2 * (1 / len(best.completed) + 1 / len(other.completed))
    variance = sum(counted) + seeds
    if variance == 0:
        return 0.0
    effective = freedom * (variance / seeds) ** 2 if seeds else math.inf
    return float(stdtrit(min(effective, 1e9), ndtr(constant))) * math.sqrt(variance)
