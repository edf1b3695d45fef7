"""The follow-up grid: a space file that `check` takes, around the best network, with partners of equal size."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.planted import WITH_DROPOUT, Plan, plant
from wrn_search.analysis.all_findings import findings_from
from wrn_search.analysis.equal_parameters import BAND, IsoPoint, bands
from wrn_search.analysis.input_tables.joined_tables import material_of
from wrn_search.errors import InputError
from wrn_search.networks.architecture import Architecture, depth_problem, parse_block
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.report.by_products.follow_up_grid import (
    REPEATS,
    depths_around,
    follow_up_text,
    widths_around,
    write_follow_up,
)
from wrn_search.space.space_file import read_space

pytestmark = pytest.mark.usefixtures("few_draws")

SEARCH = {"searcher": "tpe", "scheduler": "asha", "trials": 16, "reduction_factor": 2}
TRAINING = {"epochs": 10, "weight_decay": {"loguniform": [1e-5, 5e-3]}, "lr_drops": [0.4, 0.7]}
PLAN = Plan(name="first", model=WITH_DROPOUT, training=TRAINING, search=SEARCH)


def found(path):
    material = material_of([path])
    return material, findings_from(material)


def test_the_grid_is_a_space_that_can_give_intervals(tmp_path):
    material, findings = found(plant(tmp_path / "results", PLAN))
    written = write_follow_up(material, findings, tmp_path / "next.yaml")
    space = read_space(tmp_path / "next.yaml")
    assert space == written
    best = material.trials.loc[findings.answer.best.trial]
    assert (space.search.searcher, space.search.scheduler, space.search.repeats) == ("grid", "none", REPEATS)
    assert set(space.hyperparameters) == {"depth", "widen_factor"}
    assert best["depth"] in space.model.depth.options
    assert best["widen_factor"] in space.model.widen_factor.options
    assert (space.model.dropout, space.training.weight_decay) == (best["dropout"], best["weight_decay"])
    assert (space.training.epochs, space.training.lr_drops) == (10, (0.4, 0.7))
    assert space.dataset == material.sources[0].space.dataset
    assert space.search.seed != material.sources[0].space.search.seed
    assert space.name == "first_follow_up"
    header = (tmp_path / "next.yaml").read_text().split("name:")[0]
    assert all(line.startswith("#") for line in header.splitlines())
    networks = len(space.model.depth.options) * len(space.model.widen_factor.options)
    assert f"costs     {networks} networks x {REPEATS} seeds x 10 epochs, about " in header


@pytest.mark.slow
def test_what_the_grid_finds_is_found_beside_the_search(tmp_path):
    """The circle closes: the follow-up's own results give the interval that the search could not."""
    first = plant(tmp_path / "first", PLAN)
    material, findings = found(first)
    assert findings.iso_params.interval is None
    space = write_follow_up(material, findings, tmp_path / "next.yaml")
    document = space.to_document()
    sections = {name: document[name] for name in ("name", "dataset", "model", "training", "search")}
    second = plant(tmp_path / "second", Plan(**sections, seed=1))
    together = findings_from(material_of([first, second]))
    assert together.iso_params.interval is not None
    assert together.iso_params.searches == ("first_follow_up",)
    assert {trial.search for trial in together.trials} == {"first", "first_follow_up"}


@pytest.mark.parametrize("depth", [10, 22, 40, 58])
@pytest.mark.parametrize("width", [0.5, 1.0, 2.0, 8.0])
def test_diagonals_have_equal_sizes(depth, width):
    for shallower, narrower in ((1, 1), (1, 2), (2, 2)):
        depths = depths_around(depth, "B(3,3)", shallower=shallower)
        widths = widths_around(width, depths, "B(3,3)", narrower=narrower)
        assert depth in depths
        assert width in widths
        assert len(depths) == len(widths) == 3
        points = [
            IsoPoint(0, f"{d}-{k}", d / k, num_params(Architecture.of(d, k)), 5.0, 1)
            for d in depths
            for k in widths
        ]
        shared = bands(points)
        assert max(len(band) for band in shared) >= 3, (depths, widths)
        for band in shared:
            assert band[-1].num_params <= BAND * band[0].num_params


@pytest.mark.parametrize(
    ("block", "depth"), [("B(3,1,3)", 22), ("B(3)", 40), ("B(3,3,3)", 40), ("B(5,5)", 16)]
)
def test_depths_exist_for_every_block(block, depth):
    for shallower in (1, 2):
        depths = depths_around(depth, block, shallower=shallower)
        assert depth in depths
        assert all(not depth_problem(value, parse_block(block)) for value in depths)


