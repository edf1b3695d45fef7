"""What a person believes to be good (`search.prior`): a bounded share of the configurations is drawn around it.

In the spirit of PriorBand (Mallik et al., "PriorBand: Practical Hyperparameter Optimization in the Age of Deep
Learning", arXiv 2306.12370): Gaussians around the believed values on the scale of each domain.
Ours is simpler: the share does not adapt, it is small, stated, and the same early and late. A searcher that learns
takes what is good from there on its own, and a wrong belief costs no more than the share.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

from wrn_search.searchers.searcher import Hparams, Prior, SearchedSpace
from wrn_search.searchers.uniform_draws import UniformDraws
from wrn_search.searchers.untried import Untried
from wrn_search.seeds import derived_seed
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Scalar


@dataclass(frozen=True)
class Confidence:
    """How sure a belief is."""

    share: float  # of the configurations that are drawn around it
    deviation: float  # of a Gaussian, as a share of a domain's range on its scale
    kept: float  # probability that a choice keeps the believed option

    @property
    def every(self) -> int:
        """One in so many is drawn around the belief."""
        return math.ceil(1 / self.share)


CONFIDENCES = {
    "low": Confidence(0.05, 0.3, 0.5),
    "medium": Confidence(0.10, 0.2, 0.7),
    "high": Confidence(0.15, 0.1, 0.9),
}


def around_prior(prior: Prior | None, configurations: int) -> int:
    """How many of so many configurations are drawn around a prior, at most."""
    return 0 if prior is None else int(CONFIDENCES[prior.confidence].share * configurations)


class DrawsAroundPrior:
    """Which configurations are drawn around the prior, and what they are; both follow from `search.seed` alone.

    Evenly from the first on, after the points of the file: one in `Confidence.every`, so that a search that is cut
    short, or judged early, has paid no more for a wrong belief than its share. The first is the belief itself, with a
    draw for what it leaves open.

    Args:
        space: what is searched.
        configurations: of the whole search, `search.trials`.
    """

    def __init__(self, space: SearchedSpace, configurations: int):
        self._space = space
        self._count = around_prior(space.prior, configurations)
        self._untried = Untried(space)
        self._draws = UniformDraws(space.hyperparameters)

    def is_due(self, configuration: int) -> bool:
        """Whether a configuration is drawn around the prior."""
        prior = self._space.prior
        if prior is None:
            return False
        place, between = divmod(configuration - len(self._space.points), CONFIDENCES[prior.confidence].every)
        return 0 <= place < self._count and not between

    def draw(self, configuration: int) -> Hparams | None:
        """It; None when the space has run out."""
        prior = self._space.prior
        assert prior is not None, configuration
        first = configuration == len(self._space.points)
        how = (
            replace(CONFIDENCES[prior.confidence], deviation=0.0, kept=1.0)
            if first
            else CONFIDENCES[prior.confidence]
        )

        def near(seed: int) -> Hparams:
            generator = random.Random(derived_seed(seed, "around the prior"))
            domains = self._space.hyperparameters
            return self._draws.at(seed) | {
                name: _near(domains[name], value, how, generator) for name, value in prior.values.items()
            }

        return self._untried.draw(configuration, near)

    def proposed(self, point: Hparams) -> None:
        """It is tried from now on, whoever proposed it."""
        if self._space.prior is not None:
            self._untried.take(point)


def _near(domain: Domain, value: Scalar, how: Confidence, generator: random.Random) -> Scalar:
    """A draw around a value of a domain, inside it."""
    if how.deviation == 0:
        return value
    match domain:
        case Choice(options):
            others = [option for option in options if option != value]
            keeps = not others or generator.random() < how.kept
            return value if keeps else generator.choice(others)
        case IntRange(low, high, step, False):
            drawn = _gaussian(float(value), float(low), float(high), how.deviation, generator)
            return min(low + step * round((drawn - low) / step), domain.values[-1])
        case IntRange(low, high) | LogUniform(low, high):
            logs = (math.log(float(value)), math.log(low), math.log(high))
            drawn = min(max(math.exp(_gaussian(*logs, how.deviation, generator)), low), high)
            return round(drawn) if isinstance(domain, IntRange) else drawn
        case _:
            return _gaussian(float(value), domain.low, domain.high, how.deviation, generator)


def _gaussian(centre: float, low: float, high: float, share: float, generator: random.Random) -> float:
    """A draw of a Gaussian that lies in [low, high]: of many the first inside, else the centre."""
    for _ in range(100):
        drawn = generator.gauss(centre, share * (high - low))
        if low <= drawn <= high:
            return drawn
    return centre
