"""The front of several objectives and how it grew: against brute force over the tables; the box as it is stated."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.analysis.planted import WITH_DROPOUT, Plan, plant
from wrn_search.analysis.input_tables.configurations import configurations_of, seconds_per_epoch
from wrn_search.analysis.input_tables.joined_tables import material_of
from wrn_search.analysis.several_objectives import (
    MAX_STEPS,
    FrontSoFar,
    SeveralObjectives,
    _thinned,
    several_objectives_of,
)
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.objectives.dominance import is_on_front
from wrn_search.objectives.hypervolume import hypervolume

SEARCH = {"searcher": "random", "scheduler": "none", "trials": 30}


def _found(tmp_path: Path, *objectives: str, **changes: object) -> SeveralObjectives | None:
    plan = Plan(model=WITH_DROPOUT, search=SEARCH, noise=1.0, objectives=objectives, **changes)  # type: ignore[arg-type]
    material = material_of([plant(tmp_path / "a", plan)])
    return several_objectives_of(material, configurations_of(material, seconds_per_epoch(material)))


def test_with_one_objective_or_different_ones_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert _found(tmp_path, "val_error") is None
    paths = [
        plant(tmp_path / name, Plan(name=name, search=SEARCH, objectives=("val_error", name)))
        for name in ("macs", "num_params")
    ]
    material = material_of(paths)
    assert several_objectives_of(material, configurations_of(material, {})) is None


def test_the_front_so_far_is_that_of_all_that_had_ended(tmp_path: Path) -> None:
    ends = {4: ("failed", "x"), 9: ("diverged", "nan"), 12: ("running", None)}
    plan = Plan(
        model=WITH_DROPOUT, search=SEARCH, ends=ends, noise=1.0, objectives=("val_error", "num_params")
    )
    material = material_of([plant(tmp_path / "a", plan)])
    found = several_objectives_of(material, configurations_of(material, seconds_per_epoch(material)))
    assert found is not None
    largest, smallest = (num_params(Architecture.of(*each)) for each in ((40, 8), (16, 1)))
    assert found.reference == (90.0, float(largest))
    assert found.ideal == (50 / 5000, float(smallest))
    corner = [math.log(high / low) for low, high in zip(found.ideal, found.reference, strict=True)]
    ended = material.ended.sort_values("finished_at")
    steps = {step.ended: step for step in found.steps}
    before: list[int] = []
    for count in range(1, len(ended) + 1):
        full = ended.iloc[:count]
        full = full[full["status"] == "completed"]
        values = list(zip(full["val_error"], full["num_params"].astype(float), strict=True))
        on_front = is_on_front(values)
        front = sorted(trial for trial, on in zip(full.index, on_front, strict=True) if on)
        if count in steps:
            step = steps[count]
            assert sorted(step.front) == front
            assert step.epochs == int(ended["epochs_done"].iloc[:count].sum())
            points = [
                [math.log(v / low) for v, low in zip(each, found.ideal, strict=True)] for each in values
            ]
            assert step.share == pytest.approx(hypervolume(points, corner) / math.prod(corner))
        else:
            assert front == before  # no step was left out
        before = front
    assert found.steps[-1].ended == len(ended) == 29
    shares = [step.share or 0.0 for step in found.steps]
    assert shares == sorted(shares)
    assert {point.trial for point in found.front} == set(before)
    assert [point.values[0] for point in found.points] == sorted(point.values[0] for point in found.points)


def test_of_three_objectives_the_front_is_that_of_all_together(tmp_path: Path) -> None:
    found = _found(tmp_path, "macs", "val_error", "num_params")
    assert found is not None
    assert found.units == ("multiply-adds", "%", "parameters")
    on_front = is_on_front([point.values for point in found.points])
    assert [point.on_front for point in found.points] == on_front
    assert 0 < sum(on_front) < len(on_front)
    assert 0 < (found.steps[-1].share or 0) < 1


def test_without_a_trial_at_its_end_or_the_error_of_chance_it_says_why(tmp_path: Path) -> None:
    ends = dict.fromkeys(range(30), ("diverged", "nan"))
    nothing = _found(tmp_path, "val_error", "num_params", ends=ends)
    assert nothing is not None
    assert (nothing.points, nothing.steps, nothing.reference) == ((), (), None)
    assert nothing.why_no_hypervolume == "no trial has reached its last epoch"
    path = plant(
        tmp_path / "b",
        Plan(
            dataset={"name": "folder", "root": "/nowhere"},
            search={**SEARCH, "trials": 3},
            objectives=("val_error", "num_params"),
        ),
    )
    for name in ("events.jsonl", "manifest.json"):
        (path / name).unlink()
    material = material_of([path])
    unknown = several_objectives_of(material, configurations_of(material, {}))
    assert unknown is not None
    assert "is not known" in unknown.why_no_hypervolume
    assert all(step.share is None for step in unknown.steps)
    assert unknown.front


def test_one_network_for_all_has_a_front_and_no_box(tmp_path: Path) -> None:
    plan = Plan(
        model={"depth": 16, "dropout": {"uniform": [0.0, 0.5]}},
        search={**SEARCH, "trials": 4},
        objectives=("val_error", "num_params"),
    )
    material = material_of([plant(tmp_path / "a", plan)])
    found = several_objectives_of(material, configurations_of(material, {}))
    assert found is not None
    assert len(found.front) == 1
    assert found.why_no_hypervolume == "all networks have the same num_params"


def test_many_steps_are_thinned_to_both_ends() -> None:
    steps = [FrontSoFar(float(i), i, i, None, ()) for i in range(1000)]
    thinned = _thinned(steps)

    assert len(thinned) == MAX_STEPS
    assert (thinned[0], thinned[-1]) == (steps[0], steps[-1])
