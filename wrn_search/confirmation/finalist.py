"""A finalist of a confirmation: what the choice puts on record of it, read again; the seeds of its retrainings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wrn_search.errors import InputError
from wrn_search.results.events import KINDS, Chosen
from wrn_search.seeds import derived_seed
from wrn_search.space.trial_config import config_problem, with_later_leaves


@dataclass(frozen=True)
class Finalist:
    """A configuration of a search, with what the search had seen of it."""

    number: int  # of its first trial in the search
    configuration: int
    hparams: dict[str, Any]
    config: dict[str, Any]  # `TrialConfig.to_dict()` of that trial
    num_params: int
    estimate: float  # percent: the search's validation error at full epochs, median of its repeats
    repeats: int  # of them that were completed
    source: str = ""  # search_id of the search; empty in records of versions that knew one search alone
    costs: dict[str, float] = field(default_factory=dict)  # of a search with several objectives, the others

    def cost(self, objective: str) -> float:
        """What an objective other than the error is; infinite where nobody knows."""
        return self.costs.get(objective, self.num_params if objective == "num_params" else math.inf)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the record; `finalists_of` is the inverse."""
        told = dict(vars(self))
        return told if self.costs else {name: value for name, value in told.items() if name != "costs"}


def search_label(chosen: Chosen, source: str) -> str:
    """`a:`, before a trial of search a where finalists come from several searches; else nothing."""
    if len(chosen.sources) < 2:
        return ""
    search = chosen.sources.get(source)
    return f"{search.get('search', source) if isinstance(search, dict) else source}:"


def trial_label(chosen: Chosen, finalist: Mapping[str, Any]) -> str:
    """How a user names its first trial: `21`, or `a:21`."""
    return f"{search_label(chosen, finalist.get('source', ''))}{finalist['number']}"


def finalists_of(chosen: Chosen, where: str = "") -> list[Finalist]:
    """The finalists on record, the winner by validation first.

    Raises:
        InputError: the record does not hold what `choice_of` writes.
    """
    places = [str(place) for place in range(1, len(chosen.finalists) + 1)]
    rule = "the recorded choice must be as confirm wrote it, but it is damaged"
    numbers = chosen.repeats >= 1 and chosen.epochs >= 1 and chosen.only in ("", *KINDS)
    if list(chosen.finalists) != places or not places or not numbers:
        raise InputError.of("chosen", f"{rule}: places {list(chosen.finalists)}", where)
    return [
        _finalist(place, values, f"{rule}: finalist {place}", where)
        for place, values in chosen.finalists.items()
    ]


def _finalist(place: str, values: Any, rule: str, where: str) -> Finalist:
    fields = set(Finalist.__dataclass_fields__)
    if not isinstance(values, dict) or not fields - {"source", "costs"} <= values.keys() <= fields:
        raise InputError.of("chosen", f"{rule} has other fields", where)
    numbers = [values[name] for name in ("number", "configuration", "num_params", "estimate", "repeats")]
    costs = values.get("costs", {})
    texts = isinstance(values["hparams"], dict) and isinstance(values.get("source", ""), str)
    texts = texts and isinstance(costs, dict) and all(type(cost) in (int, float) for cost in costs.values())
    if not all(type(value) in (int, float) for value in numbers) or not texts:
        raise InputError.of("chosen", f"{rule} has other values", where)
    problem = config_problem(values["config"]) if isinstance(values["config"], dict) else "has no config"
    if problem is not None:
        raise InputError.of("chosen", f"{rule}: {problem}", where)
    return Finalist(**{**values, "config": with_later_leaves(values["config"])})


def fresh_seed(search_seed: int, configuration: int, kind: str, repeat: int, used: Mapping[int, Any]) -> int:
    """A seed of a label of its own that is not among `used`."""
    attempt = 0
    while True:
        seed = derived_seed(
            search_seed, "confirm", configuration, KINDS.index(kind), repeat, *([attempt] if attempt else [])
        )
        if seed not in used:
            return seed
        attempt += 1
