"""Who learned may fall back to chance: as often as trials with similar hyperparameters did, and never without one."""

from __future__ import annotations

from wrn_search.curves.curve_fit import CurveFit, fit
from wrn_search.curves.ends.ends_of_trials import PredictedEnd, ends_of_trials
from wrn_search.curves.ends.falls_to_chance import chances_of_falling
from wrn_search.curves.observed_curves import CurveTrial, ObservedCurves, Scale

IMAGES, CHANCE, END = 1_000, 900.0, 60
LOST = 0.9 * CHANCE
EPOCHS = (1, 3, 10, 20, END)
HOT = 0.1  # learning rates at and above which curves break


def _table(breaks: bool) -> ObservedCurves:
    """20 learning rates from 1e-3 to 1, in two optimisers; the hot half of `sgd` breaks between epochs 10 and 20.

    Every third trial is stopped after epoch 10, before anything shows.
    """
    trials = []
    for number in range(40):
        rate, optimizer = 10 ** (-3 + 3 * (number // 2) / 19), ("adam", "sgd")[number % 2]
        wrong = [800.0, 500.0, 300.0 + number, 250.0 + number, 200.0 + number]
        if breaks and optimizer == "sgd" and rate >= HOT:
            wrong[3:] = [CHANCE, CHANCE]
        stopped = number % 3 == 0
        seen = 3 if stopped else len(EPOCHS)
        trials.append(
            CurveTrial(
                str(number),
                str(number),
                {"learning_rate": rate, "optimizer": optimizer},
                EPOCHS[:seen],
                tuple(wrong[:seen]),
                "stopped" if stopped else "completed",
            )
        )
    scales: dict[str, Scale] = {"learning_rate": "log10", "optimizer": "categorical"}
    return ObservedCurves(tuple(trials), IMAGES, END, scales, (10,), 100 * CHANCE / IMAGES)


def _stopped(found: CurveFit) -> dict[str, list[PredictedEnd]]:
    """Predicted ends by `hot` and `calm`: learning rates twice as far on either side, of the optimiser that breaks."""
    settings = {each.trial: each.hyperparameters for each in found.table.trials}
    told: dict[str, list[PredictedEnd]] = {"hot": [], "calm": []}
    for end in ends_of_trials(found):
        rate, optimizer = float(settings[end.trial]["learning_rate"]), settings[end.trial]["optimizer"]
        if end.measured is None and optimizer == "sgd":
            if rate >= 2 * HOT:
                told["hot"].append(end)
            elif rate <= HOT / 10:
                told["calm"].append(end)
    return told


def test_a_stopped_trial_among_broken_ones_may_break() -> None:
    found = fit(_table(breaks=True), draws=20)
    told, chances = _stopped(found), chances_of_falling(found, LOST)
    assert told["hot"]
    assert told["calm"]
    assert min(chances[each.trial] for each in told["hot"]) > 0.1
    assert max(chances[each.trial] for each in told["calm"]) < 0.025
    assert all(each.low < 40 and each.high >= 89 for each in told["hot"])
    assert all(each.high < 60 for each in told["calm"])
    assert all(each.low < each.estimate < each.high for each in told["hot"])


def test_the_longer_a_trial_held_the_less_is_left_to_break() -> None:
    found = fit(_table(breaks=True), draws=20)
    chances = chances_of_falling(found, LOST)
    ended = [each.trial for each in found.table.trials if each.epochs[-1] == END]
    assert all(chances[each] == 0 for each in ended)


def test_where_nobody_broke_nobody_is_expected_to() -> None:
    found = fit(_table(breaks=False), draws=20)
    assert set(chances_of_falling(found, LOST).values()) == {0.0}
    told = _stopped(found)
    assert all(each.high < 60 for each in told["hot"] + told["calm"])
