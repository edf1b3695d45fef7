"""Networks by name (`model.network`): depth, widening factor and block in one, and the axis that is their choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.network_names import exact_name
from wrn_search.searchers.searcher import Hparams
from wrn_search.space.domains import Choice, Domain, Scalar

AXIS = "network"


def leaves_of(network: Architecture) -> dict[str, Scalar]:
    """Its leaves of `model`."""
    return {
        "family": network.family,
        "depth": network.depth,
        "widen_factor": network.widen_factor,
        "block": network.block,
    }


@dataclass(frozen=True)
class FewNetworks:
    """What axes say of their networks that are a list."""

    networks: tuple[Architecture, ...]

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


@dataclass(frozen=True)
class ListedNetworks(FewNetworks):
    """A choice of networks, by the contract of `NetworkAxes`."""

    cell: tuple[str, ...] = (AXIS,)

    @property
    def domains(self) -> Mapping[str, Domain]:
        """The choice, by name."""
        return {AXIS: Choice(tuple(self._by_name))}

    @property
    def size(self) -> int:
        """Networks."""
        return len(self.networks)

    @cached_property
    def hyperparameters(self) -> dict[str, Choice]:
        """Family, depth, widening factor and block, as far as the networks differ in them."""
        values: dict[str, list[Scalar]] = {}
        for network in self.networks:
            for name, value in leaves_of(network).items():
                values.setdefault(name, []).append(value)
        options = {name: tuple(dict.fromkeys(each)) for name, each in values.items()}
        return {name: Choice(each) for name, each in options.items() if len(each) > 1}

    def shape_of(self, network: Architecture) -> Hparams:
        """The hyperparameters of a network."""
        leaves = leaves_of(network)
        return {name: leaves[name] for name in self.hyperparameters}

    def hparams(self, point: Hparams) -> Hparams:
        """Of a point's network."""
        return self.shape_of(self._by_name[str(point[AXIS])])

    def point(self, hparams: Hparams) -> Hparams | None:
        """The network with these values; None if it is none of these."""
        for name, network in self._by_name.items():
            leaves = leaves_of(network)
            if all(leaves[each] == hparams[each] for each in self.hyperparameters):
                return {AXIS: name}
        return None

    @cached_property
    def _by_name(self) -> dict[str, Architecture]:
        return {exact_name(network): network for network in self.networks}
