"""A predicted end does not rise above where its curve stands, unless those with ends did; what broke stays broken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.curves.made_up_curves import made_up
from wrn_search.curves.curve_fit import fit
from wrn_search.curves.ends.ends_of_trials import ends_of_trials
from wrn_search.curves.ends.moments_of_ends import end_moments, highest_ends, lowest_ends
from wrn_search.curves.observed_curves import CurveTrial, ObservedCurves

IMAGES = 5_000.0  # of made-up curves


def _with_a_fast_one() -> ObservedCurves:
    """Whole curves, and one that was seen once, at the first rung, below the ends of all others."""
    table = made_up(40, stop=False, width=0.0)
    first = table.trials[0]
    fast = replace(first, trial="fast", configuration="fast", epochs=(18,), wrong=(150.0,), status="stopped")
    return replace(table, trials=(*table.trials, fast))


def test_a_curve_that_stands_low_is_not_foretold_to_rise() -> None:
    table = _with_a_fast_one()
    found = fit(table, draws=40)
    row = [each.trial for each in found.trials].index("fast")
    assert end_moments(found)[0].mean(0)[row] > highest_ends(found)[row]  # the model alone lets it rise
    fast = next(each for each in ends_of_trials(found) if each.trial == "fast")
    of = found.observations
    log_odds = np.log(fast.estimate / (found.ceiling - fast.estimate))
    assert (
        log_odds < end_moments(found)[0].mean(0)[row] - 0.1
    )  # nearer to where it stands than the model's middle
    assert fast.low < 3.0 < fast.high
    assert abs(highest_ends(found)[row] - of.z[row, 0]) < 0.5


def test_where_curves_with_ends_rise_others_may() -> None:
    """Every curve has twice the errors at its end that it has at its first rung."""
    table = _with_a_fast_one()
    calm = highest_ends(fit(table, draws=10))
    trials = tuple(
        replace(each, wrong=(*each.wrong[:-1], min(IMAGES, 2 * each.wrong[0])))
        if each.status == "completed"
        else each
        for each in table.trials
    )
    risen = fit(replace(table, trials=trials), draws=10)
    stopped = ~risen.observations.seen[:, -1]
    assert np.all(highest_ends(risen)[stopped] > calm[stopped] + 0.5)


def test_a_lucky_value_may_rise_by_its_luck_alone() -> None:
    """The noise of the last value is taken off: the bound of a low one lies above it, by less than all that is odd."""
    found = fit(made_up(60, seed=1), draws=10)
    of = found.observations
    rows, last = np.arange(len(of.z)), of.z.shape[1] - 1 - of.seen[:, ::-1].argmax(1)
    off = highest_ends(found) - of.z[rows, last]
    stopped = ~of.seen[:, -1]
    assert (off[stopped] > 0).any()
    assert (off[stopped] < 0).any()
    assert np.abs(off[stopped]).max() < of.z[rows, last].std()


def _flat_with_broken_ones() -> ObservedCurves:
    """Curves that hardly move from 41 %, a fifth with ends, and three that broke at their second epoch; losses."""
    generator = np.random.default_rng(0)

    def trial(name: str, rate: float, errors: list[float], status: str) -> CurveTrial:
        epochs = (1, 3, 9, 27, 51)[: len(errors)]
        wrong = tuple(round(10_000 * each) for each in errors)
        return CurveTrial(name, name, {"learning_rate": rate}, epochs, wrong, status)  # type: ignore[arg-type]

    trials = []
    for number, rate in enumerate(10 ** generator.uniform(-5, -3, 50)):
        falls = np.cumsum(generator.uniform(0.0, 0.15, 5))
        errors = [41.2, *(41.1 - falls[:4])] if number % 5 == 0 else [41.2, 41.1 - falls[0]]
        status = "completed" if number % 5 == 0 else "stopped"
        trials.append(trial(str(number), float(rate), [float(each) for each in errors], status))
    for number, high in enumerate((98.7, 99.7, 93.2)):
        trials.append(trial(f"broke {number}", 1e-4 * (1 + number), [41.1, high], "stopped"))
    return ObservedCurves(
        tuple(trials), 1_000_000, 51, rungs=(1, 3, 9, 27), scales={"learning_rate": "log10"}
    )


def test_a_training_that_broke_is_not_promised_the_end_of_those_that_did_not() -> None:
    table = _flat_with_broken_ones()
    found = fit(table, draws=40)
    rows = np.array([each.trial.startswith("broke") for each in found.trials])
    middles = end_moments(found)[0].mean(0)
    assert np.all(
        middles[rows] < lowest_ends(found)[rows] - 1
    )  # the model alone takes them for slow starters
    ends = {each.trial: each for each in ends_of_trials(found)}
    for number, high in enumerate((98.7, 99.7, 93.2)):
        assert abs(ends[f"broke {number}"].estimate - high) < 5
    assert np.all(np.isneginf(lowest_ends(found)[~rows])), "no other curve is bounded"


def test_a_curve_that_broke_may_fall_as_others_that_broke_and_have_ends() -> None:
    table = _flat_with_broken_ones()
    back = replace(
        table.trials[-1],
        epochs=(1, 3, 9, 27, 51),
        wrong=(411_000.0, 950_000.0, 600_000.0, 450_000.0, 420_000.0),
        status="completed",
    )
    found = fit(replace(table, trials=(*table.trials[:-1], back)), draws=10)
    rows = [each.trial for each in found.trials]
    bounds, of = lowest_ends(found), found.observations
    fell = of.z[rows.index("broke 2"), 1] - of.z[rows.index("broke 2"), -1]
    for name in ("broke 0", "broke 1"):
        row = rows.index(name)
        assert bounds[row] == of.z[row, 1] - 1.5 * fell


def test_without_an_end_there_is_no_bound_for_what_broke() -> None:
    table = _flat_with_broken_ones()
    stopped = tuple(each for each in table.trials if each.status == "stopped")
    assert np.all(np.isneginf(lowest_ends(fit(replace(table, trials=stopped), draws=10))))
