"""Fronts and hypervolumes against brute force and closed forms."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.planted import WITH_DROPOUT, Plan, plant
from wrn_search.__main__ import main
from wrn_search.analysis.depth_width_map import time_map_of
from wrn_search.analysis.input_tables.configurations import configurations_of, seconds_per_epoch
from wrn_search.analysis.input_tables.joined_tables import material_of
from wrn_search.analysis.pareto_fronts import MAX_STEPS, _thinned, hypervolume, pareto_front, pareto_of
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.results.event_lines import to_line
from wrn_search.results.events_jsonl import read_events


def dominated(point, points):
    """Whether some other point is no worse in both and better in one."""
    return any((other <= point).all() and (other < point).any() for other in points)


@pytest.mark.parametrize("seed", range(20))
def test_the_front_is_what_no_other_point_dominates(seed):
    points = (
        np.random.default_rng(seed).integers(0, 8, size=(25, 2)).astype(float)
    )  # many ties and duplicates
    assert pareto_front(points).tolist() == [not dominated(point, points) for point in points]


def test_fronts_of_nothing_and_of_one_point():
    assert pareto_front(np.empty((0, 2))).tolist() == []
    assert pareto_front(np.array([[1.0, 2.0]])).tolist() == [True]
    assert hypervolume(np.empty((0, 2)), (1.0, 1.0)) == 0.0


@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_the_hypervolume_of_a_staircase(n):
    """Points (i, n - 1 - i) dominate n^2 - n (n - 1) / 2 unit squares up to (n, n)."""
    stairs = np.array([(i, n - 1 - i) for i in range(n)], dtype=float)
    assert hypervolume(stairs, (n, n)) == n**2 - n * (n - 1) / 2


@pytest.mark.parametrize("seed", range(10))
def test_the_hypervolume_is_the_share_of_squares_that_a_point_dominates(seed):
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 14, size=(12, 2)).astype(float)
    corners = np.stack(np.meshgrid(np.arange(10), np.arange(10)), axis=-1).reshape(-1, 2)
    squares = sum(any((point <= corner).all() for point in points) for corner in corners)
    assert hypervolume(points, (10.0, 10.0)) == squares
    twice = rng.permutation(np.vstack([points, points]))
    assert hypervolume(twice, (10.0, 10.0)) == squares


SEARCH = {"searcher": "random", "scheduler": "none", "trials": 30}


@pytest.fixture
def material(tmp_path):
    ends = {4: ("failed", "x"), 9: ("diverged", "nan"), 12: ("running", None)}
    return material_of([plant(tmp_path / "a", Plan(model=WITH_DROPOUT, search=SEARCH, ends=ends, noise=1.0))])


def test_the_hypervolume_over_time_is_that_of_all_trials_so_far(material):
    pareto = pareto_of(material, configurations_of(material, seconds_per_epoch(material)))
    largest = num_params(Architecture.of(40, 8))
    assert (pareto.reference, pareto.reference_network) == ((float(largest), 90.0), "WRN-40-8")
    ended = material.ended.sort_values("finished_at")
    begin = material.trials["started_at"].min()
    steps = {count: (hours, share) for hours, count, share in pareto.hypervolume}
    best = 0.0
    for count in range(1, len(ended) + 1):
        so_far = ended.iloc[:count]
        full = so_far[so_far["status"] == "completed"]
        share = (
            hypervolume(full[["num_params", "val_error"]].to_numpy(float), pareto.reference) / largest / 90
        )
        if count in steps:
            hours = (so_far["finished_at"].iloc[-1] - begin).total_seconds() / 3600
            assert steps[count] == (pytest.approx(hours), pytest.approx(share))
        else:
            assert share == pytest.approx(best)  # no step was left out
        best = share
    assert pareto.hypervolume[-1][1] == len(ended) == 29
    assert 0 < best < 1


def test_each_front_has_every_configuration_and_names_its_trial(material):
    configurations = configurations_of(material, seconds_per_epoch(material))
    pareto = pareto_of(material, configurations)
    assert [front.cost for front in pareto.fronts] == ["num_params", "macs", "seconds_per_epoch"]
    networks = {each.network for each in configurations}
    for front in pareto.fronts:
        assert len(front.points) == len(networks if front.cost == "seconds_per_epoch" else configurations)
        plane = np.array([(point.cost, point.val_error) for point in front.points])
        assert [point.on_front for point in front.points] == [not dominated(p, plane) for p in plane]
        assert [point.cost for point in front.points] == sorted(point.cost for point in front.points)
        assert all(point.network == material.trials["network"][point.trial] for point in front.front)


def test_what_the_objectives_asked_to_be_measured_has_a_front_of_networks(material):
    """Milliseconds that fall with the size: then the largest networks are the cheapest."""
    by_size = 1e9 / material.trials["macs"]
    measured = replace(material, trials=material.trials.assign(inference_ms_64=by_size))
    configurations = configurations_of(measured, seconds_per_epoch(measured))
    *_, front = pareto_of(measured, configurations).fronts
    assert (front.cost, front.unit) == ("inference_ms_64", "ms")
    assert len(front.points) == len({each.network for each in configurations})
    assert front.points[0].cost == pytest.approx(by_size[material.completed.index].min())
    costs = {each.network: each.inference_ms_64 for each in configurations}
    assert {point.network: point.cost for point in front.points} == pytest.approx(costs)


def test_times_of_several_kinds_of_hardware_are_said_not_to_compare(tmp_path):
    small = {"searcher": "random", "scheduler": "none", "trials": 3}
    a = plant(tmp_path / "a", Plan(name="a", search=small))
    b = plant(tmp_path / "b", Plan(name="b", search=small, device="NVIDIA H100"))
    material = material_of([a, b])
    notes = [front.note for front in pareto_of(material, ()).fronts]
    assert notes[:2] == ["", ""]
    assert notes[2].startswith("These times are of 2 kinds of hardware")


def test_without_the_error_of_chance_there_is_no_reference(tmp_path):
    parquet = {"name": "folder", "root": "/nowhere"}
    path = plant(
        tmp_path / "a", Plan(dataset=parquet, search={"searcher": "random", "scheduler": "none", "trials": 3})
    )
    for name in ("events.jsonl", "manifest.json"):
        (path / name).unlink()
    material = material_of([path])
    pareto = pareto_of(material, configurations_of(material, {}))
    assert pareto.hypervolume == ()
    assert "error of chance is not known" in pareto.why_no_hypervolume
    assert pareto.fronts[2].points == ()


def test_a_long_trajectory_keeps_both_ends():
    steps = [(float(i), i, i / 5000) for i in range(5000)]
    thinned = _thinned(steps)
    assert len(thinned) == MAX_STEPS
    assert (thinned[0], thinned[-1]) == (steps[0], steps[-1])


def test_without_an_error_of_chance_there_is_a_report_and_no_hypervolume(tmp_path, capsys):
    """All validation images of one class, as a small share of few images can be: the reference box has no area."""
    path = plant(tmp_path / "a", Plan(search=SEARCH, error=lambda leaves, weights: 0.0, noise=0.0))
    events = path / "events.jsonl"
    (moment, started), *later = read_events(events)
    lines = [(moment, replace(started, chance_error=0.0)), *later]
    events.write_text(
        "".join(f"{to_line(event, seq, moment)}\n" for seq, (moment, event) in enumerate(lines))
    )

    assert main(["report", str(path), "--json"]) == 0

    pareto = json.loads(capsys.readouterr().out)["pareto"]
    assert pareto["hypervolume"] == []
    assert pareto["why_no_hypervolume"].startswith("the error of chance is 0 %")


def test_measured_seconds_are_medians_of_networks(tmp_path):
    """Single trials of one network made a front of timing noise."""
    plan = Plan(
        model={"depth": {"choice": [10, 16]}, "widen_factor": 2, "dropout": {"uniform": [0.0, 0.5]}},
        search={"searcher": "random", "scheduler": "none", "trials": 12},
    )
    material = material_of([plant(tmp_path / "a", plan)])
    seconds = {trial: float(value) for trial, value in enumerate(np.random.default_rng(0).uniform(1, 2, 12))}
    front = pareto_of(material, configurations_of(material, seconds)).fronts[2]
    assert len(front.points) == 2
    for point in front.points:
        rows = material.trials[material.trials["network"] == point.network]
        assert point.cost == pytest.approx(np.median([seconds[trial] for trial in rows.index]))
        assert point.val_error == rows["val_error"].min()


def test_of_trials_that_shared_a_gpu_no_front_of_seconds_is_told(tmp_path):
    material = material_of([plant(tmp_path / "a", Plan())])
    shared = replace(material, trials=material.trials.assign(gpu_fraction=0.25))
    parameters, _, seconds = pareto_of(shared, configurations_of(shared, seconds_per_epoch(shared))).fronts
    assert parameters.points
    assert seconds.points == ()
    assert "no epoch had its device alone" in seconds.note


def test_only_epochs_that_were_alone_are_costs(tmp_path):
    """A network beside another took twice as long; of one network no epoch was alone, and it is not told."""
    material = material_of([plant(tmp_path / "a", Plan())])
    networks = list(dict.fromkeys(material.trials["network"]))
    first = material.trials["network"] == networks[0]
    alone = material.epochs["trial"].map(~first) & (material.epochs["epoch"] % 2 == 0)
    slow = material.epochs["seconds"].where(alone, 2 * material.epochs["seconds"])
    told = replace(material, epochs=material.epochs.assign(alone=alone, seconds=slow))
    seconds = seconds_per_epoch(told)
    assert set(seconds) == set(told.epochs["trial"][alone])
    own = material.epochs.groupby("trial")["seconds"].median()
    assert all(seconds[trial] == pytest.approx(own[trial]) for trial in seconds)
    front = pareto_of(told, configurations_of(told, seconds)).fronts[2]
    assert {point.network for point in front.points} == set(
        told.completed["network"][told.completed["network"] != networks[0]]
    )
    assert front.points
    assert front.note.startswith("Only epochs that had their device alone count: 1 network of ")
    assert not time_map_of(told, seconds).shared

    nobody = replace(told, epochs=told.epochs.assign(alone=False))
    everything = seconds_per_epoch(nobody)
    assert set(everything) == set(told.epochs["trial"]), (
        "plans go by shared ones, where nothing else is known"
    )
    shared = pareto_of(nobody, configurations_of(nobody, everything)).fronts[2]
    assert (shared.points, "no epoch had its device alone" in shared.note) == ((), True)
    assert time_map_of(nobody, everything).shared


def test_points_carry_the_uncertainty_of_counting_and_of_seeds(tmp_path):
    single = material_of([plant(tmp_path / "a", Plan())])
    (point, *_) = pareto_of(single, configurations_of(single, {})).fronts[0].points
    share = (50 * point.val_error + 1) / 5002
    assert point.reach == pytest.approx(1.959964 * 100 * (share * (1 - share) / 5002) ** 0.5, rel=1e-6)
    grid = Plan(search={"searcher": "grid", "scheduler": "none", "repeats": 3})
    repeated = material_of([plant(tmp_path / "b", grid)])
    assert all(
        each.reach > 0.3 for each in pareto_of(repeated, configurations_of(repeated, {})).fronts[0].points
    )
