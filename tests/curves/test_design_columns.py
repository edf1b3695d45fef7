"""Rows of x: what is centred is centred, bumps reach from end to end, cells have an effect where they repeat."""

from __future__ import annotations

import numpy as np
import pytest

from tests.curves.made_up_curves import made_up
from wrn_search.curves.design_columns import design_of
from wrn_search.curves.observed_curves import CurveTrial, ObservedCurves


def test_depth_and_width_count_in_doublings() -> None:
    design = design_of(made_up(40))
    at = {"depth": 16.0, "widen_factor": 1.0, "dropout": 0.1}
    names = [column.name for column in design.columns]
    rise = design.row({**at, "depth": 28.0}) - design.row(at)
    assert rise[names.index("depth")] == pytest.approx(1)  # 12 blocks' layers to 24
    rise = design.row({**at, "widen_factor": 8.0}) - design.row(at)
    assert rise[names.index("widen_factor")] == pytest.approx(3)


def test_columns_have_mean_zero_but_for_cells() -> None:
    table = made_up(40)
    design = design_of(table)
    means = np.mean([design.row(each.hyperparameters) for each in table.trials], axis=0)
    others = [column.group != "cell" for column in design.columns]
    np.testing.assert_allclose(means[others], 0, atol=1e-9)


def test_bumps_stand_from_the_lowest_to_the_highest_value() -> None:
    axis = design_of(made_up(40)).axes["dropout"]
    assert axis.bumps()[0] == pytest.approx((axis.low - axis.centre) / axis.unit)
    assert axis.bumps()[-1] == pytest.approx((axis.high - axis.centre) / axis.unit)


def test_levels_are_told_against_each_other_and_a_new_one_is_refused() -> None:
    trials = tuple(
        CurveTrial(str(n), str(n), {"block": "ab"[n % 2], "momentum": 0.9}, (1,), (5.0,), "completed")
        for n in range(6)
    )
    design = design_of(ObservedCurves(trials, 10, 1))
    assert design.constants == {"momentum": 0.9}
    np.testing.assert_allclose(design.row({"block": "a"}), [0.5, -0.5])
    with pytest.raises(ValueError, match="must be one of"):
        design.row({"block": "c"})
