"""Our domains as Optuna's distributions, for its samplers and for studies that its dashboard opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wrn_search.searchers.searcher import SearchedSpace
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Uniform

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


def distributions_of(space: SearchedSpace) -> dict[str, BaseDistribution]:
    """A distribution for each axis of a space.

    Places in an order are real numbers, which the space rounds: Optuna's densities of whole numbers cost milliseconds
    where they are many.
    """
    from optuna.distributions import FloatDistribution

    return {
        name: FloatDistribution(domain.low - 0.5, domain.high + 0.5)
        if name in space.places and isinstance(domain, IntRange)
        else distribution_of(domain)
        for name, domain in space.hyperparameters.items()
    }


def distribution_of(domain: Domain) -> BaseDistribution:
    """The distribution with the same values and the same scale."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match domain:
        case Choice(options):
            return CategoricalDistribution(options)
        case IntRange(low, high, step, log):
            return IntDistribution(low, high, step=step, log=log)
        case Uniform(low, high):
            return FloatDistribution(low, high)
        case LogUniform(low, high):
            return FloatDistribution(low, high, log=True)
