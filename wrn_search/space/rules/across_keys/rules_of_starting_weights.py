"""Rules of what networks begin with: only what was trained before is frozen, and only groups that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wrn_search.networks.families.family_table import FAMILIES
from wrn_search.space.rules.broken_rule import Broken, Path, got
from wrn_search.space.rules.starting_file import NOTHING, RANDOM
from wrn_search.space.space import Space

_FREEZE: Path = ("model", "freeze")


def _only_given_weights_are_frozen(space: Space) -> Iterator[Broken]:
    if space.model.freeze != NOTHING and space.model.init_from == RANDOM:
        reads: tuple[Path, ...] = (_FREEZE, ("model", "init_from"))
        yield Broken(_FREEZE, f"freeze must stand beside init_from, {got(space.model.freeze)}", reads)


def _only_weights_of_a_file_begin_otherwise(space: Space) -> Iterator[Broken]:
    """Where the weights come from a file, how random ones would be drawn decides about nothing but a new head."""
    searched = [name for name in ("init", "bn_weight") if name in space.hyperparameters]
    if space.model.init_from != RANDOM and searched:
        at: Path = ("model", searched[0])
        rule = f"{searched[0]} must not be searched beside init_from, which gives the weights"
        yield Broken(
            at,
            f"{rule}, {got(space.hyperparameters[searched[0]].to_document())}",
            (at, ("model", "init_from")),
        )


def _frozen_groups_exist(space: Space) -> Iterator[Broken]:
    family = space.leaves["family"]
    if not isinstance(family, str) or "group4" not in space.model.freeze:
        return
    if len(FAMILIES[family].group_widths) < 4:
        reads: tuple[Path, ...] = (_FREEZE, ("model", "family"), ("model", "network"))
        rule = f"freeze must name groups that the networks have (family {family}: group1 to group3)"
        yield Broken(_FREEZE, f"{rule}, {got(space.model.freeze)}", reads)


RULES_OF_STARTING_WEIGHTS: tuple[Callable[[Space], Iterator[Broken]], ...] = (
    _only_given_weights_are_frozen,
    _only_weights_of_a_file_begin_otherwise,
    _frozen_groups_exist,
)
