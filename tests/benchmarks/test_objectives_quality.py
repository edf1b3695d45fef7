"""The benchmark of several objectives: its measure on a table made by hand, its sizes, and plays of both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.objectives_quality import RIVAL, _funnel, measure_of, played, with_objectives
from tests.benchmarks.made_tables import made_table


def test_the_weights_of_a_funnel() -> None:
    assert _funnel(1, 100.0) == 100
    assert _funnel(2, 100.0) == 100 * 50 + 50
    assert _funnel(3, 90.0) == 90 * 60 + 60 * 30 + 30


@pytest.mark.parametrize("arm", [RIVAL, "random+asha"])
def test_a_play_is_measured_by_what_came_to_its_end_within_the_budget(arm: str) -> None:
    made = made_table(40, 9)
    table = with_objectives(replace(made, sizes=tuple(100 + 7 * place for place in range(40))))
    measure = measure_of(table)
    everything = [(1.0, float(end), size) for end, size in zip(table.ends, table.sizes, strict=True)]
    assert measure.share(everything, 1.0) == pytest.approx(1.0)
    assert measure.share(everything, 0.5) == 0.0
    found = played(table, arm, 0, 10 * table.epochs)

    assert table.space.objectives == ("val_error", "num_params")
    assert len(found) >= 5
    assert all(spent <= 90 for spent, _, _ in found)
    assert 0 < measure.share(found, 60.0) <= measure.share(found, 90.0) <= 1
    assert [each[0] for each in found] == sorted(each[0] for each in found)
