"""The leaf of `search.budget`: what a whole search may spend, such as `{epochs: 2000}` or `{hours: 8}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wrn_search.errors import nearest
from wrn_search.space.rules.broken_rule import LeafProblems, Path, broken, got
from wrn_search.space.rules.key_rule import Leaf
from wrn_search.space.rules.number_and_text_rules import real_number, whole_number

SearchBudget = dict[str, float]  # quantity -> how much of it a search may spend
_FORMS = "{epochs: 2000}, {hours: 8}, {gpu_hours: 12} or {network_passes: 1e15}"
QUANTITIES: dict[str, Leaf] = {
    "epochs": whole_number(1, 1_000_000_000),
    "hours": real_number(0, 1_000_000, above=True),
    "gpu_hours": real_number(0, 100_000_000, above=True),
    "network_passes": real_number(0, 1e30, above=True),
}


def _check(value: Any) -> SearchBudget:
    if not isinstance(value, Mapping) or not value:
        raise broken(f"must be a budget such as {_FORMS}, {got(value)}")
    problems: list[tuple[Path, str]] = []
    budget: SearchBudget = {}
    for name, amount in value.items():
        try:
            if name not in QUANTITIES:
                rule = f"a search can spend {', '.join(QUANTITIES)}"
                raise broken(f"{rule}, {got(name)}{nearest(str(name), QUANTITIES)}")
            budget[name] = QUANTITIES[name].check(amount)
        except LeafProblems as error:
            named = f"{name} " if name in QUANTITIES else ""
            problems += [((name, *path), named + text) for path, text in error.problems]
    if problems:
        raise LeafProblems(problems)
    return budget


SEARCH_BUDGET = Leaf(
    _check,
    {
        "type": "object",
        "properties": {name: leaf.schema for name, leaf in QUANTITIES.items()},
        "additionalProperties": False,
        "minProperties": 1,
    },
    nullable=True,
)
