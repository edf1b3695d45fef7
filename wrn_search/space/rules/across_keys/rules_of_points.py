"""Rules that tie whole networks and whole configurations to the other keys of a file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.network_names import exact_name
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.axes.listed_points import ListedPoints
from wrn_search.space.axes.network_leaves import (
    BLOCKS,
    SHAPE,
    TOLD,
    blocks_of,
    kernels_of,
    merged,
    network_of,
    shaped,
    told_by,
)
from wrn_search.space.axes.searched_axes import Axes
from wrn_search.space.domains import is_domain, member
from wrn_search.space.rules.across_keys.rules_of_families import no_place_for_dropout
from wrn_search.space.rules.broken_rule import Broken, Path, got, spelled
from wrn_search.space.rules.network_and_point_rules import CONFIDENCE

if TYPE_CHECKING:
    from wrn_search.space.space import Space

_NETWORK: Path = ("model", "network")
_POINTS: Path = ("search", "points")
_PRIOR: Path = ("search", "prior")


def network_stands_alone(space: Space) -> Iterator[Broken]:
    """`model.network` stands for depth, widening factor and block; the family beside it is that of all."""
    model = space.model
    if model.network is None:
        return
    for name in TOLD:
        if name in model.model_fields_set and getattr(model, name) is not None:
            path: Path = ("model", name)
            rule = "network stands for depth, widen_factor and block, so they must not stand beside it"
            yield Broken(path, f"{rule}, but got {name}: {_shown(getattr(model, name))}", (path, _NETWORK))


def points_lie_in_the_space(space: Space) -> Iterator[Broken]:
    """Each point has values of the domains, and of fixed keys the value that they have; none is there twice."""
    whole = isinstance(space.axes, ListedPoints)
    seen: dict[str, int] = {}
    for place, point in enumerate(space.search.points):
        problems = list(_of_a_whole_space(space, point) if whole else _within(space, point))
        for key, text in problems:
            at: Path = (*_POINTS, place, key) if key else (*_POINTS, place)
            yield Broken(at, text, (_POINTS, ("model",), ("training",)))
        if not problems and (same := seen.setdefault(_meant(space, point, whole), place)) != place:
            text = "every configuration must be listed once (search.repeats trains more seeds of it), but got"
            yield Broken((*_POINTS, place), f"{text} point {place + 1} again as point {same + 1}", (_POINTS,))


def prior_lies_in_the_space(space: Space) -> Iterator[Broken]:
    """A prior has values of domains, at least one, and a searcher that draws."""
    prior = space.search.prior
    if prior is None:
        return
    reads: tuple[Path, ...] = (_PRIOR, ("model",), ("training",), ("search", "searcher"))
    believed = {name: value for name, value in prior.items() if name != CONFIDENCE}
    believed = told_by(believed, space.hyperparameters)
    if SEARCHERS[space.search.searcher].needs_finite_space:
        text = (
            f"is for a searcher that draws, but got searcher: {space.search.searcher}, which tries all points"
        )
        yield Broken(_PRIOR, text, reads)
    elif isinstance(space.axes, ListedPoints) or not believed.keys() & space.hyperparameters.keys():
        yield Broken(_PRIOR, f"must tell a value of a key that is searched, {got(prior)}", reads)
    else:
        for key, text in _within(space, believed):
            yield Broken((*_PRIOR, key), text, reads)


def _of_a_whole_space(space: Space, point: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a point of a list that is the space: (key, text)."""
    if space.model.network is not None and (told := [name for name in SHAPE if name in point]):
        yield (
            told[0],
            f"the network is fixed by model.network: take that out, or this key, {got(point[told[0]])}",
        )
        return
    values = merged(space.leaves, point)
    try:
        network = network_of(values)
    except ValueError as error:
        yield next((name for name in SHAPE if name in point), ""), str(error)
        return
    yield from _dropout(network, values)


def _dropout(network: Architecture, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if values["dropout"] and (text := no_place_for_dropout(network.kernels, network.family)):
        yield "dropout", f"{text}, {got(values['dropout'])}"


def _within(space: Space, point: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a point of a space that is searched: (key, text)."""
    leaves, axes = space.leaves, space.axes
    assert isinstance(axes, Axes)
    point = told_by(point, axes.hyperparameters)
    outside = False
    for name, value in point.items():
        domain = axes.hyperparameters.get(name)
        if domain is not None and member(domain, value) is None:
            outside = True
            yield name, f"{name} must lie in {_shown(domain)}, {got(value)}"
        elif domain is None and name in BLOCKS:
            if kernels_of(merged(leaves, {name: value})) not in _kernels(space):
                yield name, f"{name} must be a block of this space, {got(value)}"
        elif domain is None and value != leaves[name]:
            text = f"{name} is fixed at {spelled(leaves[name])} in this space (give it a domain to search it)"
            yield name, f"{text}, {got(value)}"
    if not outside:
        yield from _conditions(space, point)
    if axes.network is None or outside:
        return
    shape = [name for name in SHAPE if name in axes.hyperparameters]
    told = {name: point[name] for name in shape if name in point}
    if told and len(told) < len(shape):
        rule = f"a point must tell all of {', '.join(shape)} or none, as networks are no product of them"
        yield next(iter(told)), f"{rule}, {got(told)}"
    elif told and axes.network.point(told) is None:
        names = ", ".join(exact_name(network) for network in itertools.islice(axes.network.networks, 20))
        yield (
            next(iter(told)),
            f"a point's network must be one of the space's networks ({names}), {got(told)}",
        )


def _conditions(space: Space, point: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Values that do not apply to the point, as far as it tells what their conditions read."""
    values = merged(space.leaves, point)
    if not any(is_domain(values[name]) for name in BLOCKS):
        values = shaped(space.leaves, point)
    for name in point:
        domain = space.hyperparameters.get(name)
        for key, condition in domain.when if domain else ():
            if not is_domain(values[key]) and values[key] is not None and not condition.holds(values[key]):
                wanted = spelled({key: condition.to_document()})
                yield name, f"{name} applies only when {wanted}, but got {key}: {spelled(values[key])}"


def _kernels(space: Space) -> set[tuple[int, ...]]:
    """Of every block that the space has."""
    return set(space.axes.kernels if space.networks is not None else blocks_of(space.leaves))


def _meant(space: Space, point: dict[str, Any], whole: bool) -> str:
    """What a point says, in a form that two points share where they say the same."""
    if whole:
        values = merged(space.leaves, point)
        values |= {"block": kernels_of(values), "deepening_factor": None}
    else:  # fixed keys say nothing
        own = told_by(point, space.hyperparameters)
        values = {name: own[name] for name in own.keys() & space.hyperparameters.keys()}
    return repr(sorted(values.items()))


def _shown(value: object) -> str:
    return spelled(value.to_document() if is_domain(value) else value)
