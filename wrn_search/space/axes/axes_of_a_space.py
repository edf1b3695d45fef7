"""Which axes a space has: its hyperparameters themselves, or those of listed networks or of listed points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from wrn_search.networks.architecture import block_name
from wrn_search.networks.families.family_table import DEFAULT_FAMILY
from wrn_search.networks.lattice import Lattice
from wrn_search.networks.network_names import named_network
from wrn_search.searchers.searcher import Hparams
from wrn_search.space.axes.lattice_axes import LatticeAxes
from wrn_search.space.axes.listed_networks import ListedNetworks, leaves_of
from wrn_search.space.axes.listed_points import ListedPoints
from wrn_search.space.axes.network_leaves import (
    SHAPE,
    family_of,
    kernels_of,
    merged,
    network_if_there_is_one,
    told_by,
)
from wrn_search.space.axes.searched_axes import CELL, Axes
from wrn_search.space.domains import Choice, Domain, Scalar, is_domain, member
from wrn_search.space.sections.optimiser_keys import OWN_OPTIMISER, with_off_as_number

AnyAxes = Axes | ListedPoints


def listed_networks(network: str | Domain | None, family: str) -> ListedNetworks | None:
    """The networks that `model.network` lists; None without the key.

    Of a family other than the default they are all, which decides about a name that two families have.

    Raises:
        ValueError: one is none of that family.
    """
    if network is None:
        return None
    names = network.options if isinstance(network, Choice) else (network,)
    only = None if family == DEFAULT_FAMILY else family
    return ListedNetworks(tuple(dict.fromkeys(named_network(str(name), only) for name in names)))


def with_network(leaves: Mapping[str, Any], listed: ListedNetworks | None) -> dict[str, Any]:
    """The leaves of a file, with family, depth, widening factor and block as `model.network` has them."""
    if listed is None:
        return dict(leaves)
    values = leaves_of(listed.networks[0]) | listed.hyperparameters | {"deepening_factor": None}
    return {name: values.get(name, value) for name, value in leaves.items()}


def axes_of(
    leaves: Mapping[str, Scalar | Domain | None],
    listed: ListedNetworks | None,
    lattice: Lattice | None,
    points: Sequence[Hparams],
) -> AnyAxes:
    """The axes of a space.

    Args:
        leaves: all leaves of `model` and `training`, in their order.
        listed: the networks of `model.network`.
        lattice: the networks that meet the constraints, where there are any and `listed` is not there.
        points: of `search.points`; without any domain they are the space.
    """
    domains = {name: value for name, value in leaves.items() if is_domain(value)}
    if domains or not points:
        if listed is not None:
            return Axes(domains, listed if len(listed.networks) > 1 else None, leaves)
        return Axes(domains, _lattice_axes(leaves, lattice) if lattice else None, leaves)
    whole = [merged(leaves, point) for point in points]
    networks = [network_if_there_is_one(values) for values in whole]
    told = {name for point in points for name in point}
    if {family_of(each) for each in whole} == {family_of(leaves)}:
        told -= {"family"}  # which every name of a network tells
    if told & {"block", "deepening_factor"}:
        told = told - {"deepening_factor"} | {"block"}
        whole = [each | {"block": block_name(kernels_of(each), family_of(each))} for each in whole]
    told -= {name for name, own in OWN_OPTIMISER.items() if all(each["optimizer"] != own for each in whole)}
    return ListedPoints(
        networks=tuple(dict.fromkeys(each for each in networks if each is not None)),
        points=tuple(_told_of(values, [name for name in leaves if name in told]) for values in whole),
    )


def _told_of(values: Mapping[str, Any], names: Sequence[str]) -> Hparams:
    """Those values of a point; null for what its optimiser does not have, and 0 for what is off."""
    optimiser, values = values["optimizer"], with_off_as_number(values)
    has = {name: OWN_OPTIMISER.get(name, optimiser) == optimiser for name in names}
    return cast(Hparams, {name: values[name] if has[name] else None for name in names})


def _lattice_axes(leaves: Mapping[str, Scalar | Domain | None], lattice: Lattice) -> LatticeAxes:
    """The axes of a lattice that is not empty."""
    fixed = {name: leaves[name] for name in CELL if not is_domain(leaves[name])}
    return LatticeAxes(lattice, tuple(name for name in SHAPE if is_domain(leaves[name])), fixed)


def points_on_axes(axes: AnyAxes, points: Sequence[Hparams]) -> tuple[Hparams, ...]:
    """The points of a file as the searcher takes them, in their order; an axis that one leaves open is not in it."""
    if isinstance(axes, ListedPoints):
        return tuple(dict.fromkeys(axes.domains, place) for place in range(axes.size))
    found = []
    for point in points:
        told = told_by(point, axes.hyperparameters)
        own = {
            name: member(domain, told[name]) for name, domain in axes.hyperparameters.items() if name in told
        }
        known = {name: value for name, value in own.items() if value is not None}
        on_axes = axes.point(known) if axes.names_network(known) else known
        assert on_axes is not None, point
        found.append(on_axes)
    return tuple(found)
