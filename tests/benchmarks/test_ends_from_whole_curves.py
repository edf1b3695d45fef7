"""Trees that know every other whole curve: what they tell, and from what they must not learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.ends_from_whole_curves import errors_of, foretold
from benchmarks.recorded_curves import RecordedCurves
from tests.curves.made_up_curves import made_up


def _whole() -> RecordedCurves:
    """Curves with a value at each of four epochs."""
    full = made_up(90, stop=False)
    trials = tuple(replace(each, epochs=(1, 2, 3, 4)) for each in full.trials)
    table = replace(full, trials=trials, last_epoch=4, rungs=())
    return RecordedCurves("made up", "made up", True, table, ((1, 2),))


def test_they_beat_the_last_value_by_far_where_curves_are_smooth() -> None:
    found = errors_of(_whole(), (1, 2), seed=0, anchors=0.1)
    assert found.count > 30
    assert found.ratio < 0.3


def test_hidden_ends_are_not_learned_from() -> None:
    table = _whole().full
    stopped = list(table.trials[:30])
    hidden = {each.trial for each in stopped}
    before = foretold(table, hidden, stopped, 1)
    moved = tuple(
        replace(each, wrong=(*each.wrong[:-1], 4_000.0)) if each.trial in hidden else each
        for each in table.trials
    )
    after = foretold(replace(table, trials=moved), hidden, list(moved[:30]), 1)
    assert np.array_equal(before, after)
