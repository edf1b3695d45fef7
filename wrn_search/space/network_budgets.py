"""What `constraints` leaves of the networks of a space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.errors import InputError, Problem
from wrn_search.networks.architecture import Architecture, parse_block
from wrn_search.networks.families.family_table import FAMILIES
from wrn_search.networks.lattice import BUDGETS, Allowed, Candidates, Lattice, lattice_of
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.networks.sizes_of_many import ImageKind
from wrn_search.space.axes.listed_networks import ListedNetworks
from wrn_search.space.axes.network_leaves import BLOCKS, blocks_of, family_of
from wrn_search.space.constraint_keys import ConstraintSettings
from wrn_search.space.domains import LogUniform, Uniform, finite_values
from wrn_search.space.rules.budget_rules import interval_of

PREDICTED = ("seconds_per_epoch", "peak_memory_bytes")  # what the machine that trains decides
MOST_COMBINATIONS = 20_000_000  # of block, depth and widening factor


class HasConstraints(Protocol):
    """A space."""

    @property
    def constraints(self) -> ConstraintSettings:
        """What its networks must keep to."""


def are_there(constraints: ConstraintSettings) -> bool:
    """Whether the networks of a space must keep to anything."""
    return (
        bool(budgets_of(constraints) or predicted_budgets(constraints)) or constraints.multiple_of is not None
    )


def budgets_of(constraints: ConstraintSettings) -> tuple[tuple[str, float, float], ...]:
    """(name, least, most) of each budget that is given."""
    given = ((name, getattr(constraints, name)) for name in BUDGETS)
    return tuple((name, *interval_of(budget)) for name, budget in given if budget is not None)


def predicted_budgets(constraints: ConstraintSettings) -> tuple[tuple[str, float, float], ...]:
    """The same of those that are predicted when a search begins."""
    given = ((name, getattr(constraints, name)) for name in PREDICTED)
    return tuple((name, *interval_of(budget)) for name, budget in given if budget is not None)


def images_of(constraints: ConstraintSettings, facts: DatasetFacts) -> ImageKind | None:
    """What of the images a network's size depends on; None where only the files can tell, and the file does not."""
    classes = facts.num_classes or constraints.num_classes
    shape = facts.image_shape or constraints.image_shape
    return None if classes is None or shape is None else ImageKind(classes, *shape)


def check_images(
    space: HasConstraints, num_classes: int | None, image_shape: tuple[int, int, int] | None
) -> None:
    """What the file says of its images, where only the files tell, must be what they tell.

    Raises:
        InputError: the budgets were counted for other images.
    """
    told = {"num_classes": num_classes, "image_shape": image_shape}
    problems = [
        Problem(
            f"constraints.{key}", f"must be what the files tell, {_listed(found)}, but got {_listed(given)}"
        )
        for key, found in told.items()
        if (given := getattr(space.constraints, key)) is not None and found is not None and given != found
    ]
    if problems:
        raise InputError(problems)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def candidates_of(leaves: Mapping[str, Any], multiple_of: int | None) -> Candidates:
    """All combinations of block, depth and widening factor, as far as channels are multiples."""
    depths = tuple(int(each) for each in finite_values(leaves["depth"]) or ())
    family, told = family_of(leaves), any(leaves[name] is not None for name in BLOCKS)
    widths = _widths(leaves["widen_factor"], multiple_of or 1, FAMILIES[family].group_widths)
    return Candidates(blocks_of(leaves), depths, widths, family, told)


def _widths(value: Any, multiple_of: int, groups: tuple[int, ...]) -> tuple[float, ...]:
    """The widening factors: of an interval those at which the channels of the first group are such a multiple."""
    if isinstance(value, Uniform | LogUniform):
        first = math.ceil(value.low * groups[0] / multiple_of)
        last = math.floor(value.high * groups[0] / multiple_of)
        return tuple(place * multiple_of / groups[0] for place in range(max(1, first), last + 1))
    return tuple(float(k) for k in finite_values(value) or () if _is_multiple(float(k), multiple_of, groups))


def _is_multiple(k: float, multiple_of: int, groups: tuple[int, ...]) -> bool:
    return all(int(base * k) % multiple_of == 0 for base in groups)


def network_lattice(
    leaves: Mapping[str, Any], constraints: ConstraintSettings, facts: DatasetFacts
) -> Lattice | None:
    """The networks that meet the constraints; None without them, where sizes are not known, or of too many."""
    images = images_of(constraints, facts)
    if not are_there(constraints) or images is None:
        return None
    candidates = candidates_of(leaves, constraints.multiple_of)
    if candidates.combinations > MOST_COMBINATIONS:
        return None
    return lattice_of(candidates, budgets_of(constraints), images, _allowed(constraints))


def _allowed(constraints: ConstraintSettings) -> Allowed | None:
    """What the predictions leave; None before there are any."""
    if constraints.predicted is None:
        return None
    return frozenset(
        (parse_block(block), int(depth), *ends)
        for block, depths in constraints.predicted.items()
        for depth, ends in depths.items()
    )


def _is_predicted_to_fit(network: Architecture, constraints: ConstraintSettings) -> bool:
    if constraints.predicted is None:
        return True
    ends = constraints.predicted.get(network.block, {}).get(str(network.depth))
    return ends is not None and ends[0] <= network.widen_factor <= ends[1]


def within_budgets(
    listed: ListedNetworks, constraints: ConstraintSettings, facts: DatasetFacts
) -> ListedNetworks:
    """Those of listed networks that meet the constraints; all where none does, or where sizes are not known."""
    images = images_of(constraints, facts)
    if images is None:
        return listed
    kept = tuple(each for each in listed.networks if meets(each, constraints, images))
    return ListedNetworks(kept or listed.networks)


def meets(network: Architecture, constraints: ConstraintSettings, images: ImageKind) -> bool:
    """Whether a network keeps to all constraints."""
    sizes = sizes_of(network, images)
    inside = all(low <= sizes[name] <= high for name, low, high in budgets_of(constraints))
    fits = inside and _is_predicted_to_fit(network, constraints)
    groups = FAMILIES[network.family].group_widths
    return fits and _is_multiple(network.widen_factor, constraints.multiple_of or 1, groups)


def sizes_of(network: Architecture, images: ImageKind) -> dict[str, int]:
    """What a network can be held to."""
    return {
        "num_params": num_params(network, images.num_classes, images.channels),
        "macs": macs(network, images.num_classes, images.channels, (images.height, images.width)),
    }
