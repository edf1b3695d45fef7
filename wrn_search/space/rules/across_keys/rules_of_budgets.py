"""Rules that tie `constraints` to the networks and the images of a space."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.network_names import exact_name
from wrn_search.networks.sizes_of_many import ImageKind
from wrn_search.space.axes.axes_of_a_space import listed_networks
from wrn_search.space.axes.listed_points import ListedPoints
from wrn_search.space.axes.network_leaves import merged, network_if_there_is_one
from wrn_search.space.network_budgets import (
    MOST_COMBINATIONS,
    are_there,
    budgets_of,
    candidates_of,
    images_of,
    meets,
    network_lattice,
    predicted_budgets,
    sizes_of,
)
from wrn_search.space.rules.broken_rule import Broken, Path, got
from wrn_search.space.rules.budget_rules import shown

if TYPE_CHECKING:
    from wrn_search.space.space import Space

_SECTION: Path = ("constraints",)


def budgets_can_be_counted(space: Space) -> Iterator[Broken]:
    """Sizes depend on the images: their shape and classes must be known, and be those of the data set."""
    constraints, facts = space.constraints, space.dataset.facts
    for key, known in (("num_classes", facts.num_classes), ("image_shape", facts.image_shape)):
        given, path = getattr(constraints, key), ("constraints", key)
        reads: tuple[Path, ...] = (path, ("dataset", "name"))
        if given is not None and known is not None and given != known:
            text = (
                f"must be that of {space.dataset.name}, {list(known) if isinstance(known, tuple) else known}"
            )
            yield Broken(path, f"{text}, {got(given)}", reads)
        elif given is None and known is None and (budgets := _all_budgets(space)):
            text = f"must be given with a budget, as only the files of {space.dataset.name} tell it"
            yield Broken((*_SECTION, budgets[0]), f"{key} {text}, {got(None)}", reads)


def some_network_meets_the_budgets(space: Space) -> Iterator[Broken]:
    """Of an empty lattice the network is told that comes nearest."""
    constraints, images = space.constraints, images_of(space.constraints, space.dataset.facts)
    if not are_there(constraints) or images is None or isinstance(space.axes, ListedPoints):
        return
    listed = listed_networks(space.model.network, space.model.family)
    if listed is not None:
        if not any(meets(each, constraints, images) for each in listed.networks):
            names = ", ".join(exact_name(each) for each in listed.networks[:20])
            yield _none(space, f"some network of model.network must meet it, but none of {names} does")
        return
    candidates = candidates_of(space.leaves, constraints.multiple_of)
    if candidates.combinations > MOST_COMBINATIONS:
        text = f"the space must have at most {MOST_COMBINATIONS} combinations of block, depth and widening factor"
        yield _none(space, f"{text}, {got(candidates.combinations)}")
        return
    if not candidates.widen_factors:
        rule = f"some widening factor must have channels that are multiples of {constraints.multiple_of or 1}"
        yield _none(space, f"{rule}, but none of the space has")
        return
    lattice = network_lattice(space.leaves, constraints, space.dataset.facts)
    if lattice is not None and not lattice:
        nearest = (
            "none exists" if lattice.nearest is None else f"the nearest is {_told(lattice.nearest, images)}"
        )
        rule = f"some network of the space must have {_wanted(space)}"
        yield _none(space, f"{rule}, but none of {candidates.combinations} combinations has: {nearest}")


def points_meet_the_budgets(space: Space) -> Iterator[Broken]:
    """The configurations of a list that is the space; those of a searched space must lie in it anyway."""
    images = images_of(space.constraints, space.dataset.facts)
    if not are_there(space.constraints) or images is None or not isinstance(space.axes, ListedPoints):
        return
    for place, point in enumerate(space.search.points):
        network = network_if_there_is_one(merged(space.leaves, point))
        if network is not None and not meets(network, space.constraints, images):
            text = f"a point's network must have {_wanted(space)}, but got {_told(network, images)}"
            yield Broken(("search", "points", place), text, (("search", "points"), ("model",), _SECTION))


def _wanted(space: Space) -> str:
    """The constraints in words."""
    constraints = space.constraints
    parts = [shown(name, getattr(constraints, name)) for name in _all_budgets(space)]
    if constraints.multiple_of is not None:
        parts.append(f"channels that are multiples of {constraints.multiple_of}")
    return " and ".join(parts)


def _all_budgets(space: Space) -> list[str]:
    """Names of the budgets that are given, those that are counted first."""
    constraints = space.constraints
    return [name for name, _, _ in (*budgets_of(constraints), *predicted_budgets(constraints))]


def _told(network: Architecture, images: ImageKind) -> str:
    sizes = sizes_of(network, images)
    return f"{exact_name(network)} with {sizes['num_params']} parameters and {sizes['macs']} multiply-adds"


def _none(space: Space, text: str) -> Broken:
    given = _all_budgets(space) or ["multiple_of"]
    return Broken((*_SECTION, given[0]), text, (_SECTION, ("model",), ("dataset",)))
