"""Plans: more trainings narrow an interval, by the formula of the covariance after them."""

from __future__ import annotations

import itertools
import math

import pytest

from tests.curves.made_up_curves import made_up
from wrn_search.curves.curve_fit import fit
from wrn_search.curves.effects import effects, verdict_of
from wrn_search.curves.next_trainings import next_trainings, trainings_to_decide


def test_a_plan_narrows_the_interval_with_each_training() -> None:
    found = fit(made_up(40))
    effect = effects(found)[0]
    plan = next_trainings(found, effect, 8)
    widths = [math.log(effect.high / effect.low), *(math.log(each.high / each.low) for each in plan)]
    assert len(plan) == 8
    assert all(after < before for before, after in itertools.pairwise(widths[1:]))
    assert widths[-1] < widths[0]


def test_depth_is_asked_at_its_ends() -> None:
    found = fit(made_up(40))
    plan = next_trainings(found, effects(found)[0], 4)
    assert {each.hyperparameters["depth"] for each in plan} <= {16.0, 40.0}


def test_a_cheaper_training_of_equal_use_comes_first() -> None:
    found = fit(made_up(40))
    settings = [{"depth": 40.0, "widen_factor": 4.0, "dropout": 0.1}] * 2
    costs = iter([2.0, 1.0])
    assert next_trainings(found, effects(found)[0], 1, settings, lambda _: next(costs))[0].cost == 1.0


def test_what_is_decided_needs_no_training_and_what_is_not_needs_some() -> None:
    found = fit(made_up(90))
    by_name = {each.question: each for each in effects(found)}
    assert trainings_to_decide(found, by_name["width"]) == 0
    undecided = [each for each in by_name.values() if each.verdict == "undecided"]
    needed = [trainings_to_decide(found, each) for each in undecided]
    assert all(each is None or each > 0 for each in needed)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.7, 0.8, "helps"),
        (1.2, 1.3, "hurts"),
        (0.95, 1.05, "no difference"),
        (0.96, 0.99, "no difference"),
        (0.8, 1.2, "undecided"),
        (0.8, 0.99, "helps"),
    ],
)
def test_verdicts(low: float, high: float, verdict: str) -> None:
    assert verdict_of(low, high, 0.1) == verdict
