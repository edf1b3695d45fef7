"""A remark where one learning rate is for optimisers whose usual rates lie far apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wrn_search.space.axes.listed_points import ListedPoints
from wrn_search.space.axes.network_leaves import merged
from wrn_search.space.domains import finite_values, is_domain
from wrn_search.space.rules.broken_rule import spelled
from wrn_search.space.section_keys import default_of
from wrn_search.space.space import Space

_RATE, _OPTIMISER = "learning_rate", "optimizer"


def shared_rates(space: Space) -> str:
    """What a person should know of a learning rate, or its domain, that several optimisers share; empty for none."""
    if isinstance(space.axes, ListedPoints):
        points = [merged(space.leaves, point) for point in space.search.points]
        trained = {(point[_OPTIMISER], point[_RATE]) for point in points}
        both = {rate for one, rate in trained for other, same in trained if same == rate and one != other}
        if not both:
            return ""
        optimisers, value = sorted({point[_OPTIMISER] for point in points}), spelled(min(both))
        how = f"tell {_RATE} in each point"
    else:
        optimisers = list(finite_values(space.leaves[_OPTIMISER]) or ())
        rate = space.leaves[_RATE]
        if len(optimisers) < 2 or (is_domain(rate) and _OPTIMISER in dict(rate.when)):
            return ""
        value = spelled(rate.to_document() if is_domain(rate) else rate)
        how = (
            "say when: {optimizer: [sgd]} in its domain (adamw is then trained at its own), or run a search for each "
            "(--set training.optimizer=adamw) and name both results to one report"
        )
    return f"{value} is for {_listed(optimisers)} alike, whose usual ones are {_usual(optimisers)}: {how}"


def _usual(optimisers: Iterable[Any]) -> str:
    return _listed(f"{default_of(_RATE, str(each)):g}" for each in optimisers)


def _listed(values: Iterable[Any]) -> str:
    return " and ".join(map(str, values))
