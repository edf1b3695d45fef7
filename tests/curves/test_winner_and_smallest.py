"""Hsu's constants against the table of his book, and standings that follow from them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.curves.made_up_curves import made_up
from wrn_search.curves.curve_fit import fit
from wrn_search.curves.winner_and_smallest import hsu_constant, retrained, smallest_as_good, standings


@pytest.mark.parametrize(
    ("candidates", "constant"), [(1, 0.0), (2, 1.645), (6, 2.23), (20, 2.63), (60, 2.92)]
)
def test_the_constants_are_those_of_the_table(candidates: int, constant: float) -> None:
    assert hsu_constant(candidates) == pytest.approx(constant, abs=0.01)


def test_the_best_of_equal_means_is_excluded_in_one_of_twenty() -> None:
    noise = np.random.default_rng(0).standard_normal((20_000, 20))
    excluded = noise[:, 0] - noise.min(1) > hsu_constant(20) * np.sqrt(2)
    assert excluded.mean() == pytest.approx(0.05, abs=0.006)


def test_the_smallest_is_as_good_where_nothing_is_planted_and_worse_where_width_is() -> None:
    def size(depth: float, widen_factor: float) -> float:
        return (depth - 4) * widen_factor**2

    flat = standings(fit(made_up(150, width=0.0, stop=False)), points=3.0)
    smallest = smallest_as_good(flat, size)
    assert smallest is not None
    assert (smallest.depth, smallest.widen_factor) == (16, 1)
    steep = {
        (each.depth, each.widen_factor): each for each in standings(fit(made_up(150, stop=False)), points=0.5)
    }
    assert steep[16, 1].standing == "worse"


def test_a_lucky_winner_is_expected_to_be_worse_when_retrained() -> None:
    table = made_up(60, width=0.0)
    winner = min(
        (each for each in table.trials if each.status == "completed"), key=lambda each: each.wrong[-1]
    )
    told = retrained(fit(table), winner.trial)
    assert told.measured is not None
    assert told.expected > told.measured
    assert told.low < told.expected < told.high
    with pytest.raises(ValueError, match="must be one of those"):
        retrained(fit(table, draws=5), "nobody")
