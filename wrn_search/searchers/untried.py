"""What was not tried before: draws until a new one comes, then whatever is left of the space."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable

from wrn_search.searchers.grid_search import grid_point, grid_size
from wrn_search.searchers.searcher import Hparams, SearchedSpace
from wrn_search.seeds import derived_seed
from wrn_search.space.domains import Domain, LogUniform, Scalar, Uniform, few_values, finite_values

_DRAWS_BEFORE_ENUMERATING = 20
_DRAWS_ANYWHERE = 100
_FEW = 1000  # numbers of an interval


class Untried:
    """The configurations of a space that were tried, and a way to one that was not.

    Args:
        space: what is searched.
    """

    def __init__(self, space: SearchedSpace):
        self._space = space
        self._taken: set[tuple[Scalar, ...]] = set()

    def take(self, hparams: Hparams) -> None:
        """It is tried from now on."""
        self._taken.add(tuple(hparams[name] for name in self._space.hyperparameters))

    @property
    def none_is_left(self) -> bool:
        """Whether every configuration of a finite space was tried."""
        return self._space.size is not None and len(self._taken) >= self._space.size

    def is_new(self, hparams: Hparams) -> bool:
        """Whether what a point stands for was not tried."""
        return tuple(self._space.canonical(hparams).values()) not in self._taken

    def draw(self, configuration: int, draw: Callable[[int], Hparams]) -> Hparams | None:
        """The first new one of 20 draws, else a random new one; None when there is none left.

        Args:
            configuration: number of the proposal.
            draw: seed -> hyperparameters.
        """
        size, seed = self._space.size, self._space.seed
        if self.none_is_left:
            return None
        for attempt in range(_DRAWS_BEFORE_ENUMERATING):
            hparams = self._space.canonical(draw(derived_seed(seed, "proposal", configuration, attempt)))
            if tuple(hparams.values()) not in self._taken:
                return hparams
        generator = random.Random(derived_seed(seed, "untried", configuration))
        return self._anywhere(generator) if size is None else self._of_grid(generator)

    def _of_grid(self, generator: random.Random) -> Hparams:
        """The first untried point of the grid from a random one on."""
        points = grid_size(self._space.hyperparameters)
        start = generator.randrange(points)
        for step in range(points):
            point = grid_point(self._space.hyperparameters, (start + step) % points)
            assert point is not None
            if tuple(point.values()) not in self._taken and self._space.canonical(point) == point:
                return point
        raise AssertionError("the caller saw that a point is left")

    def _anywhere(self, generator: random.Random) -> Hparams | None:
        """An untried point of a space that repeats itself although it is continuous; None when there is none left.

        Its intervals are so narrow that they hold few numbers, or a sampler that learns has settled on one.
        """
        domains = self._space.hyperparameters
        for _ in range(_DRAWS_ANYWHERE):
            point = self._space.canonical(
                {name: _anywhere(domain, generator) for name, domain in domains.items()}
            )
            if tuple(point.values()) not in self._taken:
                return point
        values = [few_values(domain, _FEW) for domain in domains.values()]
        if any(each is None for each in values):
            return None
        for each in itertools.product(*(each or () for each in values)):
            point = dict(zip(domains, each, strict=True))
            if each not in self._taken and self._space.canonical(point) == point:
                return point
        return None


def _anywhere(domain: Domain, generator: random.Random) -> Scalar:
    """A random value of a domain."""
    match domain:
        case Uniform(low, high):
            return min(max(generator.uniform(low, high), low), high)
        case LogUniform(low, high):
            return min(max(math.exp(generator.uniform(math.log(low), math.log(high))), low), high)
        case _:
            return generator.choice(finite_values(domain) or ())
