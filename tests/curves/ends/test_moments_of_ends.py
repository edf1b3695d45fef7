"""A predicted end does not rise above where its curve stands, unless those with ends did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.curves.made_up_curves import made_up
from wrn_search.curves.curve_fit import fit
from wrn_search.curves.ends.ends_of_trials import ends_of_trials
from wrn_search.curves.ends.moments_of_ends import end_moments, highest_ends
from wrn_search.curves.observed_curves import ObservedCurves

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
