"""Where a trial that was trained once lies in a space, which may be another than the one that proposed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from wrn_search.space.domains import Scalar, applies, member
from wrn_search.space.rules.starting_file import same_file
from wrn_search.space.sections.optimiser_keys import with_off_as_number
from wrn_search.space.space import Space
from wrn_search.space.trial_config import HOW_COMPUTED, LEAVES


def searched_values(space: Space, leaves: Mapping[str, Any]) -> dict[str, Scalar] | None:
    """A value for each of the space's hyperparameters; None if a domain does not hold the trial's.

    One that does not apply to the trial, by its conditions, is null.

    Args:
        space: the space.
        leaves: all leaves of `model` and `training`, as in `TrialConfig.to_dict`.
    """
    found: dict[str, Scalar | None] = {}
    leaves = with_off_as_number(leaves)
    for name, domain in space.hyperparameters.items():
        if domain.when and name in leaves and not applies(domain, leaves):
            found[name] = None
            continue
        value = member(domain, leaves[name]) if name in leaves else None
        if value is None:
            return None
        found[name] = value
    return cast(dict[str, Scalar], found)


def hparams_within(space: Space, leaves: Mapping[str, Any]) -> dict[str, Scalar] | None:
    """The same for a trial that this space could have proposed: its fixed values are the trial's too, else None.

    How it was computed is resolved by the machines of a session, not by the space.
    """
    hparams = searched_values(space, leaves)
    if hparams is None or space.point_of(hparams) is None:
        return None
    resolved = {"precision": leaves["precision"], "compile": leaves["compile"]}  # as they are in every trial
    computed = {name: leaves[name] for name in HOW_COMPUTED if name in leaves}
    proposed = space.trial_config(hparams, 0, **resolved).leaves | computed
    same, leaves = (with_off_as_number(each) for each in (proposed, leaves))
    # At once, and value by value only where that says no: each proposal of a search is looked at.
    alike = same.items() <= leaves.items() or all(same_file(same[name], leaves[name]) for name in LEAVES)
    return hparams if alike else None
