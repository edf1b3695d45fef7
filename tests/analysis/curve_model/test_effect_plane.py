"""Two regularisers at once, the network held fixed: a planted best place is found, and what is not told from it."""

from __future__ import annotations

import math

import pytest

from tests.analysis.planted import Plan, plant
from wrn_search.analysis.all_findings import findings_of

MODEL = {
    "depth": {"choice": [10, 16]},
    "widen_factor": {"choice": [1, 2, 4]},
    "dropout": {"uniform": [0.0, 0.5]},
}
DECAY = {"epochs": 10, "weight_decay": {"loguniform": [1e-5, 1e-2]}}
RANDOM = {"searcher": "random", "scheduler": "none", "trials": 48}


def law(leaves, num_params):
    """The network matters most; dropout is best at 0.1 and weight decay at 3e-4, each by itself."""
    off = ((leaves["dropout"] - 0.1) / 0.2) ** 2 + math.log10(leaves["weight_decay"] / 3e-4) ** 2
    return float(20 / leaves["widen_factor"] * math.exp(0.15 * off))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    plan = Plan(model=MODEL, training=DECAY, search=RANDOM, error=law, noise=0.2)
    return findings_of(plant(tmp_path_factory.mktemp("plane") / "results", plan))


def test_the_best_place_is_found_whatever_the_networks_of_the_trials(found):
    plane = found.model.plane
    assert (plane.x, plane.y, plane.x_log, plane.y_log) == ("dropout", "weight_decay", False, True)
    assert plane.at["widen_factor"] == 4.0
    cells = [
        (plane.errors[row][column], x, y)
        for row, y in enumerate(plane.y_values)
        for column, x in enumerate(plane.x_values)
    ]
    lowest, x, y = min(cells)
    assert x == pytest.approx(0.1, abs=0.1)
    assert abs(math.log10(y / 3e-4)) < 0.6
    assert lowest == pytest.approx(law({"widen_factor": 4, "dropout": x, "weight_decay": y}, 0), rel=0.15)


def test_every_place_has_an_interval_and_far_ones_are_told_from_the_best(found):
    plane = found.model.plane
    side = range(len(plane.x_values))
    for row in side:
        for column in side:
            assert plane.lows[row][column] < plane.errors[row][column] < plane.highs[row][column]
    lowest = min((plane.errors[row][column], row, column) for row in side for column in side)
    assert plane.above[lowest[1]][lowest[2]] == 0
    assert plane.above[-1][-1] > 0  # dropout 0.5 and weight decay 0.01
    assert plane.x_values == tuple(sorted(plane.x_values))
    assert plane.y_values == tuple(sorted(plane.y_values))


def test_the_trials_stand_at_their_own_values_with_what_the_network_does_taken_out(found):
    points = found.model.plane.trials
    assert len(points) == 48
    assert all(point.x == found.trials[point.trial].hparams["dropout"] for point in points)
    narrow = [point for point in points if found.trials[point.trial].widen_factor == 1]
    assert narrow
    for point in narrow:  # measured at 20 % and more
        assert point.error < 0.5 * found.trials[point.trial].val_error


def test_one_that_takes_few_values_makes_no_plane(tmp_path):
    few = {**DECAY, "weight_decay": {"choice": [1e-5, 1e-4, 1e-3]}}
    plan = Plan(model=MODEL, training=few, search=RANDOM, error=law, noise=0.2)
    found = findings_of(plant(tmp_path / "few", plan))
    assert found.model.curves
    assert found.model.plane is None
