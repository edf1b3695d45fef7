"""A list of points that is the space (`search.points` in a file that searches no key): one axis, the place in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from wrn_search.searchers.searcher import Hparams
from wrn_search.space.axes.listed_networks import FewNetworks
from wrn_search.space.domains import Choice, Condition, Domain, IntRange, When
from wrn_search.space.sections.optimiser_keys import OWN_OPTIMISER

AXIS = "point"


@dataclass(frozen=True)
class ListedPoints(FewNetworks):
    """Exactly these configurations, in this order, by the contract of `Axes`.

    Attributes:
        networks: of all points, each once.
        points: each with a value for every hyperparameter; null for what its optimiser does not have.
    """

    points: tuple[Hparams, ...]
    cell: tuple[str, ...] = ()

    @cached_property
    def hyperparameters(self) -> Mapping[str, Domain]:
        """What the points tell, each with all values that it has there, and the optimiser that it is of."""
        found = {}
        for name in self.points[0]:
            values = dict.fromkeys(point[name] for point in self.points)
            when: When = ()
            if None in values:
                when = (("optimizer", Condition((OWN_OPTIMISER[name],))),)
            found[name] = Choice(tuple(value for value in values if value is not None), when)
        return found

    def idle(self, point: Hparams) -> frozenset[str]:
        """Nothing is: each point says what it has."""
        return frozenset()

    def applied(self, hparams: Hparams) -> Hparams:
        """The same: each point says what it has."""
        return hparams

    @property
    def domains(self) -> Mapping[str, Domain]:
        """The one axis."""
        return {AXIS: IntRange(0, len(self.points) - 1)}

    @property
    def size(self) -> int:
        """Configurations."""
        return len(self.points)

    def hparams(self, point: Hparams) -> Hparams:
        """The hyperparameters at a place."""
        return self.points[int(point[AXIS])]

    def point(self, hparams: Hparams) -> Hparams | None:
        """The place of hyperparameters; None where the list does not have them."""
        place = self._places.get(tuple(hparams[name] for name in self.points[0]))
        return None if place is None else {AXIS: place}

    def canonical(self, point: Hparams) -> Hparams:
        """Each place is a configuration of its own."""
        return point

    @cached_property
    def _places(self) -> dict[tuple[object, ...], int]:
        return {tuple(point.values()): place for place, point in enumerate(self.points)}
