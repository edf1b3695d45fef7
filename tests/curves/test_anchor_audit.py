"""Audits: counted by the binomial distribution; a right model passes, a wrong one does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.curves.made_up_curves import made_up
from wrn_search.curves.anchor_audit import audit_by_anchors, audit_of
from wrn_search.curves.ends_of_trials import PredictedEnd


@pytest.mark.parametrize(
    ("misses", "ends", "passed"), [(0, 0, True), (0, 10, True), (1, 10, True), (2, 10, True), (3, 10, False)]
)
def test_misses_fail_where_chance_would_hardly_bring_so_many(misses: int, ends: int, passed: bool) -> None:
    predicted = [PredictedEnd(str(number), 5.0, 4.0, 6.0, None) for number in range(ends)]
    truth = {str(number): 9.0 if number < misses else 5.0 for number in range(ends)}
    audit = audit_of(ends, predicted, truth)
    assert (audit.hidden_ends, audit.covered, audit.passed) == (ends, ends - misses, passed)


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
