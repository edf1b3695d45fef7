"""Planted effects come back; the same table and seed say the same; odd tables are told or refused."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest

from tests.curves.made_up_curves import made_up
from wrn_search.curves.curve_fit import fit, fit_at_first_rung, wrong_by_guessing
from wrn_search.curves.effects import Effect, effect_in_cell, effects
from wrn_search.curves.ends.ends_of_cells import ends_of_cells
from wrn_search.curves.ends.ends_of_trials import ends_of_trials
from wrn_search.curves.failure_rates import failure_rates
from wrn_search.curves.observed_curves import CurveTrial, ObservedCurves


@pytest.fixture(autouse=True)
def no_warning() -> None:
    warnings.simplefilter("error")


def named(found: tuple[Effect, ...]) -> dict[str, Effect]:
    return {each.question: each for each in found}


def test_a_planted_width_is_found_and_an_absent_depth_is_not() -> None:
    found = named(effects(fit(made_up(90), draws=150)))
    assert found["width"].low <= math.exp(-0.37) <= found["width"].high
    assert found["width"].verdict == "helps"
    assert found["depth"].verdict != "helps"
    assert found["depth_vs_width"].low <= math.exp(0.37 / 2) <= found["depth_vs_width"].high


def test_a_learning_rate_that_only_looks_bad_early_is_not_called_bad() -> None:
    table = made_up(120, seed=3, learning_rate=(-0.2, 0.6))
    assert named(effects(fit_at_first_rung(table, draws=100)))["learning_rate"].verdict == "hurts"
    late = named(effects(fit(table, draws=150)))["learning_rate"]
    assert late.low <= math.exp(-0.2) <= late.high


def test_hidden_ends_lie_in_their_intervals() -> None:
    full = made_up(160, seed=5, stop=False)
    by_name = {each.trial: each for each in full.trials}
    cut = tuple(
        replace(each, epochs=each.epochs[:2], wrong=each.wrong[:2], status="stopped") if index % 2 else each
        for index, each in enumerate(full.trials)
    )
    hidden = [
        each for each in ends_of_trials(fit(replace(full, trials=cut), draws=100)) if each.measured is None
    ]
    covered = [each.low <= by_name[each.trial].wrong[-1] / 50 <= each.high for each in hidden]
    assert len(hidden) == 80
    assert sum(covered) >= 70  # P(fewer) < 1 % at 95 %


def test_repeats_tell_the_share_of_the_configuration() -> None:
    found = fit(made_up(90, repeats=3, stop=False), draws=60)
    assert found.observations.repeated
    assert 0.05 < np.mean([each.share for each in found.variances]) < 0.7  # u half, v none


def test_an_effect_that_differs_by_size_is_told_by_size() -> None:
    table = made_up(80, stop=False)
    trials = tuple(
        replace(
            each,
            wrong=tuple(
                min(5_000.0, round(wrong * math.exp(float(each.hyperparameters["dropout"]) * slope)))
                for wrong in each.wrong
            ),
        )
        for each in table.trials
        for slope in [2.0 if each.hyperparameters["widen_factor"] in (1, 2) else -2.0]
    )
    found = fit(replace(table, trials=trials), draws=100)
    assert effect_in_cell(found, "dropout", (16, 1)).low > 1
    assert effect_in_cell(found, "dropout", (16, 8)).high < 1
    with pytest.raises(ValueError, match="beside depth and width"):
        effect_in_cell(found, "depth", (16, 1))


_SCRIPT = """
from tests.curves.made_up_curves import made_up
from wrn_search.curves.curve_fit import fit, fit_at_first_rung
print(repr(fit(made_up(24), draws=20).draws.sum()))
"""


def test_another_process_draws_the_same() -> None:
    here = repr(fit(made_up(24), draws=20).draws.sum())
    there = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


def single(wrong: tuple[float, ...] = (500.0, 400.0), **changes: object) -> ObservedCurves:
    trial = CurveTrial("a", "a", {"depth": 16.0, "widen_factor": 2.0}, (1, 2), wrong, "completed")
    return ObservedCurves((replace(trial, **changes),), 1_000, 2)


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(single(), id="one trial"),
        pytest.param(single(epochs=(1,), wrong=(500.0,), status="running"), id="one running trial"),
        pytest.param(single((0.0, 0.0)), id="no error at all"),
        pytest.param(
            replace(single(), images=3, trials=(replace(single().trials[0], wrong=(1, 0)),)), id="3 images"
        ),
        pytest.param(
            replace(
                made_up(12),
                trials=tuple(replace(each, wrong=(400.0,) * len(each.wrong)) for each in made_up(12).trials),
            ),
            id="all equal",
        ),
        pytest.param(
            replace(
                made_up(20),
                trials=tuple(
                    replace(each, epochs=each.epochs[:2], wrong=each.wrong[:2], status="stopped")
                    for each in made_up(20).trials
                ),
            ),
            id="none completed",
        ),
        pytest.param(
            replace(
                made_up(20),
                trials=tuple(
                    replace(
                        each, hyperparameters={**each.hyperparameters, "depth": 16.0, "widen_factor": 2.0}
                    )
                    for each in made_up(20).trials
                ),
            ),
            id="one cell",
        ),
    ],
)
def test_every_cell_and_trial_has_an_end_with_an_interval(table: ObservedCurves) -> None:
    found = fit(table, draws=40)
    for cell in ends_of_cells(found):
        assert 0 <= cell.low <= cell.estimate <= cell.high <= 100
        assert cell.low < cell.high
    for end in ends_of_trials(found):
        assert 0 <= end.low <= end.estimate <= end.high <= 100


def test_a_search_in_which_all_diverged_has_a_rate_and_no_curve() -> None:
    table = made_up(12)
    table = replace(table, trials=tuple(replace(each, status="diverged") for each in table.trials))
    with pytest.raises(ValueError, match="must have learned"):
        fit(table)
    assert all(each.rate > 50 and each.failed == each.n for each in failure_rates(table))


def test_a_trial_at_chance_is_no_curve_and_may_stay_there() -> None:
    table = made_up(20)
    lost = replace(table.trials[0], trial="lost", epochs=(18,), wrong=(4_495.0,), status="stopped")
    found = fit(replace(table, trials=(*table.trials, lost)), draws=20)
    assert "lost" not in {each.trial for each in found.trials}
    end = next(each for each in ends_of_trials(found) if each.trial == "lost")
    assert end.high >= 89
    assert end.low < 50  # nothing says that it will not learn


def test_what_counts_as_learned_depends_on_how_many_images_were_counted() -> None:
    table = replace(made_up(12), images=10_000, chance_error=99.0)
    assert wrong_by_guessing(table) == pytest.approx(9_900 - 3 * math.sqrt(10_000 * 0.99 * 0.01))
    few = replace(single((5.0, 4.0)), images=60, chance_error=5.0)
    assert wrong_by_guessing(few) == pytest.approx(
        0.9 * 3
    )  # three deviations below chance are fewer than none
    assert wrong_by_guessing(replace(table, chance_error=None)) == math.inf


def test_guesses_follow_guesses_and_slow_starters_follow_slow_starters() -> None:
    """At an epoch where all are near chance, those that guess stay there; those a little below learn."""
    table = made_up(30, stop=False)
    ended = [replace(each, epochs=(2, *each.epochs), wrong=(4_400.0, *each.wrong)) for each in table.trials]
    guessing = [
        replace(
            each,
            trial=f"guess {each.trial}",
            epochs=(2, *each.epochs),
            wrong=(4_500.0,) * (1 + len(each.epochs)),
        )
        for each in table.trials[:8]
    ]
    cut = [
        replace(ended[0], trial="slow", epochs=(2,), wrong=(4_400.0,), status="stopped"),
        replace(ended[0], trial="guess", epochs=(2,), wrong=(4_500.0,), status="stopped"),
    ]
    rungs = (2, *table.rungs)
    found = fit(replace(table, trials=(*ended, *guessing, *cut), rungs=rungs), draws=30)
    ends = {each.trial: each for each in ends_of_trials(found)}
    assert ends["guess"].estimate > 85
    assert ends["slow"].estimate < 30


def test_a_cell_that_nobody_tried_is_told_less_surely() -> None:
    table = made_up(80)
    tried = tuple(
        each
        for each in table.trials
        if (each.hyperparameters["depth"], each.hyperparameters["widen_factor"]) != (28, 8)
    )
    at = {"dropout": 0.2}
    ends = [
        {(each.depth, each.widen_factor): each for each in ends_of_cells(fit(told), at)}
        for told in (table, replace(table, trials=tried))
    ]
    known, unknown = (each[28, 8] for each in ends)
    assert (unknown.kind, unknown.n, unknown.trials) == ("predicted", 0, 0)
    assert unknown.high / unknown.low > known.high / known.low


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"wrong": (500.0, math.nan)}, "must lie in"),
        ({"wrong": (500.0, 1_001.0)}, "must lie in"),
        ({"wrong": (500.0,)}, "a count for each epoch"),
        ({"epochs": (2, 1)}, "must rise"),
        ({"epochs": (1, 3)}, "must rise"),
        ({"hyperparameters": {"depth": 4.0}}, "above 4"),
        ({"hyperparameters": {"weight_decay": math.nan}}, "finite"),
        ({"hyperparameters": {"weight_decay": 0.0}}, "above 0"),
    ],
)
def test_what_no_curve_can_be_is_refused(changes: dict[str, object], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        single(**changes)
