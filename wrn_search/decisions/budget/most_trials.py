"""How many trials a search can have at most, where a budget in epochs bounds them too. Pure."""

from __future__ import annotations

from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.space.space import Space


def most_trials(space: Space, outside: int = 0) -> int:
    """Configurations times repeats: what is asked for, what the space has, what the budget brings to its first rung.

    Args:
        space: the search.
        outside: configurations on record that lie outside the space, and stand beside those that it has.
    """
    repeats, size, budget = space.search.repeats, space.size, space.search.budget or {}
    configurations = space.trials if size is None else min(space.trials, size + outside)
    if "epochs" in budget:
        first = (*rungs_of(space), space.training.epochs)[0]
        configurations = min(configurations, int(budget["epochs"]) // (first * repeats))
    return configurations * repeats


def is_open_ended(space: Space) -> bool:
    """Whether nothing but hours, GPU-hours or network passes bounds the trials: how many there will be is not known."""
    budget = space.search.budget
    return (
        budget is not None and "epochs" not in budget and space.search.trials is None and space.size is None
    )