def test_depths_around():
    assert depths_around(28, "B(3,3)", shallower=1) == [16, 28, 52]
    assert depths_around(40, "B(3,3)", shallower=2) == [16, 22, 40]
    assert depths_around(10, "B(3,3)", shallower=2) == [10, 16, 28]
    assert widths_around(10.0, [16, 28, 52], "B(3,3)", narrower=1) == [7.0, 10.0, 15.0]
    assert widths_around(8.0, [16, 22, 40], "B(3,3)", narrower=2) == [4.4, 6.4, 8.0]


def test_at_the_edge_of_the_space_the_grid_looks_beyond_it(tmp_path):
    """It used to stay inside, where the report had just said that more was not tried."""
    model = {"depth": {"choice": [16, 22, 28, 40]}, "widen_factor": {"choice": [1, 2, 4, 8]}}
    material, findings = found(plant(tmp_path / "results", Plan(model=model, noise=0.0)))
    assert findings.answer.best.network == "WRN-40-8"
    space = write_follow_up(material, findings, tmp_path / "next.yaml")
    assert 40 in space.model.depth.options
    assert max(space.model.depth.options) > 40
    assert max(space.model.widen_factor.options) > 8


@pytest.mark.parametrize("best", [1, 2, 4, 8])
def test_the_narrowest_networks_stay_in_the_grid(tmp_path, best):
    """k = 1 used to be dropped: the grid could not say whether a wider network beats it."""

    def law(leaves, num_params):
        return 5 + abs(math.log2(leaves["widen_factor"] / best)) + abs(leaves["depth"] - 22) / 10

    model = {"depth": {"choice": [16, 22, 28]}, "widen_factor": {"choice": [1, 2, 4, 8]}}
    material, findings = found(plant(tmp_path / "results", Plan(model=model, error=law, noise=0.0)))
    space = write_follow_up(material, findings, tmp_path / "next.yaml")
    assert {1.0, float(best)} <= set(space.model.widen_factor.options)


@pytest.mark.parametrize(("decay", "upwards"), [(5e-3, True), (1e-5, False)])
def test_the_grid_goes_beyond_every_edge_that_the_limits_complain_about(tmp_path, decay, upwards):
    def law(leaves, num_params):
        return 8 + 2 * abs(math.log10(leaves["weight_decay"] / decay)) + abs(leaves["widen_factor"] - 2)

    training = {"epochs": 10, "weight_decay": {"choice": [1e-5, 1e-4, 5e-3]}}
    search = {"searcher": "grid", "scheduler": "none", "repeats": 2}
    material, findings = found(
        plant(tmp_path / "results", Plan(training=training, search=search, error=law, noise=0.1))
    )
    assert any("weight_decay of the search" in limit for limit in findings.answer.limits)
    space = write_follow_up(material, findings, tmp_path / "next.yaml")
    for edge in findings.answer.edges:
        options = (space.training if edge.name == "weight_decay" else space.model).__dict__[edge.name].options
        assert (max(options) > edge.value) if edge.is_upper else (min(options) < edge.value)
    assert decay in space.training.weight_decay.options
    assert any(each.name == "weight_decay" and each.is_upper is upwards for each in findings.answer.edges)
    header = (tmp_path / "next.yaml").read_text().split("name:")[0]
    assert "settings  weight_decay" in header
    assert " networks x 2 settings x " in header


@pytest.mark.parametrize("wider_wants_more", [False, True])
def test_networks_that_want_other_regularisation_get_theirs_and_those_that_agree_one_value(
    tmp_path, wider_wants_more
):
    """The best dropout is 0.3 everywhere, or 0.1 and 0.15 more for each doubling of the width."""

    def law(leaves, num_params):
        doublings = math.log2(leaves["widen_factor"])
        wanted, strength = (0.1 + 0.15 * doublings, 12) if wider_wants_more else (0.3, 30)
        return 8 + strength * (leaves["dropout"] - wanted) ** 2 + max(0, 2 - doublings)

    model = {
        "depth": {"choice": [16, 22, 28]},
        "widen_factor": {"choice": [1, 2, 4, 8]},
        "dropout": {"choice": [0.0, 0.15, 0.3, 0.45, 0.6]},
    }
    search = {"searcher": "grid", "scheduler": "none"}
    material, findings = found(
        plant(tmp_path / "results", Plan(model=model, search=search, error=law, noise=0.05))
    )
    space = write_follow_up(material, findings, tmp_path / "next.yaml")
    header = (tmp_path / "next.yaml").read_text().split("name:")[0]
    if wider_wants_more:  # the grid goes from widening factor 1 to 8 and beyond
        low, high = space.model.dropout.options
        assert low == pytest.approx(0.1, abs=0.12)
        assert high == pytest.approx(0.55, abs=0.12)
    else:
        assert space.model.dropout == pytest.approx(0.3, abs=0.12)
    assert ("larger and smaller networks want other values" in header) == wider_wants_more


