"""The contract that every searcher keeps, and what sets them apart."""

import json
import math
import os
import subprocess
import sys
from itertools import product

import pytest

from tests.decisions.playing import space_of
from wrn_search.searchers.searcher import Crashed, Full, Hparams, Outcome, Pruned, Searcher
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.space import Space

FINITE = {
    "depth": {"choice": [10, 16, 22]},
    "widen_factor": {"choice": [1, 2.5]},
    "init": {"choice": ["fan_in", "fan_out"]},
}
MIXED = {
    "depth": {"choice": [10, 16]},
    "dropout": {"uniform": [0.0, 0.5]},
    "widen_factor": {"choice": [1, 2]},
}
MIXED_TRAINING = {"weight_decay": {"loguniform": [1e-5, 1e-2]}, "batch_size": {"int": [32, 128, 32]}}
OUTCOMES: list[Outcome] = [Full(12.5), Pruned({1: 60.0, 2: 55.0}), Crashed(), Full(90.0), Pruned({})]

CONTINUOUS = [name for name, kind in SEARCHERS.items() if not kind.needs_finite_space]
LEARNING = [name for name, kind in SEARCHERS.items() if kind.learns]


def _space(searcher: str, finite: bool, seed: int = 0) -> Space:
    search = {"searcher": searcher, "trials": 40, "seed": seed}
    if finite:
        return space_of(model=FINITE, search=search)
    return space_of(model=MIXED, training=MIXED_TRAINING, search=search)


def _proposals(searcher: Searcher, count: int) -> list[Hparams]:
    """Up to `count` proposals, each with an outcome after it."""
    proposals: list[Hparams] = []
    while len(proposals) < count and (hparams := searcher.propose(len(proposals))) is not None:
        searcher.proposed(len(proposals), hparams)
        searcher.told(len(proposals), OUTCOMES[len(proposals) % len(OUTCOMES)])
        proposals.append(hparams)
    return proposals


@pytest.mark.parametrize("name", SEARCHERS)
def test_a_finite_space_is_tried_whole_and_nothing_twice(name) -> None:
    proposals = _proposals(SEARCHERS[name].make(_space(name, finite=True).searched), 100)
    points = {tuple(proposal.values()) for proposal in proposals}
    assert points == set(product([10, 16, 22], [1.0, 2.5], ["fan_in", "fan_out"]))
    assert len(proposals) == 12


@pytest.mark.parametrize("name", CONTINUOUS)
@pytest.mark.parametrize("kind", ["uniform", "loguniform"])
def test_an_interval_of_few_numbers_runs_out(name, kind) -> None:
    """Doubles have gaps: after 0.1 come 0.1 + 2^-56, 0.1 + 2^-55, ..."""
    numbers = [0.1]
    for _ in range(6):
        numbers.append(math.nextafter(numbers[-1], 1.0))
    training = {"learning_rate": {kind: [numbers[0], numbers[-1]]}}
    space = space_of(model={"depth": 10}, training=training, search={"searcher": name, "trials": 40})
    proposals = _proposals(SEARCHERS[name].make(space.searched), 40)
    tried = [proposal["learning_rate"] for proposal in proposals]
    assert len(tried) == len(set(tried)) > 1
    assert set(tried) <= set(numbers)
    if name in ("random", "tpe"):  # they round to any of them
        assert sorted(tried) == numbers


@pytest.mark.parametrize("name", SEARCHERS)
def test_values_are_pythons_own_and_in_the_order_of_the_file(name) -> None:
    for proposal in _proposals(SEARCHERS[name].make(_space(name, finite=True).searched), 12):
        assert {key: type(value) for key, value in proposal.items()} == {
            "depth": int,
            "widen_factor": float,
            "init": str,
        }
        assert json.loads(json.dumps(proposal)) == proposal


@pytest.mark.parametrize("name", SEARCHERS)
def test_a_proposal_is_a_question_that_changes_nothing(name) -> None:
    searcher = SEARCHERS[name].make(_space(name, finite=True).searched)
    _proposals(searcher, 5)
    assert searcher.propose(5) == searcher.propose(5)


@pytest.mark.parametrize("name", SEARCHERS)
def test_replayed_knowledge_gives_the_same_next_proposal(name) -> None:
    first, second = (SEARCHERS[name].make(_space(name, finite=True).searched) for _ in range(2))
    for number, hparams in enumerate(_proposals(first, 8)):
        second.proposed(number, hparams)
        second.told(number, OUTCOMES[number % len(OUTCOMES)])
    assert second.propose(8) == first.propose(8)


