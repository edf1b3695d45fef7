"""Predicted ends move and widen as known ends ask for, by rung, and only there."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.curves.made_up_curves import made_up
from wrn_search.curves.anchor_audit import covers
from wrn_search.curves.curve_fit import CurveFit, fit, fit_at_first_rung
from wrn_search.curves.design_columns import Array
from wrn_search.curves.ends import ends_of_trials as ends_module
from wrn_search.curves.ends.ends_of_trials import ends_of_trials
from wrn_search.curves.ends.known_ends import known_ends, moved
from wrn_search.curves.ends.moments_of_ends import end_moments
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


def _moved(found: CurveFit) -> tuple[Array, Array]:
    means, deviations = end_moments(found)
    return moved(found, means.mean(0), np.sqrt((deviations**2).mean(0) + means.var(0)))


def _covered(found: CurveFit, hidden: dict[str, float]) -> float:
    images = found.table.images
    inside = [
        covers(each.low, each.high, hidden[each.trial], images)
        for each in ends_of_trials(found)
        if each.trial in hidden
    ]
    return sum(inside) / len(inside)


def test_a_model_that_is_right_stays_about_as_it_is() -> None:
    for seed in SEEDS:
        shown, hidden = _with_few_ends(0.0, seed)
        found = fit(shown, draws=60)
        shift, factor = _moved(found)
        assert np.median(factor) < 1.3
        assert np.median(np.abs(shift)) < 0.15
        assert _covered(found, hidden) > 0.9


def test_ends_that_jump_make_intervals_wider_and_more_of_them_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fits = [(fit(shown, draws=60), hidden) for shown, hidden in (_with_few_ends(0.3, seed) for seed in SEEDS)]
    after = sum(_covered(*each) for each in fits)
    factors = [_moved(found)[1] for found, _ in fits]
    assert all(np.all(each >= 1) for each in factors)
    calm = [_moved(fit(_with_few_ends(0.0, seed)[0], draws=60))[1] for seed in SEEDS]
    assert sum(map(np.median, factors)) > sum(map(np.median, calm))
    monkeypatch.setattr(
        ends_module, "moved", lambda of, means, _: (np.zeros(len(means)), np.ones(len(means)))
    )
    assert after > sum(_covered(*each) for each in fits) + 0.1


def test_ends_that_all_lie_higher_move_the_others_there() -> None:
    """The known ends of a fit are laid elsewhere: predictions follow in part, and are surer the nearer they are."""
    found = fit(_with_few_ends(0.0, 0)[0], draws=60)
    of = found.observations
    z = of.z.copy()
    ended = of.seen[:, -1]
    z[ended, -1] += 0.5
    before = _moved(found)[0]
    shift, factor = _moved(replace(found, observations=replace(of, z=z)))
    more = (shift - before)[~ended]
    assert np.all(more > 0)
    assert np.all(more < 0.5)
    assert np.all(shift[ended] == 0)
    assert np.all(factor[ended] == 1)


def test_far_from_known_ends_less_is_known() -> None:
    found = fit(_with_few_ends(0.0, 0)[0], draws=60)
    of = found.observations
    means, deviations = np.zeros(len(of.z)), np.full(len(of.z), 0.2)
    rows = np.flatnonzero(~of.seen[:, -1])
    row, rung = int(rows[0]), int(np.flatnonzero(of.seen[rows[0]])[-1])
    known = np.mean([each.z for each in known_ends(found) if each.rung == rung])
    factors = []
    for away in (0.0, 3.0):
        z = of.z.copy()
        z[row, rung] = known + away
        changed = replace(found, observations=replace(of, z=z))
        predicted = means + z[row, rung]
        factors.append(moved(changed, predicted, deviations)[1][row])
    assert factors[1] > factors[0] > 1


def test_an_end_is_foretold_without_what_is_known_of_it() -> None:
    """Moved by far, its prediction stays: it is not in the fit that foretells it."""
    shown, _ = _with_few_ends(0.0, 0)
    found = fit(shown, draws=60)
    row = next(row for row in range(len(found.trials)) if found.observations.seen[row, -1])
    z = found.observations.z.copy()
    z[row, -1] += 1.0
    changed = replace(found, observations=replace(found.observations, z=z))
    before, after = ([each for each in known_ends(of) if each.trial == row] for of in (found, changed))
    assert len(before) == found.rungs - 1
    for one, other in zip(before, after, strict=True):
        assert math.isclose(one.predicted, other.predicted, abs_tol=1e-9)
        assert math.isclose(other.end, one.end + 1.0)
    assert before[-1].deviation < before[0].deviation  # who was seen for longer is known better
    assert known_ends(changed) == known_ends(changed)


def test_without_a_known_end_only_the_prior_speaks() -> None:
    shown, _ = _with_few_ends(0.0, 0)
    none = replace(shown, trials=tuple(each for each in shown.trials if each.status == "stopped"))
    shift, factor = _moved(fit(none, draws=20))
    assert np.all(shift == 0)
    assert np.all(factor > 1)
    first = fit_at_first_rung(shown, draws=20)  # every trial has its end there
    assert known_ends(first) == []
    assert np.all(_moved(first)[1] == 1)


def test_many_ends_cost_no_more_than_some() -> None:
    found = fit(made_up(stop=False), draws=20)
    assert len({each.trial for each in known_ends(found)}) == 16
