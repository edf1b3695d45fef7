"""Audits: counted by the binomial distribution; a right model passes, a wrong one does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.curves.made_up_curves import made_up
from wrn_search.curves.anchor_audit import audit_by_anchors, audit_of
from wrn_search.curves.ends.ends_of_trials import PredictedEnd


@pytest.mark.parametrize(
    ("misses", "ends", "passed"), [(0, 0, True), (0, 10, True), (1, 10, True), (2, 10, True), (3, 10, False)]
)
def test_misses_fail_where_chance_would_hardly_bring_so_many(misses: int, ends: int, passed: bool) -> None:
    predicted = [PredictedEnd(str(number), 5.0, 4.0, 6.0, None) for number in range(ends)]
    truth = {str(number): 9.0 if number < misses else 5.0 for number in range(ends)}
    audit = audit_of(ends, predicted, truth, images=300)
    assert (audit.hidden_ends, audit.covered, audit.passed) == (ends, ends - misses, passed)


def test_an_end_stands_for_half_an_image_either_way() -> None:
    """0 of 300 wrong: an interval of log-odds begins above 0 %, and holds it all the same if it begins below 1/6 %."""
    for low, covered in ((0.05, 1), (0.16, 1), (0.17, 0)):
        assert (
            audit_of(1, [PredictedEnd("a", 0.5, low, 2.0, None)], {"a": 0.0}, images=300).covered == covered
        )


def test_anchors_of_curves_as_the_model_has_them_pass() -> None:
    table = made_up(48, seed=2)
    full = {each.trial: each for each in made_up(48, seed=2, stop=False).trials}
    anchored = [replace(full[each.trial], anchor=True) for each in table.trials[:12]]
    audit = audit_by_anchors(replace(table, trials=(*anchored, *table.trials[12:])), draws=30)
    assert (audit.anchors, audit.hidden_ends) == (12, 12)
    assert audit.passed


def test_without_anchors_nothing_was_audited() -> None:
    audit = audit_by_anchors(made_up(20))
    assert (audit.anchors, audit.hidden_ends, audit.passed) == (0, 0, True)
