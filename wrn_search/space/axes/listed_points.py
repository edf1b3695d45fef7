"""A list of points that is the space (`search.points` in a file that searches no key): one axis, the place in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from wrn_search.networks.architecture import Architecture, parse_block
from wrn_search.searchers.searcher import Hparams
from wrn_search.space.domains import Choice, Domain, IntRange

AXIS = "point"


@dataclass(frozen=True)
class ListedPoints:
    """Exactly these configurations, in this order, by the contract of `Axes`.

    Attributes:
        points: each with a value for every hyperparameter.
        networks: of all points, each once.
    """

    points: tuple[Hparams, ...]
    networks: tuple[Architecture, ...]
    cell: tuple[str, ...] = ()

    @cached_property
    def hyperparameters(self) -> Mapping[str, Domain]:
        """What the points tell, each with all values that it has there."""
        names = self.points[0]
        return {name: Choice(tuple(dict.fromkeys(point[name] for point in self.points))) for name in names}

    @property
    def places(self) -> frozenset[str]:
        """None."""
        return frozenset()

    @property
    def kernels(self) -> Sequence[tuple[int, ...]]:
        """Of all blocks."""
        return tuple(dict.fromkeys(network.kernels for network in self.networks))

    @property
    def extremes(self) -> Sequence[Architecture]:
        """All networks: they are few."""
        return self.networks

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


def kernels_of(leaves: Mapping[str, Any]) -> tuple[int, ...]:
    """Of the block that leaves of `model` describe."""
    length, block = leaves["deepening_factor"], leaves["block"]
    return parse_block(block or "B(3,3)") if length is None else (3,) * int(length)


def network_of(leaves: Mapping[str, Any]) -> Architecture:
    """The network that leaves of `model` describe.

    Raises:
        ValueError: there is none with such a depth and block.
    """
    return Architecture(int(leaves["depth"]), float(leaves["widen_factor"]), kernels_of(leaves))


def network_if_there_is_one(leaves: Mapping[str, Any]) -> Architecture | None:
    """The same; None where there is none."""
    try:
        return network_of(leaves)
    except ValueError:
        return None
