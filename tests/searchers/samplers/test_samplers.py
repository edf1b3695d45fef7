"""What is special in each algorithm: bounds of cost, orders, conditions, sequences without gaps, warm starts."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.decisions.playing import space_of
from tests.searchers.test_optunas_samplers import BOWL
from wrn_search.searchers.samplers import cma_es, gp_search
from wrn_search.searchers.samplers.cma_es import CmaEs
from wrn_search.searchers.samplers.ends_by_worth import Placed
from wrn_search.searchers.samplers.gp_search import thinned
from wrn_search.searchers.samplers.ranked_searcher import RankedSearcher
from wrn_search.searchers.searcher import Crashed, Full, Hparams, Pruned, SearchedSpace, Searcher
from wrn_search.searchers.searcher_table import SEARCHERS

RANKED = ["gp", "nsga2", "cmaes"]
MODEL = {
    "depth": {"choice": [10, 16, 22, 28]},
    "dropout": {"uniform": [0.0, 0.5], "when": {"depth": {"min": 16}}},
    "init": {"choice": ["fan_in", "fan_out"]},
}


def _told(searcher: Searcher, count: int, error: Callable[[Hparams], float], first: int = 0) -> list[Hparams]:
    found = []
    for number in range(first, first + count):
        hparams = searcher.propose(number)
        assert hparams is not None
        searcher.proposed(number, hparams)
        searcher.told(number, Full(error(hparams)))
        found.append(hparams)
    return found


def _x_error(hparams: Hparams) -> float:
    return 100 * abs(float(hparams["x"]) - 0.3)


@pytest.mark.parametrize(("name", "count"), [("gp", 35), ("nsga2", 60), ("cmaes", 60)])
def test_knowledge_of_conditional_and_labelled_axes_is_used(name: str, count: int) -> None:
    """Deep ones with a dropout near 0.4 are good; a shallow one has none, and is bad."""
    space = space_of(model=MODEL, search={"searcher": name, "trials": 60})

    def error(hparams: Hparams) -> float:
        applies = space.hparams_at(hparams)["dropout"] is not None
        return 20 + 100 * abs(float(hparams["dropout"]) - 0.4) if applies else 80.0

    found = [space.hparams_at(point) for point in _told(SEARCHERS[name].make(space.searched), count, error)]
    late: list[Any] = [each["dropout"] for each in found[-15:]]
    assert sum(dropout is not None for dropout in late) >= 11
    assert statistics.median(abs(dropout - 0.4) for dropout in late if dropout is not None) < 0.06


@pytest.mark.parametrize("name", RANKED)
def test_those_that_were_stopped_lead_it_though_nothing_came_to_its_end(name: str) -> None:
    searcher = SEARCHERS[name].make(BOWL)
    found = []
    for number in range(40):
        hparams = searcher.propose(number)
        assert hparams is not None
        searcher.proposed(number, hparams)
        searcher.told(number, Pruned({3: _x_error(hparams)}))
        found.append(_x_error(hparams))
    assert statistics.median(found[-15:]) < 20  # of random ones 29


@pytest.mark.parametrize("name", RANKED)
def test_a_warm_start_leads_it_from_the_first_proposal_on(name: str) -> None:
    searcher = SEARCHERS[name].make(BOWL)
    for number in range(40):
        x = (number + 0.5) / 40
        searcher.known("other", {"x": x, "depth": 16}, {9: 60 + _x_error({"x": x})}, full=True)

    found = []
    for number in range(10):
        hparams = searcher.propose(number)
        assert hparams is not None
        searcher.proposed(number, hparams)
        found.append(_x_error(hparams))
    assert statistics.median(found) < 12  # of random ones 29


def test_of_many_the_process_is_told_the_best_and_a_draw() -> None:
    placed = [Placed(str(number), {}, (number * 37 % 1000 + 0.5) / 1000) for number in range(1000)]
    told = thinned(placed, 200, seed=3)

    assert len(told) == 200
    assert {each.name for each in placed if each.place < 0.1} <= {each.name for each in told}
    assert told == thinned(placed, 200, seed=3) != thinned(placed, 200, seed=4)
    assert 30 < sum(each.place > 0.6 for each in told) < 60  # 100 are drawn of the other 900
    assert thinned(placed[:200], 200, seed=3) == placed[:200]


def test_a_process_that_is_told_few_of_many_still_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gp_search, "MOST_TOLD", 20)
    monkeypatch.setattr(gp_search, "MOST_RUNNING", 2)
    searcher = SEARCHERS["gp"].make(BOWL)
    for number in range(60):
        hparams: Hparams = {"x": (number * 0.618) % 1, "depth": 10}
        searcher.proposed(number, hparams)
        if number < 55:
            searcher.told(number, Full(_x_error(hparams)))
    found = searcher.propose(60)
    assert found is not None
    assert _x_error(found) < 10


def test_a_process_proposes_what_is_left_of_a_small_space_by_its_worth() -> None:
    space = space_of(model={"depth": {"int": [10, 112, 6]}, "dropout": 0.0}, search={"searcher": "gp"})
    searcher = SEARCHERS["gp"].make(space.searched)
    found = _told(searcher, 18, lambda hparams: abs(float(hparams["depth"]) - 52))
    distances = [abs(float(hparams["depth"]) - 52) for hparams in found]
    assert len({hparams["depth"] for hparams in found}) == 18
    assert searcher.propose(18) is None
    assert distances[-1] > 20  # the worst are left to the last


def _gaussian(searcher: Searcher) -> CmaEs:
    assert isinstance(searcher, RankedSearcher)
    assert isinstance(searcher._algorithm, CmaEs)
    return searcher._algorithm


def test_closed_generations_change_no_more_and_a_replay_closes_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cma_es, "_OPEN", 2)
    live, replayed = SEARCHERS["cmaes"].make(BOWL), SEARCHERS["cmaes"].make(BOWL)
    found = _told(live, 75, _x_error)
    for number, hparams in enumerate(found):
        replayed.proposed(number, hparams)
        replayed.told(number, Full(_x_error(hparams)))
    assert _gaussian(live)._generations == 5
    assert replayed.propose(75) == live.propose(75)
    closed = _gaussian(live)._closed
    assert closed is not None
    mean = closed.mean.copy()
    live.told(3, Crashed())
    assert (closed.mean == mean).all()
    assert _gaussian(live)._closed is closed
    found += _told(live, 20, _x_error, first=75)
    assert statistics.median(map(_x_error, found[-20:])) < 10


def test_an_open_generation_is_ordered_by_what_is_known_now() -> None:
    """All wait at a rung where x = 0.9 seems good; then those near 0.3 turn out to be."""
    searchers = [SEARCHERS["cmaes"].make(BOWL) for _ in range(2)]
    for searcher in searchers:
        for number in range(20):
            x = number * 0.618 % 1
            searcher.proposed(number, {"x": x, "depth": 16})
            searcher.told(number, Pruned({1: 100 * abs(x - 0.9)}))
    for number in range(20):
        searchers[1].told(number, Full(_x_error({"x": number * 0.618 % 1})))

    def middle(searcher: Searcher) -> float:
        return statistics.fmean(float((searcher.propose(20 + each) or {})["x"]) for each in range(40))

    assert middle(searchers[0]) > middle(searchers[1]) + 0.15


def test_sixteen_points_of_a_sequence_have_a_sixteenth_of_an_axis_each_with_anchors_between() -> None:
    space = space_of(model={"dropout": {"uniform": [0, 0.5]}, "depth": {"choice": [10, 16, 22, 28]}})
    searcher = SEARCHERS["qmc"].make(space.searched)
    found = []
    for number in range(24):
        hparams = searcher.propose(number)
        assert hparams is not None
        if number % 3 == 1:
            hparams = {"depth": 10, "dropout": 0.001 * number}  # an anchor or a point of the file
        else:
            found.append(hparams)
        searcher.proposed(number, hparams)

    assert sorted(int(float(each["dropout"]) * 32) for each in found) == list(range(16))
    assert Counter(each["depth"] for each in found) == {10: 4, 16: 4, 22: 4, 28: 4}


def test_a_sequence_goes_past_what_was_tried_and_ends_with_the_space() -> None:
    """Far beyond its first block of points."""
    space = space_of(model={"depth": {"int": [10, 2404, 6]}, "dropout": 0.0})
    searcher = SEARCHERS["qmc"].make(space.searched)
    for number in range(400):
        hparams = searcher.propose(number)
        assert hparams is not None, number
        searcher.proposed(number, hparams)
    assert searcher.propose(400) is None


def test_labels_are_drawn_evenly_beside_a_gaussian_that_has_settled() -> None:
    space: SearchedSpace = space_of(
        model={"dropout": {"uniform": [0.0, 0.5]}, "init": {"choice": ["fan_in", "fan_out"]}},
        search={"searcher": "cmaes"},
    ).searched
    found = _told(
        SEARCHERS["cmaes"].make(space), 90, lambda hparams: 100 * abs(float(hparams["dropout"]) - 0.1)
    )
    assert statistics.median(abs(float(hparams["dropout"]) - 0.1) for hparams in found[-20:]) < 0.05
    assert 25 <= sum(hparams["init"] == "fan_in" for hparams in found) <= 65