@pytest.mark.parametrize("name", SEARCHERS)
def test_of_one_that_waited_at_a_rung_the_last_that_was_told_counts(name) -> None:
    """Here each is told at two rungs, then its end, a crash among them; there the end alone."""
    ends: list[Outcome] = [Crashed() if number == 4 else Full(float(number % 7)) for number in range(14)]
    finite = SEARCHERS[name].needs_finite_space
    waited, straight = (SEARCHERS[name].make(_space(name, finite).searched) for _ in range(2))
    proposals = []
    while len(proposals) < 14 and (hparams := straight.propose(len(proposals))) is not None:
        straight.proposed(len(proposals), hparams)
        proposals.append(hparams)
    for number, hparams in enumerate(proposals):
        waited.proposed(number, hparams)
        waited.told(number, Pruned({1: 60.0 - number}))
        waited.told(number, Pruned({1: 60.0 - number, 3: 50.0 + number}))
    for number in range(len(proposals)):
        waited.told(number, ends[number])
        straight.told(number, ends[number])
    # For cmaes one that crashed after a first value stays the worst of its generation; curves learns from first values.
    if name not in ("cmaes", "curves"):
        assert waited.propose(14) == straight.propose(14)
    assert waited.propose(14) == waited.propose(14)


@pytest.mark.parametrize("name", SEARCHERS)
def test_trials_may_run_at_once_and_end_in_any_order(name) -> None:
    searcher = SEARCHERS[name].make(_space(name, finite=True).searched)
    points = set()
    for number in range(12):
        hparams = searcher.propose(number)
        assert hparams is not None
        searcher.proposed(number, hparams)
        points.add(tuple(hparams.values()))
    for number in reversed(range(12)):
        searcher.told(number, Full(float(number)))
    assert len(points) == 12
    assert searcher.propose(12) is None


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_values_stay_within_their_domains(name) -> None:
    proposals = _proposals(SEARCHERS[name].make(_space(name, finite=False).searched), 40)
    assert len(proposals) == 40
    for proposal in proposals:
        assert 0 <= proposal["dropout"] <= 0.5
        assert 1e-5 <= proposal["weight_decay"] <= 1e-2
        assert proposal["batch_size"] in (32, 64, 96, 128)
        assert type(proposal["batch_size"]) is int
        assert type(proposal["dropout"]) is type(proposal["weight_decay"]) is float


@pytest.mark.parametrize("name", CONTINUOUS)
def test_another_search_seed_gives_other_proposals(name) -> None:
    proposals = [
        _proposals(SEARCHERS[name].make(_space(name, finite=False, seed=seed).searched), 3) for seed in (0, 1)
    ]
    assert proposals[0] != proposals[1]


def _of_all() -> dict[str, list]:
    """Fifteen proposals of each."""
    return {
        name: _proposals(SEARCHERS[name].make(_space(name, finite=False).searched), 15) for name in CONTINUOUS
    }


@pytest.mark.slow
def test_the_same_seed_gives_the_same_proposals_in_another_process() -> None:
    program = "import json; from tests.searchers.test_searchers import _of_all\nprint(json.dumps(_of_all()))"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stderr == ""  # libraries tell of their studies otherwise
    assert json.loads(done.stdout) == _of_all()


def test_a_grid_goes_through_its_points_with_the_last_key_fastest() -> None:
    space = space_of(
        model={"depth": {"int": [10, 22, 6]}, "dropout": 0.0, "widen_factor": {"choice": [1, 2]}},
        search={"searcher": "grid"},
    )
    proposals = _proposals(SEARCHERS["grid"].make(space.searched), 100)
    assert [tuple(proposal.values()) for proposal in proposals] == list(product([10, 16, 22], [1.0, 2.0]))
    assert space.trials == space.size == 6


def test_a_space_without_a_domain_has_one_configuration() -> None:
    for name in SEARCHERS:
        space = space_of(model={"depth": 10}, search={"searcher": name})
        assert _proposals(SEARCHERS[name].make(space.searched), 5) == [{}]


@pytest.mark.parametrize("learning", LEARNING)
def test_who_says_that_it_learns_does_so_where_random_does_not(learning) -> None:
    """On a bowl around dropout 0.1 the last ten of 40 proposals lie closer to it than random ones, in 4 seeds.

    A sampler of Optuna whose proposals do not follow from the ended trials alone would be random here.
    """

    def last_distances(name: str) -> list[float]:
        distances = []
        for seed in range(4):
            space = space_of(search={"searcher": name, "trials": 40, "seed": seed})
            searcher = SEARCHERS[name].make(space.searched)
            for number in range(40):
                hparams = searcher.propose(number)
                assert hparams is not None
                searcher.proposed(number, hparams)
                distance = abs(float(hparams["dropout"]) - 0.1)
                searcher.told(number, Full(100 * distance))
                distances += [distance] if number >= 30 else []
        return sorted(distances)

    random, learned = last_distances("random"), last_distances(learning)
    assert learned[len(learned) // 2] < random[len(random) // 2] / 2
