"""The axes that a searcher draws on, and the hyperparameters that a point on them stands for.

Hyperparameters are what is recorded, trained and reported: `depth`, `widen_factor`, `dropout`. Mostly each is an axis
of its own. Networks that a file lists, or that a budget leaves, are no product of depths and widths: they have axes of
their own, on which every point is one of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, cast

from wrn_search.networks.architecture import Architecture
from wrn_search.searchers.searcher import Hparams
from wrn_search.space.axes.network_leaves import BLOCKS, SHAPE, shaped
from wrn_search.space.domains import Domain, IntRange, Scalar, applies, finite_values, first_value

CELL = ("depth", "widen_factor")


class NetworkAxes(Protocol):
    """Axes of networks that are no product of depths and widths."""

    @property
    def domains(self) -> Mapping[str, Domain]:
        """The axes."""

    @property
    def places(self) -> frozenset[str]:
        """Those of them that are whole numbers in an order; numbers between are rounded."""

    @property
    def cell(self) -> tuple[str, ...]:
        """Those of them whose values anchors take in turn."""

    @property
    def size(self) -> int:
        """Networks."""

    @property
    def networks(self) -> Sequence[Architecture]:
        """All of them."""

    @property
    def kernels(self) -> Sequence[tuple[int, ...]]:
        """Of all their blocks."""

    @property
    def extremes(self) -> Sequence[Architecture]:
        """Among them those with the fewest and the most parameters and multiply-adds, and layers."""

    def shape_of(self, network: Architecture) -> Hparams:
        """The hyperparameters of a network."""

    def hparams(self, point: Hparams) -> Hparams:
        """Depth, widening factor and block, as far as they are searched, of a point; it may have further axes."""

    def point(self, hparams: Hparams) -> Hparams | None:
        """The point of a network; None if it is none of these."""


@dataclass(frozen=True)
class Axes:
    """What is searched, as the searcher sees it and as it is recorded.

    Attributes:
        hyperparameters: what is recorded, in the order of the sections.
        network: axes of the networks, where they are no product.
        leaves: every leaf of `model` and `training`: conditions may read fixed ones.
    """

    hyperparameters: Mapping[str, Domain]
    network: NetworkAxes | None = None
    leaves: Mapping[str, Any] = field(default_factory=dict)

    def applied(self, hparams: Hparams) -> Hparams:
        """The same with null for what its conditions leave out."""
        if not self.conditional:
            return hparams
        values = shaped({**self.leaves, **hparams}, hparams)
        out = {name: None for name in self.conditional if not applies(self.hyperparameters[name], values)}
        return cast(Hparams, {**hparams, **{name: None for name in out if name in hparams}})

    def idle(self, point: Hparams) -> frozenset[str]:
        """Axes of hyperparameters that do not apply at a point."""
        if not self.conditional:
            return frozenset()
        return frozenset(name for name, value in self.hparams(point).items() if value is None)

    @cached_property
    def conditional(self) -> tuple[str, ...]:
        """Hyperparameters that apply only where others have certain values."""
        return tuple(name for name, domain in self.hyperparameters.items() if domain.when)

    @cached_property
    def domains(self) -> dict[str, Domain]:
        """The axes, those of the network first."""
        if self.network is None:
            return dict(self.hyperparameters)
        return {**self.network.domains, **self._others}

    @property
    def places(self) -> frozenset[str]:
        """Axes of whole numbers between which `canonical` rounds."""
        return frozenset() if self.network is None else self.network.places

    @property
    def networks(self) -> Sequence[Architecture] | None:
        """All networks, where they are no product of depths, widths and blocks."""
        return None if self.network is None else self.network.networks

    @property
    def kernels(self) -> Sequence[tuple[int, ...]]:
        """Of all blocks of `networks`."""
        return () if self.network is None else self.network.kernels

    @property
    def extremes(self) -> Sequence[Architecture]:
        """Of `networks` those with the fewest and the most parameters, multiply-adds and layers."""
        return () if self.network is None else self.network.extremes

    @property
    def cell(self) -> tuple[str, ...]:
        """Axes whose values anchors take in turn."""
        return CELL if self.network is None else self.network.cell

    @cached_property
    def size(self) -> int | None:
        """Configurations; None when a domain is continuous."""
        counts = {name: _count(domain) for name, domain in self._others.items()}
        if any(count is None for count in counts.values()):
            return None
        if self.conditional:
            return self._size_under_conditions({name: count or 0 for name, count in counts.items()})
        return math.prod(count or 0 for count in counts.values()) * (self.network.size if self.network else 1)

    def _size_under_conditions(self, counts: Mapping[str, int]) -> int:
        """Configurations, where what does not apply has no values: counted for each choice of what conditions read."""
        read = {key for name in self.conditional for key, _ in self.hyperparameters[name].when}
        free = [name for name in self._others if name in read or (name in BLOCKS and read & set(BLOCKS))]
        shapes: list[Hparams] = [{}]
        if self.network is not None:
            shapes = [self.network.shape_of(each) for each in self.network.networks]
        alike = [self._alike(name) for name in free]
        total = 0
        for shape in shapes:
            for values in itertools.product(*alike):
                first = {name: value for name, (value, _) in zip(free, values, strict=True)}
                told = self.applied({**shape, **first, **self._open(free)})
                rest = (counts[name] for name in counts if name not in free and told[name] is not None)
                total += math.prod(rest) * math.prod(count for _, count in values)
        return total

    def _alike(self, name: str) -> list[tuple[Scalar, int]]:
        """Values of a hyperparameter that conditions read: of all that they hold for alike the first, and how many."""
        conditions = [
            each
            for other in self.conditional
            for key, each in self.hyperparameters[other].when
            if key == name
        ]
        found: dict[object, tuple[Scalar, int]] = {}
        for value in finite_values(self.hyperparameters[name]) or ():
            kind = value if name in BLOCKS else tuple(each.holds(value) for each in conditions)
            first, count = found.get(kind, (value, 0))
            found[kind] = first, count + 1
        return list(found.values())

    def _open(self, free: Sequence[str]) -> Hparams:
        """A value for every hyperparameter that no condition reads."""
        return {name: first_value(each) for name, each in self._others.items() if name not in free}

    def hparams(self, point: Hparams) -> Hparams:
        """The hyperparameters of a point; null for one that does not apply there."""
        if self.network is None:
            return self.applied(point)
        values = {name: point[name] for name in self._others} | self.network.hparams(point)
        return self.applied({name: values[name] for name in self.hyperparameters})

    def point(self, hparams: Hparams) -> Hparams | None:
        """The point of hyperparameters that lie in their domains; None where their network is none of the space's.

        Hyperparameters beside the network may be left out, and then are no part of the point.
        """
        first = {k: first_value(self.hyperparameters[k]) for k, v in hparams.items() if v is None}
        if self.network is None:
            return hparams | first
        found = self.network.point(hparams)
        others = {k: v for k, v in hparams.items() if k in self._others}
        return None if found is None else found | others | first

    def names_network(self, hparams: Hparams) -> bool:
        """Whether hyperparameters tell a whole network, where networks are no product."""
        return self.network is not None and self._shape <= hparams.keys()

    def canonical(self, point: Hparams) -> Hparams:
        """Of all points that stand for one configuration, the same."""
        if self.network is None and not self.conditional:
            return point
        found = self.point(self.hparams(point))
        assert found is not None, point
        return {name: found[name] for name in self.domains}

    @cached_property
    def _others(self) -> dict[str, Domain]:
        """The hyperparameters that are axes of their own."""
        return {name: domain for name, domain in self.hyperparameters.items() if name not in self._shape}

    @cached_property
    def _shape(self) -> frozenset[str]:
        """The hyperparameters that make a network, where networks are no product."""
        return frozenset(SHAPE) & self.hyperparameters.keys() if self.network else frozenset()


def _count(domain: Domain) -> int | None:
    """Values of a finite domain."""
    if isinstance(domain, IntRange):
        return len(domain.values)
    values = finite_values(domain)
    return None if values is None else len(values)
