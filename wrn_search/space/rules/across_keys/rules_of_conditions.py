"""Rules that tie the conditions of a domain (`when`) to the keys that they read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from wrn_search.errors import nearest
from wrn_search.networks.architecture import block_name
from wrn_search.space.axes.listed_networks import leaves_of
from wrn_search.space.axes.network_leaves import BLOCKS, SHAPE, blocks_of
from wrn_search.space.domains import LogUniform, Uniform, When, finite_values, is_domain
from wrn_search.space.rules.broken_rule import Broken, Path, got, spelled

if TYPE_CHECKING:
    from wrn_search.space.space import Space


def conditions_can_be_told(space: Space) -> Iterator[Broken]:
    """A condition reads another key of `model` or `training` that has none itself, and can hold in this space."""
    leaves = space.leaves
    for section, settings in (("model", space.model), ("training", space.training)):
        for name in type(settings).model_fields:
            value = getattr(settings, name)
            if not is_domain(value) or not value.when:
                continue
            path: Path = (section, name)
            if name in (*SHAPE, "network"):
                rule = (
                    "which networks there are must not depend on other keys (constraints can leave some out)"
                )
                yield Broken(path, f"{rule}, {got(value.to_document())}", (path,))
                continue
            for key, condition in value.when:
                at: Path = (*path, "when", key)
                reads: tuple[Path, ...] = (path, ("model",), ("training",))
                if key not in leaves:
                    rule = "when must name a key of model or training"
                    yield Broken(at, f"{rule}, {got(key)}{nearest(key, leaves)}", reads)
                elif key == name or _has_conditions(leaves[key]):
                    rule = "when must name a key that has no condition itself"
                    yield Broken(at, f"{rule}, {got(key)}", reads)
                elif not _can_hold(space, key, condition):
                    wanted = spelled({key: condition.to_document()})
                    text = f"some configuration of the space must meet it, but none has {wanted}"
                    yield Broken(at, f"when: {text}", reads)


def _can_hold(space: Space, key: str, condition: Any) -> bool:
    """Whether any value that the space has meets the condition."""
    value = space.leaves[key]
    if key in SHAPE and space.networks is not None:
        leaves = (leaves_of(each) | {"deepening_factor": each.deepening_factor} for each in space.networks)
        return any(condition.holds(each[key]) for each in leaves)
    if key in BLOCKS:  # two names of one thing, and the space may use the other
        blocks = blocks_of(space.leaves)
        family = space.model.family
        return any(
            condition.holds(block_name(each, family) if key == "block" else len(each)) for each in blocks
        )
    values = finite_values(value)
    if values is not None:
        return any(condition.holds(each) for each in values)
    assert isinstance(value, Uniform | LogUniform), value
    return bool(condition.options) or (condition.low <= value.high and condition.high >= value.low)


def _has_conditions(value: Any) -> bool:
    return is_domain(value) and bool(value.when)


def may_apply_with_one_convolution(when: When, blocks: Sequence[tuple[int, ...]]) -> bool:
    """Whether conditions let something apply to a block of one convolution; those on other keys may hold."""
    for kernels in blocks:
        if len(kernels) == 1:
            names = {"block": block_name(kernels), "deepening_factor": 1}
            if all(condition.holds(names[key]) for key, condition in when if key in names):
                return True
    return False
