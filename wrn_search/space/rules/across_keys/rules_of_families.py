"""Rules of the families of networks: which blocks, depths and widths each has, and which keys apply to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wrn_search.networks.architecture import (
    block_problem,
    default_kernels,
    depth_problem,
    widen_factor_problem,
)
from wrn_search.networks.families.family_table import DEFAULT_FAMILY, FAMILIES
from wrn_search.networks.lattice import Lattice
from wrn_search.networks.network_names import named_network
from wrn_search.space.axes.listed_points import ListedPoints
from wrn_search.space.axes.network_leaves import BLOCKS, TOLD, blocks_of
from wrn_search.space.domains import Choice, LogUniform, Uniform, When, finite_values, is_domain
from wrn_search.space.network_budgets import are_there
from wrn_search.space.rules.across_keys.rules_of_conditions import may_apply_with_one_convolution
from wrn_search.space.rules.broken_rule import Broken, Path, spelled
from wrn_search.space.space import Space

_FAMILY: Path = ("model", "family")


def families_problems(space: Space) -> Iterator[Broken]:
    """What must hold before any network can be made of the keys: that each of them is one of the family's.

    The rules that follow make networks, so these come first and alone.
    """
    for rule in (_named_networks_are_of_the_family, _blocks_are_of_the_family, _only_wide_blocks_deepen):
        yield from rule(space)


def _named_networks_are_of_the_family(space: Space) -> Iterator[Broken]:
    model = space.model
    if model.network is None or model.family == DEFAULT_FAMILY:
        return
    path: Path = ("model", "network")
    names = model.network.options if isinstance(model.network, Choice) else (model.network,)
    for index, name in enumerate(names):
        try:
            named_network(str(name), model.family)
        except ValueError as error:
            at: Path = (*path, "choice", index) if isinstance(model.network, Choice) else path
            text = str(error)
            text = text if text.startswith("must") else f"{text} in {name}"
            yield Broken(at, text, (path, _FAMILY))


def _blocks_are_of_the_family(space: Space) -> Iterator[Broken]:
    block, family = space.model.block, space.model.family
    path: Path = ("model", "block")
    for index, each in enumerate(finite_values(block) or () if block is not None else ()):
        if problem := block_problem(str(each), family):
            at: Path = (*path, "choice", index) if isinstance(block, Choice) else path
            yield Broken(at, problem, (path, _FAMILY))


def _only_wide_blocks_deepen(space: Space) -> Iterator[Broken]:
    model = space.model
    if model.deepening_factor is not None and model.family != DEFAULT_FAMILY:
        path: Path = ("model", "deepening_factor")
        rule = f"is for family {DEFAULT_FAMILY}; blocks of family {model.family} are basic or bottleneck"
        yield Broken(path, f"{rule}, but got {_shown(model.deepening_factor)}", (path, _FAMILY))


def _depths_exist(space: Space) -> Iterator[Broken]:
    reads: tuple[Path, ...] = (("model", "depth"), *(("model", name) for name in BLOCKS), _FAMILY)
    if space.networks is not None or space.model.network is not None:  # each was looked at by itself
        return
    if are_there(space.constraints) and not _is_fixed(
        space
    ):  # what does not exist is no network of the lattice
        return
    depth, family = space.model.depth, space.model.family
    told = any(getattr(space.model, name) is not None for name in BLOCKS)
    for index, value in enumerate(finite_values(depth) or ()):
        blocks = _blocks(space) if told else [default_kernels(int(value), family)]
        problem = next(
            (text for kernels in blocks if (text := depth_problem(int(value), kernels, family))), ""
        )
        if problem:
            at: Path = (*reads[0], "choice", index) if isinstance(depth, Choice) else reads[0]
            yield Broken(at, problem, reads)
            if not isinstance(depth, Choice):  # of a range, the first depth that does not exist says enough
                return


def _widths_exist(space: Space) -> Iterator[Broken]:
    """Thin networks have one width."""
    width, family = space.model.widen_factor, space.model.family
    path: Path = ("model", "widen_factor")
    if isinstance(width, Uniform | LogUniform):
        values: tuple[object, ...] = (width.low, width.high)
    else:
        values = finite_values(width) or ()
    problems = (widen_factor_problem(float(str(each)), family) for each in values)
    if problem := next(filter(None, problems), ""):
        yield Broken(path, problem, (path, _FAMILY))


def _dropout_has_a_place(space: Space) -> Iterator[Broken]:
    dropout = space.model.dropout
    if isinstance(space.axes, ListedPoints):  # each was looked at by itself
        return
    if not (is_domain(dropout) or dropout):
        return
    reads: tuple[Path, ...] = (("model", "dropout"), *(("model", name) for name in BLOCKS), _FAMILY)
    when = dropout.when if is_domain(dropout) else ()
    problem = _of_families(space, when) or _of_one_convolution(space, when)
    if problem:
        yield Broken(reads[0], f"{problem}, but got {_shown(dropout)}", reads)


def _of_families(space: Space, when: When) -> str:
    """Why dropout has no place in some network that it applies to, by its family."""
    listed = () if isinstance(space.networks, Lattice) else space.networks or ()  # a lattice is of one family
    families = {each.family for each in listed} or {str(space.leaves["family"])}
    wanted = [condition for key, condition in when if key == "family"]
    return next(
        (
            no_place_for_dropout((), family)
            for family in sorted(families)
            if not FAMILIES[family].takes_dropout and all(each.holds(family) for each in wanted)
        ),
        "",
    )


def _of_one_convolution(space: Space, when: When) -> str:
    blocks = [kernels for kernels in _blocks(space) if len(kernels) == 1]
    if not blocks or (when and not may_apply_with_one_convolution(when, blocks)):
        return ""
    return no_place_for_dropout(blocks[0], DEFAULT_FAMILY)


def no_place_for_dropout(kernels: tuple[int, ...], family: str) -> str:
    """Why blocks of a network have no place for dropout; empty if they have."""
    if len(kernels) == 1:
        return "dropout sits between the convolutions of a block, so it must be 0 where a block has only one"
    if not FAMILIES[family].takes_dropout:
        return f"dropout must be 0 with family {family} (or apply only elsewhere: when: {{family: wrn}})"
    return ""


def _blocks(space: Space) -> list[tuple[int, ...]]:
    """Kernel lists of every block that the space can propose."""
    if space.networks is not None:
        return list(space.axes.kernels)
    return list(blocks_of(space.leaves))


def _is_fixed(space: Space) -> bool:
    """Whether the space has but one network."""
    return not any(is_domain(getattr(space.model, name)) for name in TOLD)


RULES_OF_FAMILIES: tuple[Callable[[Space], Iterator[Broken]], ...] = (
    _depths_exist,
    _widths_exist,
    _dropout_has_a_place,
)


def _shown(value: object) -> str:
    return spelled(value.to_document() if is_domain(value) else value)