def test_the_detectable_difference_is_told_without_repeats_too(tmp_path):
    material, findings = found(plant(tmp_path / "results", Plan()))
    text = follow_up_text(material, findings)
    assert re.search(r"two networks that differ by [0-9.]+ points", text)
    assert re.search(r"a slope of [0-9.]+ points a doubling of depth:width is found", text)


def test_the_header_says_which_difference_the_grid_can_find(tmp_path):
    """Of two means of five normal values each, at that distance, a two-sided test finds about four in five."""
    grid = {"searcher": "grid", "scheduler": "none", "repeats": 5}
    material, findings = found(plant(tmp_path / "results", Plan(search=grid)))
    text = follow_up_text(material, findings)
    told = float(re.search(r"differ by ([0-9.]+) points", text).group(1))
    deviation = findings.answer.seed_deviation
    draws = np.random.default_rng(0).normal(0, deviation, (4000, 2, REPEATS)).mean(axis=2)
    apart = np.abs(draws[:, 1] - draws[:, 0] + told) > 1.96 * deviation * (2 / REPEATS) ** 0.5
    assert apart.mean() == pytest.approx(0.8, abs=0.05)


def test_without_the_space_file_the_tables_are_enough(tmp_path):
    path = plant(tmp_path / "results", PLAN)
    for name in ("resolved.yaml", "manifest.json", "events.jsonl"):
        (path / name).unlink()
    space = write_follow_up(*found(path), tmp_path / "next.yaml")
    assert space.dataset.name == "cifar10"
    assert space.training.lr_drops == (0.4, 0.7)


def test_nothing_completed_is_nothing_to_look_around(tmp_path):
    ends = dict.fromkeys(range(16), ("failed", "x"))
    material, findings = found(plant(tmp_path / "results", Plan(ends=ends)))
    with pytest.raises(InputError, match=r"--follow-up: .* no trial has been trained to its last epoch"):
        follow_up_text(material, findings)


def test_a_file_is_never_overwritten(tmp_path):
    material, findings = found(plant(tmp_path / "results", PLAN))
    target = tmp_path / "next.yaml"
    target.write_text("mine")
    with pytest.raises(InputError, match=r"--follow-up: must name a new file, but .*next.yaml exists"):
        write_follow_up(material, findings, target)
    assert target.read_text() == "mine"
    with pytest.raises(InputError, match=r"must be in a folder that exists, but .*nowhere is none"):
        write_follow_up(material, findings, tmp_path / "nowhere" / "next.yaml")
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []


def test_the_grid_of_a_search_without_drops_tells_none(tmp_path):
    """What could not act is refused in a space file; a record may have it, as a recipe fills it in."""
    training = {"epochs": 10, "lr_schedule": "cosine", "optimizer": {"choice": ["adamw", "sgd"]}}
    training |= {"learning_rate": {"choice": [0.001, 0.002]}}
    plan = Plan(name="first", model=WITH_DROPOUT, training=training, search=SEARCH)
    material, findings = found(plant(tmp_path / "results", plan))
    trials = material.trials.assign(
        lr_drops=[[0.31, 0.61, 0.91]] * len(material.trials), lr_drop_factor=0.1, momentum=0.8
    )
    write_follow_up(replace(material, trials=trials), findings, tmp_path / "next.yaml")
    space = read_space(tmp_path / "next.yaml")
    best = trials.loc[findings.answer.best.trial]
    assert space.training.lr_schedule == "cosine"
    assert space.training.lr_drop_factor == 0.2
    assert space.training.optimizer == best["optimizer"]
    assert space.training.momentum == (0.8 if best["optimizer"] == "sgd" else 0.9)
