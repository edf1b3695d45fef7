"""What a search with several objectives refuses, and what its explanation says."""

from __future__ import annotations

from typing import Any

import pytest

from wrn_search.errors import InputError
from wrn_search.searchers.searcher_table import SEARCHERS, in_words
from wrn_search.space.explained.search_in_words import text_of
from wrn_search.space.search_explanation import explanation
from wrn_search.space.space_file import space_from_mapping

TWO = ["val_error", "num_params"]


def _problems(**sections: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        space_from_mapping({"name": "s", "dataset": {"name": "digits"}, **sections})
    return [f"{each.key}: {each.text}" for each in caught.value.problems]


@pytest.mark.parametrize("searcher", ["gp", "cmaes", "curves"])
def test_who_models_the_error_alone_is_refused(searcher: str) -> None:
    model = {"depth": {"int": [10, 28, 6]}, "widen_factor": {"uniform": [1.0, 4.0]}}
    (text,) = _problems(model=model, objectives=TWO, search={"searcher": searcher})

    able = [name for name, kind in SEARCHERS.items() if kind.takes_several_objectives]
    assert {"random", "grid", "tpe", "nsga2", "qmc"} <= set(able)
    assert text == (
        "search.searcher: with several objectives the searcher must be one that goes by ranks or by none: "
        f"{in_words(able, 'or')}, but {searcher} models the validation error alone"
    )


def test_the_scheduler_too_and_all_problems_are_told_at_once() -> None:
    problems = _problems(objectives=TWO, search={"scheduler": "curves", "warm_start": ["results/other"]})

    assert problems == [
        "search.scheduler: with several objectives the scheduler must be one that goes by ranks or by none: none, "
        "asha, hyperband or median, but curves models the validation error alone",
        "search.warm_start: must be left out with several objectives: other searches tell of the validation error "
        "alone, but got ['results/other']",
    ]


@pytest.mark.parametrize(
    "resources",
    [{}, {"concurrent": 4}, {"gpus_per_trial": 0.5}, {"gpus_per_trial": 0, "concurrent": "auto"}],
)
def test_seconds_of_trials_that_share_a_device_are_refused(resources: dict[str, Any]) -> None:
    (text,) = _problems(objectives=["val_error", "seconds_per_epoch"], resources=resources)

    assert text.startswith("objectives: seconds_per_epoch is a trial's own where it has its device alone: ")
    assert "gpus_per_trial: 1, or one trial at a time, concurrent: 1, but got" in text


@pytest.mark.parametrize("resources", [{}, {"concurrent": 4}, {"gpus_per_trial": 0.5}])
@pytest.mark.parametrize("name", ["inference_ms", "inference_ms_64"])
def test_forward_passes_are_timed_alone_so_trials_may_share_a_device(
    resources: dict[str, Any], name: str
) -> None:
    mapping = {"name": "s", "objectives": ["val_error", name], "resources": resources}
    assert space_from_mapping(mapping).costs == (name,)


@pytest.mark.parametrize("resources", [{}, {"gpus_per_trial": 0.5}])
def test_energy_of_trials_that_share_a_gpu_is_refused(resources: dict[str, Any]) -> None:
    (text,) = _problems(objectives=["val_error", "energy_kwh"], resources=resources)

    assert text.startswith("objectives: energy_kwh is a trial's own where it has its device alone: ")


def test_energy_of_cpus_is_refused_with_what_tells_it() -> None:
    (text,) = _problems(
        objectives=["val_error", "energy_kwh"], resources={"gpus_per_trial": 0, "concurrent": 1}
    )

    assert text == (
        "objectives: energy_kwh is told by the counters of GPUs: resources.gpus_per_trial: 1, but with "
        "gpus_per_trial: 0 trials train on CPUs"
    )


def test_the_explanation_says_how_passes_are_timed_and_what_the_energy_is_of() -> None:
    space = space_from_mapping(
        {
            "name": "s",
            "model": {"depth": {"choice": [10, 16]}},
            "objectives": ["val_error", "inference_ms", "inference_ms_64", "energy_kwh"],
            "resources": {"gpus_per_trial": 1},
        }
    )
    lines = text_of(explanation(space, (3,))).splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("objectives    "))

    assert lines[place + 1 : place + 3] == [
        "              inference_ms, inference_ms_64: forward passes of 1 and 64 images before a trial's first epoch, "
        "while no other trial trains on its device",
        "              energy_kwh: of a full training, by the counters of its GPUs (NVML)",
    ]


@pytest.mark.parametrize("resources", [{"concurrent": 1}, {"gpus_per_trial": 1}])
def test_seconds_of_a_trial_alone_are_an_objective(resources: dict[str, Any]) -> None:
    space = space_from_mapping(
        {"name": "s", "objectives": ["val_error", "seconds_per_epoch"], "resources": resources}
    )

    assert space.costs == ("seconds_per_epoch",)


def test_the_explanation_names_them_where_there_are_several() -> None:
    model = {"depth": {"choice": [10, 16]}}
    space = space_from_mapping({"name": "s", "model": model, "objectives": ["macs", "val_error"]})
    one = space_from_mapping({"name": "s", "model": model})
    told = explanation(space, (3,))

    assert told["objectives"] == ["macs", "val_error"]
    assert "objectives    macs, val_error: compared by non-dominated rank, then by crowding" in text_of(told)
    assert "objectives " not in text_of(explanation(one, (3,)))
