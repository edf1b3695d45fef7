"""What plays say of methods, against values found another way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.replay.hand_made import curve, falling, table_of
from wrn_search.replay.all_plays import Asked, all_plays
from wrn_search.replay.comparison import (
    best_of,
    bootstrap_interval,
    compared,
    kendall_tau,
    measured_epochs,
    regret_at,
)
from wrn_search.replay.curve_table import CurveTable, regret_of
from wrn_search.replay.methods import methods_of
from wrn_search.replay.simulated_clock import Play

METHODS = ("random+none", "random+asha", "tpe+asha")


def asked_of(table: CurveTable, *methods: str, seeds: int = 6, budget: int = 90, workers: int = 1) -> Asked:
    named = [f"{name}={name}" for name in methods or METHODS]
    return Asked(
        (table,), tuple(methods_of([], [], named, rivals=False)), (), (workers,), seeds, budget, None
    )


def test_regret_is_0_at_the_best_and_1_at_the_median() -> None:
    assert regret_of(np.array([3.0, 5.0, 4.0, 9.0, 13.0])) == pytest.approx([0, 1, 0.5, 3, 5])


@pytest.mark.parametrize("ends", [[4.0, 4.0, 4.0], [4.0]])
def test_regret_of_equal_ends_is_0(ends: list[float]) -> None:
    assert regret_of(np.array(ends)).tolist() == [0.0] * len(ends)


def test_where_half_of_a_table_is_best_the_mean_is_the_scale() -> None:
    assert regret_of(np.array([4.0, 4.0, 4.0, 8.0])) == pytest.approx([0, 0, 0, 4])


def test_regret_follows_what_was_named() -> None:
    """The mean of the table before anything was named; then each name until the next."""
    play = Play(named=[(3, 10.0, 1), (6, 40.0, 0)])
    regret = np.array([0.0, 1.0, 3.0])
    assert regret_at(play, regret, [1, 2, 3, 5, 6, 9]).tolist() == pytest.approx([4 / 3, 4 / 3, 1, 1, 0, 0])
    assert regret_at(play, regret, [9.0, 10.0, 50.0], by_time=True).tolist() == pytest.approx([4 / 3, 1, 0])


@pytest.mark.parametrize("budget", [1, 7, 99, 100, 101, 1040])
def test_the_budget_itself_is_measured(budget: int) -> None:
    epochs = measured_epochs(budget)
    assert epochs[-1] == budget
    assert epochs[0] >= 1
    assert len(epochs) <= 100
    assert list(epochs) == sorted(set(epochs))


def test_the_best_5_percent_are_one_at_least_with_its_ties() -> None:
    assert best_of(np.array([3.0, 1.0, 2.0])) == {1}
    assert best_of(np.array([1.0, 1.0, 2.0])) == {0, 1}
    assert best_of(np.arange(100.0)) == {0, 1, 2, 3, 4}


def test_the_bootstrap_covers_a_known_mean() -> None:
    """Of 200 samples of 40 differences with mean 1 about 95 % have it inside: 90 % at least."""
    generator = np.random.default_rng(0)
    inside = 0
    for seed in range(200):
        low, high = bootstrap_interval([generator.normal(1, 2, (40, 1))], seed)
        inside += int(low[0] <= 1 <= high[0])
    assert inside >= 180


def test_the_bootstrap_keeps_tables_apart() -> None:
    """Tables that differ and seeds that do not: nothing is left to chance."""
    low, high = bootstrap_interval([np.full((5, 1), -1.0), np.full((5, 1), 3.0)], 0)
    assert low.tolist() == high.tolist() == [1.0]


def test_kendalls_tau_is_that_of_the_columns() -> None:
    errors = {0.0: (9.0, 3.0), 0.3: (8.0, 5.0), 0.6: (7.0, 4.0), 1.0: (6.0, 1.0)}
    table = table_of({x: curve(*values) for x, values in errors.items()})
    first, end = zip(*errors.values(), strict=True)
    concordant = sum(np.sign((first[i] - first[j]) * (end[i] - end[j])) for i in range(4) for j in range(i))
    assert kendall_tau([table], 1) == pytest.approx(concordant / 6)
    assert kendall_tau([table], 1) == pytest.approx(stats.kendalltau(first, end).statistic)
    assert kendall_tau([table_of({0.0: curve(5, 5), 1.0: curve(5, 5)})], 1) is None


def test_the_same_seed_gives_the_same_numbers_in_other_processes() -> None:
    asked = asked_of(falling(12))
    here, there = all_plays(asked, 1), all_plays(asked, 2)
    assert [each.play for each in here] == [each.play for each in there]
    assert [each.key for each in here] == [each.key for each in there]


def test_methods_are_compared_pair_by_pair() -> None:
    asked = asked_of(falling(16), seeds=10)
    found = compared(asked, all_plays(asked, 1))
    assert [(pair.a, pair.b) for pair in found.pairs] == [(0, 1), (0, 2), (1, 2)]
    for pair in found.pairs:
        runs = found.results[pair.a].runs - found.results[pair.b].runs
        assert pair.difference == pytest.approx(runs.mean(axis=0))
        assert (pair.low <= pair.difference + 1e-12).all()
        assert (pair.difference <= pair.high + 1e-12).all()
    none, asha = found.results[0], found.results[1]
    assert none.rungs == ()
    assert none.trials["stopped"] == 0
    assert none.trials["completed"] == 10
    assert {rung.epoch for rung in asha.rungs} == {1, 3}
    assert asha.trials["completed"] < 10 < sum(asha.trials.values())
    assert asha.regret.median[-1] <= none.regret.median[-1]  # more of these curves, which never cross


def test_rungs_count_what_they_stopped() -> None:
    """Curves that never cross: with one in three going on at 1, the best one is never stopped."""
    asked = asked_of(falling(30), "random+asha", seeds=8, budget=400)
    for rung in compared(asked, all_plays(asked, 1)).results[0].rungs:
        assert rung.best_stopped == 0 < rung.best_arrived
        assert 0 < rung.stopped < rung.arrived
        assert rung.kendall_tau == pytest.approx(1.0)


@pytest.mark.parametrize(
    "table",
    [
        table_of({x / 9: curve(20, 20, 20) for x in range(10)}),
        table_of({x / 9: curve(diverged=True) for x in range(10)}),
        table_of({x / 9: curve(50, diverged=True) for x in range(10)}),
        table_of({0.5: curve(30, 20, 10)}),
    ],
    ids=["all equal", "all diverged at once", "all diverged", "one configuration"],
)
def test_tables_without_anything_to_find(table: CurveTable) -> None:
    asked = asked_of(table, seeds=3, budget=30)
    for result in compared(asked, all_plays(asked, 1)).results:
        assert result.regret.median.tolist() == [0.0] * 30
        assert sum(result.trials.values()) == len(table.configurations)
