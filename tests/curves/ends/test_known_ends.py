"""Predicted ends get wider intervals where known ends lie farther off than the model says, and only there."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tests.curves.made_up_curves import made_up
from wrn_search.curves.curve_fit import CurveFit, fit, fit_at_first_rung
from wrn_search.curves.ends import ends_of_trials as ends_module
from wrn_search.curves.ends.ends_of_trials import ends_of_trials
from wrn_search.curves.ends.known_ends import standard_errors, times_too_narrow
from wrn_search.curves.observed_curves import ObservedCurves

SEEDS = range(3)


def _with_few_ends(jump: float, seed: int) -> tuple[ObservedCurves, dict[str, float]]:
    """One end in ten is known, the others' errors apart; ends jump (log-odds, heavy tails) from what rungs promise."""
    full, generator = made_up(stop=False, seed=seed), np.random.default_rng(seed)
    shown, hidden = [], {}
    for number, trial in enumerate(full.trials):
        share = trial.wrong[-1] / full.images
        end = math.log(share / (1 - share)) + jump * generator.standard_t(2)
        wrong = (*trial.wrong[:-1], float(round(full.images / (1 + math.exp(-end)))))
        if number % 10 == 0:
            shown.append(replace(trial, wrong=wrong))
            continue
        seen = 1 + number % 2
        hidden[trial.trial] = 100 * wrong[-1] / full.images
        shown.append(replace(trial, epochs=trial.epochs[:seen], wrong=wrong[:seen], status="stopped"))
    return replace(full, trials=tuple(shown)), hidden


def _covered(found: CurveFit, hidden: dict[str, float]) -> float:
    inside = [
        each.low <= hidden[each.trial] <= each.high for each in ends_of_trials(found) if each.trial in hidden
    ]
    return sum(inside) / len(inside)


def test_a_model_that_is_right_stays_as_it_is() -> None:
    for seed in SEEDS:
        shown, hidden = _with_few_ends(0.0, seed)
        found = fit(shown, draws=60)
        assert times_too_narrow(found) < 1.1
        assert _covered(found, hidden) > 0.9


def test_ends_that_jump_make_intervals_wider_and_more_of_them_right(monkeypatch) -> None:
    fits = [(fit(shown, draws=60), hidden) for shown, hidden in (_with_few_ends(0.3, seed) for seed in SEEDS)]
    after = sum(_covered(*each) for each in fits)
    assert all(times_too_narrow(found) >= 1 for found, _ in fits)
    assert sum(times_too_narrow(found) for found, _ in fits) > 3.4
    monkeypatch.setattr(ends_module, "times_too_narrow", lambda _: 1.0)
    assert after > sum(_covered(*each) for each in fits) + 0.1


def test_an_end_is_foretold_without_what_is_known_of_it() -> None:
    """Moved by far, it lies as far from its prediction, which stays: it is not in the fit that foretells it."""
    shown, _ = _with_few_ends(0.0, 0)
    found = fit(shown, draws=60)
    row = next(row for row in range(len(found.trials)) if found.observations.seen[row, -1])
    z = found.observations.z.copy()
    z[row, -1] += 1.0
    moved = replace(found, observations=replace(found.observations, z=z))
    before, after = standard_errors(found)[0], standard_errors(moved)[0]
    steps = after - before  # 1 / deviation of each prediction
    assert np.all(steps > 1)
    assert steps[-1] > steps[0]  # who was seen for longer is known better
    again = standard_errors(moved)[0]
    assert np.array_equal(after, again)


def test_without_a_known_end_nothing_is_known() -> None:
    shown, _ = _with_few_ends(0.0, 0)
    none = replace(shown, trials=tuple(each for each in shown.trials if each.status == "stopped"))
    assert times_too_narrow(fit(none, draws=20)) == 1.0
    assert times_too_narrow(fit_at_first_rung(shown, draws=20)) == 1.0


def test_many_ends_cost_no_more_than_some() -> None:
    found = fit(made_up(stop=False), draws=20)
    assert len(standard_errors(found)) == 16
