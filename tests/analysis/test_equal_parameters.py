"""Bands of equal parameters, the trend through them, and rule 5: no interval from an adaptive search."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.analysis.planted import Plan, plant, power_law
from wrn_search.analysis.all_findings import findings_of
from wrn_search.analysis.equal_parameters import (
    BAND,
    MAX_BANDS,
    IsoPoint,
    bands,
    bought_of,
    evidence_of,
    iso_params_of,
)
from wrn_search.analysis.input_tables.configurations import configurations_of, seconds_per_epoch
from wrn_search.analysis.input_tables.joined_tables import material_of
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.report.equal_parameters import iso_params

pytestmark = pytest.mark.usefixtures("few_draws")

MODEL = {"depth": {"choice": [16, 22, 28, 40]}, "widen_factor": {"choice": [1, 2, 4, 8]}}


def evidence(*paths):
    material = material_of(paths)
    return evidence_of(material, configurations_of(material, seconds_per_epoch(material)))


def wide_wins(leaves, weights):
    """Half a point more for each doubling of depth:width."""
    return power_law(leaves, weights) + 0.5 * math.log2(leaves["depth"] / leaves["widen_factor"])


def point(num_params, ratio, trial=0):
    return IsoPoint(trial, f"WRN-{num_params}", ratio, num_params, 5.0, 1)


def test_the_papers_pairs_of_equal_size_share_a_band():
    networks = [(depth, k) for depth in (16, 22, 28, 40) for k in (1, 2, 4, 8, 10)]
    points = [IsoPoint(0, f"{d}-{k}", d / k, num_params(Architecture.of(d, k)), 5.0, 1) for d, k in networks]
    assert [sorted(point.network for point in band) for band in bands(points)] == [
        ["16-2", "40-1"],
        ["16-4", "40-2"],
        ["16-8", "40-4"],
        ["16-10", "22-8"],
        ["22-10", "28-8"],
        ["28-10", "40-8"],
    ]


def test_a_band_spans_at_most_its_factor_and_needs_two_ratios():
    chain = [point(round(1000 * 1.1**i), ratio=1.0 + i) for i in range(30)]
    for band in bands(chain):
        assert max(p.num_params for p in band) <= BAND * min(p.num_params for p in band)
    assert bands([point(1000, 2.0), point(1000, 2.0, trial=1), point(9000, 3.0)]) == []
    assert bands([]) == []
    many = [point(10 * 2**i, ratio) for i in range(30) for ratio in (1.0, 2.0)]
    assert len(bands(many)) == MAX_BANDS


def test_a_grid_with_repeats_gives_the_planted_trend_with_its_interval(tmp_path):
    search = {"searcher": "grid", "scheduler": "none", "repeats": 3}
    found = iso_params_of(evidence(plant(tmp_path / "a", Plan(model=MODEL, search=search, error=wide_wins))))
    assert found.interval[0] < 0.5 < found.interval[1]
    assert found.slope == pytest.approx(0.5, abs=0.15)
    assert found.found
    assert (found.n, found.searches, found.why_no_interval, found.why_no_slope) == (16, ("planted",), "", "")
    for band in found.bands:
        (first, low), (last, high) = band.line
        assert (first, last) == (band.points[0].ratio, band.points[-1].ratio)
        assert (high - low) / math.log2(last / first) == pytest.approx(found.slope)


@pytest.mark.slow
@pytest.mark.parametrize(("slope", "least", "most"), [(0.3, 160, 200), (0.0, 0, 18)])
def test_planted_tables_are_told_apart_as_often_as_promised(tmp_path, slope, least, most):
    """200 searches read from their files: an effect is found in 80 %, and none in more than 18 of 200 without."""
    search = {"searcher": "grid", "scheduler": "none", "repeats": 3}

    def law(leaves, weights):
        return power_law(leaves, weights) + slope * math.log2(leaves["depth"] / leaves["widen_factor"])

    found = 0
    for seed in range(200):
        path = plant(tmp_path / f"{seed}", Plan(model=MODEL, search=search, error=law, seed=seed))
        found += bool(iso_params_of(evidence(path)).found)
    assert least <= found <= most


def test_what_each_dimension_bought_differs_by_the_trend(tmp_path):
    search = {"searcher": "grid", "scheduler": "none"}
    plan = Plan(model=MODEL, search=search, error=wide_wins, noise=0.0)
    own = evidence(plant(tmp_path / "a", plan))
    bought, trend = bought_of(own), iso_params_of(own)
    rise = sum((depth - 4) / depth for depth in (16, 22, 28, 40)) / 4
    assert bought.depth_per_doubling - bought.width_per_doubling == pytest.approx(trend.slope * (rise + 0.5))
    assert bought.width_per_doubling < bought.depth_per_doubling < 0.5
    assert bought.depth_interval[0] <= bought.depth_per_doubling <= bought.depth_interval[1]


@pytest.mark.parametrize(
    ("search", "kinds"),
    [
        ({"searcher": "tpe", "scheduler": "none", "trials": 40}, "tpe"),
        ({"searcher": "random", "scheduler": "asha", "trials": 40, "reduction_factor": 2}, "asha"),
        ({"searcher": "tpe", "scheduler": "asha", "trials": 40, "reduction_factor": 2}, "asha and tpe"),
    ],
)
def test_an_adaptive_search_gives_no_interval_and_says_why(tmp_path, search, kinds):
    own = evidence(plant(tmp_path / "a", Plan(model=MODEL, search=search)))
    found = iso_params_of(own)
    assert found.interval is found.found is None
    assert f"an adaptive search ({kinds}) gives no intervals" in found.why_no_interval
    assert bought_of(own).depth_interval is bought_of(own).width_interval is None
    assert len({p.network for p in own.points}) == len(own.points)  # each network once, with its lowest error


def test_a_follow_up_speaks_alone_beside_an_adaptive_search(tmp_path):
    grid = {"searcher": "grid", "scheduler": "none", "repeats": 2}
    tpe = {"searcher": "tpe", "scheduler": "asha", "trials": 20}
    a = plant(tmp_path / "a", Plan(name="a", model=MODEL, search=tpe))
    b = plant(tmp_path / "b", Plan(name="b", model=MODEL, search=grid))
    assert evidence(a, b).searches == ("b",)
    assert iso_params_of(evidence(a, b)).interval == iso_params_of(evidence(b)).interval


def test_a_search_of_unknown_design_is_treated_as_adaptive(tmp_path):
    path = plant(tmp_path / "a", Plan(model=MODEL))
    (path / "resolved.yaml").unlink()
    assert "how the trials were chosen is not known" in evidence(path).why_no_interval


def test_few_networks_give_reasons_instead_of_numbers(tmp_path):
    model = {"depth": {"choice": [10, 16]}, "widen_factor": {"choice": [1, 2]}}
    own = evidence(plant(tmp_path / "a", Plan(model=model)))
    found = iso_params_of(own)
    assert (found.slope, found.bands) == (None, ())
    assert found.why_no_slope == found.why_no_interval == bought_of(own).why_no_fit
    assert "at least 5 networks" in found.why_no_slope


def test_a_grid_with_seeds_has_its_interval_from_their_spread_and_says_how_the_curve_fits(tmp_path):
    search = {"searcher": "grid", "scheduler": "none", "repeats": 4}
    found = findings_of(plant(tmp_path / "results", Plan(search=search)))
    told = found.iso_params
    assert told.by_repeats
    assert told.lack_of_fit.freedom == (16 - 6, 48)
    assert not told.lack_of_fit.fails
    assert found.answer.bought.by_repeats
    reading = iso_params(found).reading
    assert (
        "The interval comes from the spread of the repeats; the fitted curve misses their means by no more"
        in reading
    )
    assert "F(10, 48) = " in reading


def test_where_the_curve_does_not_fit_the_repeats_that_is_said_and_they_give_no_interval(tmp_path):
    def kink(leaves, num_params):
        return 4 + 3 * max(0.0, 20 - float(np.log2(num_params)))

    search = {"searcher": "grid", "scheduler": "none", "repeats": 4}
    found = findings_of(plant(tmp_path / "results", Plan(search=search, error=kink, noise=0.05)))
    assert found.iso_params.lack_of_fit.fails
    assert not found.iso_params.by_repeats
    assert found.iso_params.interval is not None
    assert (
        "misses the means by more than their repeats explain (lack of fit: F(10, 48)"
        in iso_params(found).reading
    )


def test_without_repeats_it_is_said_that_there_are_none(tmp_path):
    found = findings_of(plant(tmp_path / "results", Plan()))
    assert not found.iso_params.by_repeats
    assert found.iso_params.lack_of_fit is None
    assert "The interval comes from how far configurations miss the curve." in iso_params(found).reading
