"""Any searcher that goes by places, with several objectives: it hears of places among all outcomes instead of errors.

Optuna's samplers know several objectives for full values only; its trials with several refuse `report`, so that a
search that stops trials early has nothing to tell them. Here both have a place. Those with a full value are ranked
among themselves by front and crowding distance (`objectives/dominance.py`), those that ended early among those of
their epoch. A Parzen estimator that takes the first of that order for its better ones is MOTPE (Ozaki et al., GECCO
2020) with crowding in place of hypervolume contributions; a genetic algorithm with it is NSGA-II.

Each outcome may change all places, so the searcher behind is made anew, and told everything, before it proposes.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping

from wrn_search.objectives.dominance import Values, order_of_outcomes
from wrn_search.searchers.searcher import (
    Curve,
    Full,
    Hparams,
    Outcome,
    Pruned,
    SearchedSpace,
    Searcher,
)

_LOST = 3.0  # of full values that count as guessing: behind all early ends, which are from 1 to 2


class SearcherByPlaces:
    """A searcher behind which another one learns.

    Args:
        space: what is searched.
        make: the other one, for that space.
    """

    def __init__(self, space: SearchedSpace, make: Callable[[SearchedSpace], Searcher]):
        self._space, self._make = space, make
        self._proposed: dict[int, Hparams] = {}
        self._outcomes: dict[int, Outcome] = {}  # in the order of their telling
        self._searcher: Searcher | None = None  # None while there is something that it does not know

    def propose(self, configuration: int) -> Hparams | None:
        """The other one's proposal, by all that is known."""
        return self._up_to_date().propose(configuration)

    def proposed(self, configuration: int, hparams: Hparams) -> None:
        """It runs from now on."""
        self._proposed[configuration] = hparams
        if self._searcher is not None:
            self._searcher.proposed(configuration, hparams)

    def told(self, configuration: int, outcome: Outcome) -> None:
        """Places change."""
        self._outcomes.pop(configuration, None)
        self._outcomes[configuration] = outcome
        self._searcher = None

    def known(self, source: str, hparams: Hparams, curve: Curve, full: bool) -> None:
        """Refused by a rule of the space file: what other searches found has errors alone."""
        raise AssertionError(f"{source} told of {hparams}, but has no value of the other objectives")

    def _up_to_date(self) -> Searcher:
        if self._searcher is None:
            self._searcher = self._make(self._space)
            for configuration, hparams in self._proposed.items():
                self._searcher.proposed(configuration, hparams)
            for configuration, outcome in as_places(self._outcomes).items():
                self._searcher.told(configuration, outcome)
        return self._searcher


def as_places(outcomes: Mapping[int, Outcome]) -> dict[int, Outcome]:
    """The outcomes with places for errors, the lowest the best: from 0 to 1 of full values, to 2 of early ends."""
    full = {each: outcome.values for each, outcome in outcomes.items() if isinstance(outcome, Full)}
    early: dict[int, dict[int, Values]] = {}  # last epoch -> configuration
    for each, outcome in outcomes.items():
        if isinstance(outcome, Pruned) and outcome.curve:
            early.setdefault(max(outcome.curve), {})[each] = outcome.values
    places: dict[int, Outcome] = {
        each: Full(_LOST if math.isinf(full[each][0]) else place) for each, place in _places(full).items()
    }
    for epoch, group in early.items():
        places |= {each: Pruned({epoch: 1 + place}) for each, place in _places(group).items()}
    return {each: places.get(each, outcome) for each, outcome in outcomes.items()}


def _places(values: Mapping[int, Values]) -> dict[int, float]:
    """The share of the others that stand before each."""
    keys = order_of_outcomes(list(values.values()))
    rising = sorted(keys)
    return {each: bisect_left(rising, key) / len(rising) for each, key in zip(values, keys, strict=True)}
