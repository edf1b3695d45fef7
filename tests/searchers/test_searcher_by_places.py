"""Searchers that hear of places: as they are where costs tell nothing; full values, early ends and crashes ranked."""

from __future__ import annotations

import math
import random

import pytest

from tests.decisions.playing import space_of
from wrn_search.objectives.dominance import comparable
from wrn_search.searchers.searcher import Crashed, Full, Hparams, Outcome, Pruned, SearchedSpace, Searcher
from wrn_search.searchers.searcher_by_places import as_places
from wrn_search.searchers.searcher_table import SEARCHERS, searcher_of

BY_PLACES = [name for name, kind in SEARCHERS.items() if kind.goes_by_places]


def _searched(objectives: tuple[str, ...]) -> SearchedSpace:
    model = {"depth": {"choice": [10, 16, 22]}, "widen_factor": {"uniform": [0.5, 4.0]}}
    training = {"weight_decay": {"loguniform": [1e-5, 1e-2]}}
    space = space_of(model=model, training=training, search={"trials": 40}, objectives=list(objectives))
    return space.searched


def _proposals(searcher: Searcher, count: int, outcome: object) -> list[Hparams]:
    found: list[Hparams] = []
    for configuration in range(count):
        hparams = searcher.propose(configuration)
        assert hparams is not None
        assert hparams == searcher.propose(configuration)  # a question changes nothing
        searcher.proposed(configuration, hparams)
        searcher.told(configuration, outcome(configuration, hparams))  # type: ignore[operator]
        found.append(hparams)
    return found


@pytest.mark.parametrize("name", BY_PLACES)
def test_where_all_cost_the_same_it_proposes_as_with_one_objective(name: str) -> None:
    def error(configuration: int) -> float:
        return 5.0 + 60.0 * random.Random(configuration).random()

    kind = SEARCHERS[name]
    one = _proposals(searcher_of(kind, _searched(("val_error",))), 25, lambda c, h: Full(error(c)))
    several = _proposals(
        searcher_of(kind, _searched(("val_error", "macs"))),
        25,
        lambda c, h: Full(error(c), comparable(error(c), (7.0,), 90.0)),
    )

    assert several == one


@pytest.mark.parametrize("name", BY_PLACES)
def test_it_looks_where_the_front_is(name: str) -> None:
    """Error falls with the width up to 2 and not beyond: no network wider than that is on the front."""

    def outcome(configuration: int, hparams: Hparams) -> Outcome:
        width = float(hparams["widen_factor"])
        error = 40.0 - 15.0 * min(width, 2.0) + 5 * abs(math.log10(float(hparams["weight_decay"])) + 3.5)
        return Full(error, comparable(error, (1e5 * width**2,), 90.0))

    widths = [
        float(each["widen_factor"])
        for each in _proposals(
            searcher_of(SEARCHERS[name], _searched(("val_error", "num_params"))), 60, outcome
        )
    ]
    wide = [sum(width > 2.2 for width in some) / len(some) for some in (widths[:10], widths[30:])]

    assert wide[0] >= 0.4  # drawn at random: (4 - 2.2) / 3.5 are to be expected
    assert wide[1] <= 0.35
    assert min(widths[30:]) < 1.0


def test_full_values_come_before_early_ends_and_those_that_guess_behind() -> None:
    def full(error: float, cost: float) -> Full:
        return Full(error, comparable(error, (cost,), 90.0))

    def early(epoch: int, error: float, cost: float) -> Pruned:
        return Pruned({1: 80.0, epoch: error}, comparable(error, (cost,), 90.0))

    outcomes: dict[int, Outcome] = {
        0: full(20.0, 10.0),
        1: full(90.0, 1.0),  # guessing
        2: full(30.0, 20.0),  # dominated by 0
        3: early(2, 50.0, 10.0),
        4: early(2, 60.0, 20.0),
        5: early(4, 70.0, 70.0),
        6: Crashed(),
        7: Pruned({}),
    }
    places = as_places(outcomes)

    assert list(places) == list(outcomes)
    assert (places[0], places[2], places[1]) == (Full(0.0), Full(1 / 3), Full(3.0))
    assert (places[3], places[4], places[5]) == (Pruned({2: 1.0}), Pruned({2: 1.5}), Pruned({4: 1.0}))
    assert (places[6], places[7]) == (Crashed(), Pruned({}))


def test_nothing_is_ranked_where_nothing_has_ended() -> None:
    assert as_places({}) == {}
    assert as_places({0: Full(50.0, (50.0, 1.0))}) == {0: Full(0.0)}
