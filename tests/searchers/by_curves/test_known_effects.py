"""Goal `tradeoff`: what is worth an epoch follows from the design, and stays cheap."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from wrn_search.searchers.by_curves.curves_searcher import known_effects
from wrn_search.searchers.by_curves.known_effects import MOST_WEIGHED, KnownEffects
from wrn_search.searchers.searcher import Hparams
from wrn_search.searchers.uniform_draws import UniformDraws
from wrn_search.space.space_file import space_from_mapping

LEVELS, EPOCHS = (1, 2, 4, 8), 16
SPACE = space_from_mapping(
    {
        "name": "s",
        "dataset": {"name": "cifar10"},
        "model": {
            "depth": {"choice": [10, 16, 28]},
            "widen_factor": {"choice": [1, 2, 4]},
            "dropout": {"uniform": [0.0, 0.5]},
        },
        "training": {"epochs": EPOCHS, "weight_decay": {"loguniform": [1e-5, 1e-2]}},
        "search": {"searcher": "curves", "scheduler": "curves", "goal": "tradeoff"},
    }
)
DRAWS = UniformDraws(SPACE.searched.hyperparameters)


def effects_of() -> KnownEffects:
    """Nothing known."""
    return known_effects(SPACE.searched, LEVELS, 5000, 90.0)


def hparams(number: int, **given: float) -> Hparams:
    """A draw from the space."""
    return {**DRAWS.at(number), **given}


def error_of(hparams: Hparams, epoch: int, width: float = -0.3) -> float:
    """Percent: a doubling of the width changes the odds by e^width, depth does nothing."""
    z = -1.5 + width * math.log2(float(hparams["widen_factor"] or 1)) + 1.5 * (1 - math.log2(epoch) / 4)
    return 90 / (1 + math.exp(-z))


def told(effects: KnownEffects, number: int, *epochs: int, **given: float) -> None:
    """A configuration at some epochs."""
    point = hparams(number, **given)
    effects.begins(number, point)
    for epoch in epochs:
        effects.reaches(number, epoch, error_of(point, epoch))
    effects.rests(number)


def test_what_separates_depth_from_width_is_worth_most() -> None:
    effects = effects_of()
    corner = hparams(0, depth=28, widen_factor=1, dropout=0.25, weight_decay=3e-4)
    middle = hparams(0, depth=16, widen_factor=2, dropout=0.25, weight_decay=3e-4)
    assert np.diff(effects.worth_by([middle, corner]))[0] > 0.1


def test_the_answer_is_found() -> None:
    effects = effects_of()
    for number in range(24):
        told(effects, number, 1, 2, 4, 8, 16)
    effect, low, high = effects.answers()["depth_vs_width"]
    assert low < math.exp(0.15) < high
    assert low > 1  # width helps, depth does nothing
    assert abs(math.log(effect) - 0.15) < 0.05
    assert effects.answers().keys() == {"depth_vs_width", "dropout", "weight_decay"}
    assert effects.still_open([]) == []


def test_those_that_train_already_make_their_like_less_worth() -> None:
    alone, beside = effects_of(), effects_of()
    for effects in (alone, beside):
        for number in range(10):
            told(effects, number, *((1, 2, 4, 8, 16) if number == 0 else (1,)))
    corner = hparams(50, depth=28, widen_factor=1)
    for number in range(100, 104):
        beside.begins(number, corner)
    assert beside.worth_by([corner])[0] < alone.worth_by([corner])[0]
    assert not set(range(100, 104)) & set(beside.considered())


def test_a_third_of_the_epochs_belongs_to_ends() -> None:
    effects = effects_of()
    told(effects, 0, 1, 2, 4, 8, 16)
    for number in range(1, 11):
        told(effects, number, 1, 2)
    assert np.isfinite(effects.worth_by([hparams(99)])[0])  # 16 of 36 epochs
    for number in range(11, 19):
        told(effects, number, 1, 2)
    assert effects.worth_by([hparams(99)])[0] == -math.inf  # 16 of 52: who waits goes to its end
    chosen = int(np.argmax(effects.worth_of(range(1, 19)))) + 1
    effects.trains(chosen)
    effects.reaches(chosen, 4, 50.0)
    effects.rests(chosen)
    assert int(np.argmax(effects.worth_of(range(1, 19)))) + 1 == chosen  # all the way


def test_nobody_goes_where_trainings_fail() -> None:
    effects = effects_of()
    told(effects, 0, 1, 2, 4, 8, 16)
    before = effects.worth_by([hparams(7)])[0]
    for number in range(1, 6):
        effects.begins(number, hparams(7))
        effects.reaches(number, EPOCHS, 90.0)  # what diverged counts so
        effects.rests(number)
        effects.begins(number + 10, hparams(7))
        effects.crashes(number + 10)
    told(effects, 30, 1, 2, 4, 8, 16)
    told(effects, 31, 1, 2, 4, 8, 16)
    assert effects.worth_by([hparams(7)])[0] < before - 1
    assert not {1, 11} & set(effects.considered())


def test_one_no_better_than_guessing_tells_nothing_yet() -> None:
    effects = effects_of()
    effects.begins(0, hparams(0))
    effects.reaches(0, 1, 90.0)
    effects.rests(0)
    assert effects.answers() == {}
    assert effects.considered() == [0]
    assert effects.why_left(0) == "no training was better than guessing"
    effects.reaches(0, 2, 60.0)
    assert "depth_vs_width" in effects.answers()


@pytest.mark.parametrize("error", [0.0, 100.0, float("nan"), float("inf")])
def test_equal_and_impossible_errors_give_numbers(error: float) -> None:
    effects = effects_of()
    for number in range(12):
        effects.begins(number, hparams(number))
        effects.reaches(number, 1, error)
        effects.rests(number)
    assert not np.any(np.isnan(effects.worth_of(effects.considered())))
    assert not np.isnan(effects.typical_worth())


def test_answers_follow_from_what_was_told_and_not_from_what_was_asked() -> None:
    often, once = effects_of(), effects_of()
    for number in range(20):
        told(often, number, 1, 2)
        often.typical_worth()
        often.answers()
        told(once, number, 1, 2)
    np.testing.assert_array_equal(often.worth_of(range(20)), once.worth_of(range(20)))


@pytest.mark.parametrize("trials", [200, 2000])
def test_a_decision_is_cheap_however_many_there_are(trials: int) -> None:
    """Below 50 ms of one core at 200 trials, and no more at ten times as many."""
    effects = effects_of()
    for number in range(trials):
        told(effects, number, 1, 2, *((4, 8, 16) if number % 8 == 0 else ()))
    effects.typical_worth()
    began = time.process_time()
    for number in range(trials, trials + 10):
        told(effects, number, 1)
        effects.worth_of(effects.considered())
        effects.worth_by([hparams(place) for place in range(200)])
        effects.typical_worth()
    assert (time.process_time() - began) / 10 < 0.05
    assert len(effects.considered()) <= MOST_WEIGHED
